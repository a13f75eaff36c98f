"""Programs that are scored again are not typed and planned again by evaluators that share a backend."""

from __future__ import annotations

import numpy as np
import pytest
from evaluator_examples import random_network

from eznas.backends import Backend, get_backend
from eznas.backends.tile import backend as tile
from eznas.evaluator import Evaluator
from eznas.evaluator.typed_programs import CALLS_KEPT
from eznas.program import Program

PROGRAMS = [Program.parse(text) for text in ("mean(exp(T1_D))", "log(T3)")]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    plans: list[object] = []

    def make_plan(*arguments: object) -> object:
        plans.append(arguments)
        return original(*arguments)

    original = tile.make_plan
    monkeypatch.setattr(tile, "make_plan", make_plan)
    return plans


def evaluator(seed: int, backend: Backend) -> Evaluator:
    return Evaluator([random_network(seed)], backend, memo_bytes=0)


def test_a_generation_is_planned_once_for_all_its_tasks(planned: list[object]) -> None:
    backend = get_backend("tile")
    first = evaluator(1, backend).score(PROGRAMS)
    before = len(planned)
    second = evaluator(2, backend).score(PROGRAMS)
    assert len(planned) == before > 0
    assert np.isfinite([first.values, second.values]).all()
    assert (first.values != second.values).all()


def test_another_backend_plans_for_itself(planned: list[object]) -> None:
    evaluator(1, get_backend("tile")).score(PROGRAMS)
    before = len(planned)
    evaluator(1, get_backend("tile")).score(PROGRAMS)
    assert len(planned) == 2 * before


def test_only_the_last_calls_are_kept(planned: list[object]) -> None:
    scoring = evaluator(1, get_backend("tile"))
    scoring.score(PROGRAMS)
    for count in range(CALLS_KEPT):
        scoring.score([Program(("log",) * (count + 1) + ("T1_D",))])
    before = len(planned)
    scoring.score(PROGRAMS)
    assert len(planned) > before


def test_programs_in_another_order_get_their_own_scores() -> None:
    scoring = evaluator(1, get_backend("tile"))
    forwards, backwards = scoring.score(PROGRAMS), scoring.score(PROGRAMS[::-1])
    np.testing.assert_array_equal(forwards.values, backwards.values[::-1])
