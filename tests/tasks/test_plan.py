from pathlib import Path
from typing import Any

import pytest

from eznas import spaces
from eznas.errors import SpaceError, TaskError
from eznas.tasks import EMBEDDED_PLANS, TablePlan
from eznas.tasks.plan import make_plan, prepared

OWN = """
from eznas.spaces import Space

class Repeating(Space):
    name = "repeating"
    def architectures(self):
        return ["same"] * 9
    def build(self, architecture, classes=10):
        raise NotImplementedError
"""


def test_sample_is_distinct_in_the_order_of_the_space_and_the_same_every_time() -> None:
    plan = TablePlan(name="a", space="micro-size", architectures=50)
    drawn, every = plan.sample(), list(spaces.get("micro-size").architectures())
    assert len(set(drawn)) == 50
    assert drawn == sorted(drawn, key=every.index)
    assert drawn == plan.sample()
    assert drawn != plan.model_copy(update={"sample_seed": 1}).sample()


def test_sample_is_the_one_that_the_embedded_tables_were_trained_on() -> None:
    assert EMBEDDED_PLANS["mnist-size"].sample()[:3] == ["2x1:2x1:2x1", "2x1:2x1:8x1", "2x1:2x1:12x1"]
    assert (
        EMBEDDED_PLANS["mnist-topology"].sample()[-1]
        == "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|nor_conv_1x1~0|nor_conv_1x1~1|none~2|"
    )


def test_embedded_plan_is_the_one_that_the_tables_were_trained_with() -> None:
    assert EMBEDDED_PLANS["mnist-size"].model_dump_json() == (
        '{"name":"mnist-size","space":"micro-size","architectures":320,"sample_seed":0,"training":'
        '{"images":"mnist-5k","training_images":1000,"test_images":2000,"epochs":6,"batch_size":50,'
        '"learning_rate":0.1,"momentum":0.9,"weight_decay":0.0005,'
        '"augmentation":{"rotation":20.0,"shift":0.1,"noise":0.4},"seeds":4}}'
    )


def test_more_architectures_than_the_space_holds_are_refused() -> None:
    with pytest.raises(SpaceError, match="5833 architectures asked for, micro-size holds 5832"):
        TablePlan(name="a", space="micro-size", architectures=5833).sample()


def test_space_that_lists_an_architecture_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repeating_space.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpaceError, match="are not distinct"):
        TablePlan(name="a", space="repeating_space:Repeating", architectures=8).sample()


def test_unknown_space_is_refused() -> None:
    with pytest.raises(SpaceError, match="unknown space 'macro'"):
        TablePlan(name="a", space="macro").sample()


def test_plan_builds_on_another_one() -> None:
    base = EMBEDDED_PLANS["mnist-size"]
    plan = make_plan("mine", {"architectures": 20}, {"epochs": 2}, base)
    assert plan.name == "mine"
    assert plan.architectures == 20
    assert plan.training.epochs == 2
    assert plan.space == base.space
    assert plan.training.augmentation == base.training.augmentation


def test_plan_without_changes_is_the_base() -> None:
    base = EMBEDDED_PLANS["mnist-size"]
    assert make_plan("mnist-size", {}, {}, base) == base


def test_own_images_are_kept_by_their_whole_path() -> None:
    plan = make_plan("mine", {"space": "micro-size"}, {"images": "my.npz"})
    assert plan.training.images == str(Path.cwd() / "my.npz")


@pytest.mark.parametrize(
    ("name", "table", "training", "reason"),
    [
        ("mine", {}, {}, "'mine': the field space is missing"),
        ("../mine", {"space": "micro-size"}, {}, "name: .* got '../mine'"),
        ("mine", {"space": "micro-size", "architectures": 3}, {}, "architectures: .* got 3"),
        ("mine", {"space": "micro-size"}, {"epochs": 0}, "training.epochs: .* got 0"),
        ("mine", {"space": "micro-size"}, {"epochs": "many"}, "training.epochs: .* got 'many'"),
        ("mine", {"space": "micro-size"}, {"epoch": 3}, "training.epoch: Extra inputs"),
        ("mine", {"space": "micro-size"}, {"augmentation": {"noise": -1}}, "training.augmentation.noise"),
        ("mine", {"space": "micro-size"}, {"images": 3}, "training.images"),
    ],
)
def test_bad_field_is_named(name: str, table: dict[str, Any], training: dict[str, Any], reason: str) -> None:
    with pytest.raises(TaskError, match=reason):
        make_plan(name, table, training)


def test_images_are_loaded_once_for_a_plan(plan: TablePlan) -> None:
    assert prepared(plan) is prepared(plan.model_copy())
