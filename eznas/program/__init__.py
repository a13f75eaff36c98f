"""Programs: immutable trees or lists of instructions over terminals, as text, JSON, formula and picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eznas.program.any_program import AnyProgram, canonical_form, parse_program
from eznas.program.latex import latex
from eznas.program.named import NAMED_PROGRAM_NOTES, NAMED_PROGRAM_ORIENTATIONS, NAMED_PROGRAMS
from eznas.program.program import Program
from eznas.program.sequential import SequentialProgram

if TYPE_CHECKING:
    from eznas.program.picture import draw

__all__ = [
    "NAMED_PROGRAMS",
    "NAMED_PROGRAM_NOTES",
    "NAMED_PROGRAM_ORIENTATIONS",
    "AnyProgram",
    "Program",
    "SequentialProgram",
    "canonical_form",
    "draw",
    "latex",
    "parse_program",
]


def __getattr__(name: str) -> Any:
    # Matplotlib takes a second to import, and most runs draw nothing.
    if name == "draw":
        from eznas.program.picture import draw

        return draw
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
