"""Programs: immutable expression trees of operations over terminals, as text, JSON, formula and picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eznas.program.latex import latex
from eznas.program.named import NAMED_PROGRAM_NOTES, NAMED_PROGRAM_ORIENTATIONS, NAMED_PROGRAMS
from eznas.program.program import Program

if TYPE_CHECKING:
    from eznas.program.picture import draw

__all__ = ["NAMED_PROGRAMS", "NAMED_PROGRAM_NOTES", "NAMED_PROGRAM_ORIENTATIONS", "Program", "draw", "latex"]


def __getattr__(name: str) -> Any:
    # Matplotlib takes a second to import, and most runs draw nothing.
    if name == "draw":
        from eznas.program.picture import draw

        return draw
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
