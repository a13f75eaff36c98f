"""The tables that the package ships: what they promise, and that they can be made again."""

import pytest

from eznas import tasks
from eznas.tasks import EMBEDDED_PLANS
from eznas.tasks.mini_batches import TrainingBatches
from eznas.tasks.plan import prepared
from eznas.tasks.provenance import SINGLE_TOLERANCE, ranking_quality
from eznas.tasks.training import train

every_task = pytest.mark.parametrize("name", tasks.names())


@every_task
def test_table_holds_the_drawn_architectures_of_its_plan(name: str) -> None:
    task = tasks.get(name)
    assert task.batches == TrainingBatches(EMBEDDED_PLANS[name])
    assert list(task.architectures) == EMBEDDED_PLANS[name].sample()
    assert len(set(task.architectures)) >= 300
    assert task.table.seed_accuracies.shape == (len(task.architectures), 4)


@every_task
def test_costs_are_those_of_the_networks(name: str) -> None:
    task = tasks.get(name)
    for row in range(0, len(task.architectures), 40):
        architecture = task.architectures[row]
        assert task.table.parameters[row] == task.space.parameters(architecture, task.classes)
        assert task.table.flops[row] == task.space.flops(architecture, task.classes)


@every_task
def test_ranking_is_real(name: str) -> None:
    """The thresholds that the package promises: half of the seeds rank as the other half does."""
    task = tasks.get(name)
    quality = ranking_quality(task.table)
    assert task.provenance["ranking"] == quality
    assert quality["tau_between_seed_halves_least"] is not None
    assert quality["tau_between_seed_halves_least"] >= 0.7
    assert quality["deviation_ratio"] is not None
    assert quality["deviation_ratio"] >= 1.5


@every_task
def test_cost_alone_does_not_explain_the_ranking(name: str) -> None:
    quality = tasks.get(name).provenance["ranking"]
    assert quality["tau_of_parameters"] < quality["tau_between_seed_halves_least"]
    assert quality["tau_of_flops"] < quality["tau_between_seed_halves_least"]


@every_task
def test_provenance_tells_versions_time_and_tolerance(name: str) -> None:
    provenance = tasks.get(name).provenance
    assert provenance["training_hours"] > 0.1
    assert provenance["made_with"]["torch"].startswith("2.")
    assert f"within {SINGLE_TOLERANCE:g} points" in provenance["reproducibility"]


# Each pair ended further apart than twice the tolerance, so that a mix-up of the two would not pass.
RETRAINED = [
    (
        "mnist-topology",
        "|skip_connect~0|+|avg_pool_3x3~0|skip_connect~1|+|avg_pool_3x3~0|none~1|skip_connect~2|",
        0,
    ),
    (
        "mnist-topology",
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|none~2|",
        0,
    ),
    ("mnist-size", "8x2:8x2:2x1", 0),
    ("mnist-size", "8x2:8x2:2x1", 2),
]


@pytest.mark.parametrize(("name", "architecture", "seed"), RETRAINED)
def test_training_again_gives_the_accuracy_in_the_table(name: str, architecture: str, seed: int) -> None:
    task = tasks.get(name)
    space, data = prepared(EMBEDDED_PLANS[name])
    accuracy = train(space, architecture, seed, data).accuracy
    committed = task.table.seed_accuracies[task.index(architecture), seed]
    assert accuracy == pytest.approx(committed, abs=SINGLE_TOLERANCE)
