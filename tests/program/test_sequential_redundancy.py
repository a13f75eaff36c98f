"""Counts of dead and repeated code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies_sequential import doublings, sequential_programs

from eznas.program import SequentialProgram
from eznas.program.sequential import measure_redundancy


def test_dead_repeated_and_shared_code_is_counted():
    texts = (
        "d0 = abs(T3); d1 = abs(T3); d2 = add(d0, d1); d3 = exp(T3); s0 = mean(d2)",
        "d0 = abs(T3); d0 = abs(T3); d0 = sign(d0)",
        "d5 = abs(T3); d7 = sign(d5)",
    )
    found = measure_redundancy(list(map(SequentialProgram.parse, texts)))
    assert (found.programs, found.instructions, found.live, found.operations) == (3, 10, 8, 7)
    assert (found.sharing, found.formulas) == (1, 2)
    assert found.dead_share == pytest.approx(0.2)
    assert found.repeated_share == pytest.approx(1 / 8)
    assert (found.mean_length, found.mean_live) == pytest.approx((10 / 3, 8 / 3))
    assert (found.sharing_share, found.formula_share) == pytest.approx((1 / 3, 2 / 3))


@given(st.lists(sequential_programs(), min_size=1, max_size=4))
def test_without_dead_code_nothing_else_changes(programs):
    found = measure_redundancy(programs)
    alive = measure_redundancy([program.without_dead_code() for program in programs])
    assert alive.dead_share == 0
    assert (alive.live, alive.operations, alive.sharing, alive.formulas) == (
        found.live,
        found.operations,
        found.sharing,
        found.formulas,
    )
    canonical = measure_redundancy([program.canonical() for program in programs])
    assert (canonical.dead_share, canonical.repeated_share) == (0, 0)


def test_a_program_of_a_large_tree_is_counted():
    found = measure_redundancy([doublings(60)])
    assert (found.live, found.operations, found.sharing) == (62, 62, 1)
