from __future__ import annotations

from hypothesis import find, given, settings
from hypothesis import strategies as st
from strategies_programs import programs

from eznas.program import Program


@given(st.data(), st.integers(0, 5), st.integers(1, 12))
@settings(max_examples=80, deadline=None)
def test_drawn_programs_keep_to_the_limits_and_names(data: st.DataObject, max_height: int, max_size: int):
    strategy = programs(max_height, max_size, terminals=("T3", "T1_D"), operations=("sub", "exp"))
    program = data.draw(strategy)
    assert program.height <= max_height
    assert program.size <= max_size
    assert set(program.tokens) <= {"T3", "T1_D", "sub", "exp"}


def test_drawn_programs_reach_the_limits():
    small = programs(max_height=3, max_size=7, terminals=("T3",), operations=("sub", "exp"))
    assert find(small, lambda program: program.height == 3)
    assert find(small, lambda program: program.size == 7)


def test_drawn_programs_shrink_to_a_lone_terminal():
    assert find(programs(), lambda _: True) == Program.parse("T1_D")
