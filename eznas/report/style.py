"""What all figures share: formats, colours, plain axes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

FORMATS: Final = ("png", "svg")

BEST: Final = "#1f4e9c"
MEDIAN: Final = "#d1703c"
EACH: Final = "#b8c4d6"
OTHER: Final = "#5f7390"
FAINT: Final = "#dddddd"

DISTINCT: Final = ("#1f4e9c", "#d1703c", "#3a8a5c", "#8c5aa8", "#b8912b", "#4aa3b5", "#a8404c", "#6d6d6d")
"""Colours of lines that must be told apart."""

LONG_LABEL: Final = 34
"""Longer names are shortened in figures: they stand in full in the tables."""


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure in every format.

    Raises:
        OSError: The folder cannot be written.
    """
    files = [stem.with_name(f"{stem.name}.{suffix}") for suffix in FORMATS]
    for file in files:
        figure.savefig(file, dpi=150)
    return files


def plain_axes(axes: Axes) -> None:
    """No frame above and to the right, and a faint grid behind everything."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def label(name: str) -> str:
    """A name, shortened where it is too long for a figure."""
    return name if len(name) <= LONG_LABEL else f"{name[: LONG_LABEL - 1]}…"
