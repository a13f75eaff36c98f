"""Programs of either representation: trees and sequences of instructions."""

from __future__ import annotations

from typing import TypeAlias

from eznas.program.program import Program
from eznas.program.sequential import SequentialProgram

AnyProgram: TypeAlias = Program | SequentialProgram
"""What can be scored. Both tell text, canonical form, hash, size, terminals and steps."""


def parse_program(text: str) -> AnyProgram:
    """Read the text of a tree such as `mean(abs(T3))`, or of instructions such as `d0 = abs(T3)`.

    Raises:
        ProgramSyntaxError: Neither; the message is about instructions where there is a sign of equality.
    """
    if isinstance(text, str) and "=" in text:
        return SequentialProgram.parse(text)
    return Program.parse(text)


def canonical_form(program: AnyProgram) -> AnyProgram:
    """The same formula in the form by which it is known, which programs of equal formulas share.

    A canonical tree for trees, and for sequential programs whose tree has at most `LARGEST_TREE` nodes;
    for others a canonical sequential program, see `SequentialProgram.canonical`.
    """
    tree = program if isinstance(program, Program) else program.as_tree()
    return program.canonical() if tree is None else tree.canonical()
