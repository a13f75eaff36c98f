"""Hypothesis strategies for programs; well-formed, but their shapes may not fit."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from eznas.ops import OPS
from eznas.program import Program
from eznas.terminals import TERMINALS


@st.composite
def programs(
    draw: st.DrawFn,
    max_height: int = 6,
    max_size: int = 40,
    terminals: Sequence[str] = tuple(TERMINALS),
    operations: Sequence[str] = tuple(OPS),
) -> Program:
    """Any well-formed program over the given names; it shrinks towards the first terminal alone."""
    one_argument = [name for name in operations if OPS[name].arity == 1]
    tokens: list[str] = []
    budgets = [max_height]
    while budgets:
        budget = budgets.pop()
        room = max_size - len(tokens) - len(budgets) - 1
        fitting = operations if room > 1 else one_argument if room == 1 else ()
        if budget and fitting and draw(st.integers(0, 3)):
            name = draw(st.sampled_from(fitting))
            budgets.extend([budget - 1] * OPS[name].arity)
        else:
            name = draw(st.sampled_from(terminals))
        tokens.append(name)
    return Program(tuple(tokens))
