"""Programs of elementwise operations under a final mean, as the infix formulas of other evaluators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eznas.ops import OPS
from eznas.program import Program

_MEANS = ("mean", "l1_norm")
_LONGEST = 4_000
"""Formulas that write an argument twice double with each level; longer ones are left out."""


@dataclass(frozen=True, slots=True)
class Formula:
    """What is computed for each element; the score is the mean of it."""

    text: str
    terminals: tuple[str, ...]


def formula(program: Program, templates: Mapping[str, str]) -> Formula | None:
    """The formula of a program, or None where it holds other operations or would be too long.

    Args:
        program: The program; a mean at its root is the final mean.
        templates: For each operation that is to be had, its format string.
    """
    tokens = program.tokens
    # The mean of a mean is itself.
    while tokens[0] == "mean":
        tokens = tokens[1:]
    if tokens[0] in _MEANS:
        tokens = ("abs", *tokens[1:])
    waiting: list[str] = []
    for name in reversed(tokens):
        if name not in OPS:
            waiting.append(name)
            continue
        if name not in templates:
            return None
        waiting.append(templates[name].format(*[waiting.pop() for _ in range(OPS[name].arity)]))
        if len(waiting[-1]) > _LONGEST:
            return None
    return Formula(waiting.pop(), program.terminals)
