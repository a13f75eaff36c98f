"""Programs that are scored again are not typed and planned again, whichever evaluator asks."""

from __future__ import annotations

import numpy as np
import pytest
from evaluator_examples import random_network

from eznas.backends.tile import backend as tile
from eznas.evaluator import Evaluator, forget_programs
from eznas.evaluator.typed_programs import CALLS_KEPT
from eznas.program import Program

PROGRAMS = [Program.parse(text) for text in ("mean(exp(T1_D))", "log(T3)")]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    plans: list[object] = []

    def make_plan(*arguments: object, **options: object) -> object:
        plans.append(arguments)
        return original(*arguments, **options)

    original = tile.make_plan
    monkeypatch.setattr(tile, "make_plan", make_plan)
    forget_programs()
    return plans


def test_a_generation_is_planned_once_for_all_its_tasks(planned: list[object]) -> None:
    first = Evaluator([random_network(1)], "tile", memo_bytes=0).score(PROGRAMS)
    before = len(planned)
    second = Evaluator([random_network(2)], "tile", memo_bytes=0).score(PROGRAMS)
    assert len(planned) == before > 0
    assert np.isfinite([first.values, second.values]).all()


def test_programs_are_planned_anew_once_they_are_forgotten(planned: list[object]) -> None:
    evaluator = Evaluator([random_network(1)], "tile", memo_bytes=0)
    evaluator.score(PROGRAMS)
    before = len(planned)
    forget_programs()
    evaluator.score(PROGRAMS)
    assert len(planned) > before


def test_only_the_last_calls_are_kept(planned: list[object]) -> None:
    evaluator = Evaluator([random_network(1)], "tile", memo_bytes=0)
    evaluator.score(PROGRAMS)
    for count in range(CALLS_KEPT):
        evaluator.score([Program(("abs",) * (count + 1) + ("T1_D",))])
    before = len(planned)
    evaluator.score(PROGRAMS)
    assert len(planned) > before


def test_the_order_of_programs_is_theirs(planned: list[object]) -> None:
    evaluator = Evaluator([random_network(1)], "tile", memo_bytes=0)
    forwards, backwards = evaluator.score(PROGRAMS), evaluator.score(PROGRAMS[::-1])
    np.testing.assert_array_equal(forwards.values, backwards.values[::-1])
