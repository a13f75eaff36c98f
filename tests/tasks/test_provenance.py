import json

import numpy as np
import pytest

from eznas.tasks import AccuracyTable, TablePlan
from eznas.tasks.provenance import provenance, ranking_quality


def make_table(accuracies: np.ndarray) -> AccuracyTable:
    count = len(accuracies)
    costs = np.arange(count) + 1
    return AccuracyTable.of_seeds(
        tuple(map(str, costs)), np.asarray(accuracies, float), parameters=costs, flops=costs[::-1]
    )


def test_accuracies_that_agree_over_seeds_rank_perfectly() -> None:
    quality = ranking_quality(make_table(np.arange(10)[:, None] + np.array([0.0, 0.1, 0.2, 0.3])))
    assert quality["tau_between_seed_halves_mean"] == quality["tau_between_seed_halves_least"] == 1
    assert quality["tau_of_parameters"] == 1
    assert quality["tau_of_flops"] == -1
    assert quality["deviation_over_architectures"] == round(float(np.arange(10).std(ddof=1)), 3)
    assert quality["deviation_over_seeds"] == round(float(np.array([0, 0.1, 0.2, 0.3]).std(ddof=1)), 3)
    assert quality["deviation_ratio"] == pytest.approx(23.45, abs=0.01)
    assert (quality["accuracy_least"], quality["accuracy_most"]) == (0.15, 9.15)


def test_accuracies_of_noise_alone_do_not_agree() -> None:
    quality = ranking_quality(make_table(np.random.default_rng(0).uniform(40, 60, (200, 4))))
    assert abs(quality["tau_between_seed_halves_mean"] or 1) < 0.1
    assert (quality["deviation_ratio"] or 9) < 0.7


def test_every_way_to_halve_the_seeds_is_measured() -> None:
    # Seeds 0 and 1 agree, 2 and 3 contradict them more strongly: only {0, 1} against {2, 3} is -1, not 1.
    rising = np.arange(6.0)
    quality = ranking_quality(make_table(np.stack([rising, rising, -2 * rising, -2 * rising], axis=1)))
    assert quality["tau_between_seed_halves_least"] == -1
    assert quality["tau_between_seed_halves_mean"] == pytest.approx(1 / 3, abs=1e-4)


def test_many_seeds_are_halved_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("eznas.tasks.provenance._tau", lambda *_: calls.append(1) or 0.5)
    ranking_quality(make_table(np.random.default_rng(0).uniform(0, 100, (5, 30))))
    assert len(calls) == 252 + 2


def test_what_is_not_defined_is_none() -> None:
    quality = ranking_quality(make_table(np.full((5, 2), 10.0)))
    assert quality["tau_between_seed_halves_mean"] is None
    assert quality["tau_of_parameters"] is None
    assert quality["deviation_ratio"] is None


def test_record_holds_plan_quality_versions_and_tolerance(plan: TablePlan) -> None:
    table = make_table(np.full((5, 2), 10.0))
    record = json.loads(provenance(plan, table, seconds=9000.0))
    assert TablePlan.model_validate(record["plan"]) == plan
    assert record["ranking"] == ranking_quality(table)
    assert {"python", "torch", "numpy", "machine", "vector_instructions"} == set(record["made_with"])
    assert record["training_hours"] == 2.5
    assert "to the digit" in record["reproducibility"]
