"""Bad input to the evaluator: each is a clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from evaluator_examples import FIVE_NETWORKS, layer, network, programs

from eznas.errors import ConfigError, EznasError, StatisticsError
from eznas.evaluator import Evaluator


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"backend": "gpu"},
            "unknown backend 'gpu'; expected one of auto, tile, fused, torchscript, eager",
        ),
        ({"to_scalar": "max"}, "unknown to_scalar 'max'; expected one of mean, l2"),
        ({"threads": 0}, "threads must be at least 1, got 0"),
        ({"threads": -2}, "threads must be at least 1, got -2"),
        ({"memo_bytes": -1}, "memo_bytes must be at least 0, got -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}$"):
        Evaluator(FIVE_NETWORKS, **settings)


@pytest.mark.parametrize(("processors", "threads"), [(1, 1), (2, 2), (64, 4)])
def test_by_default_every_processor_that_pays_has_a_thread(
    processors: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eznas.evaluator.evaluator.available_processors", lambda: processors)
    assert Evaluator(FIVE_NETWORKS, backend="eager").threads == threads
    assert Evaluator(FIVE_NETWORKS, threads=7).threads == 7


def test_a_backend_without_a_limit_uses_every_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eznas.evaluator.evaluator.available_processors", lambda: 64)
    monkeypatch.setattr("eznas.backends.eager.EagerBackend.useful_threads", None)
    assert Evaluator(FIVE_NETWORKS, backend="eager").threads == 64


@pytest.mark.parametrize("index", [5, -1, 1000])
def test_networks_out_of_range_are_refused(index: int) -> None:
    with pytest.raises(StatisticsError, match=f"^no network {index}; the statistics hold 5 networks$"):
        Evaluator(FIVE_NETWORKS).score(programs("mean(T3)"), [0, index])


def test_indices_of_networks_are_whole_numbers() -> None:
    evaluator = Evaluator(FIVE_NETWORKS)
    assert evaluator.score(programs("mean(T3)"), np.array([3, 1])).values.shape == (1, 2)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="float"):
        evaluator.score(programs("mean(T3)"), [1.5])  # type: ignore[list-item]


def test_missing_terminals_are_named_beside_those_that_are_held() -> None:
    statistics = [network(layer(T3=[1.0], T1_D=[2.0]))]
    with pytest.raises(
        StatisticsError, match="^the programs read T2_D, T4G_P, the statistics hold T1_D, T3$"
    ):
        Evaluator(statistics).score(programs("mean(T3)", "mul(T4G_P, T2_D)"))


def test_a_text_is_not_a_program() -> None:
    with pytest.raises(EznasError, match=r"expected programs, got a str; use Program.parse"):
        Evaluator(FIVE_NETWORKS).score(["mean(T3)"])  # type: ignore[list-item]


def test_one_network_is_not_a_sequence_of_networks() -> None:
    with pytest.raises(StatisticsError, match="expected a store or a sequence of NetworkStatistics, got one"):
        Evaluator(FIVE_NETWORKS[0])  # type: ignore[arg-type]
