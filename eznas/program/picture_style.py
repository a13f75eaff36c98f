"""How the nodes of a program's picture look: sizes in inches, colours, outlines and lettering."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath

from eznas.ops import OPS, OpKind
from eznas.terminals import TERMINALS

MARGIN: Final = 0.18
NODE_HEIGHT: Final = 0.27
ROW_HEIGHT: Final = 0.50
COLUMN_GAP: Final = 0.14
TITLE_HEIGHT: Final = 0.36
LABEL_SIZE: Final = 9.0  # points, as all letter sizes
TITLE_SIZE: Final = 11.0
BADGE_SIZE: Final = 5.5

EDGE_COLOUR: Final = "#a3acb5"
TITLE_COLOUR: Final = "#1f2933"
BADGE_COLOUR: Final = "#7b8794"

_PADDING: Final = 0.09
_HALF_LETTER: Final = 0.36  # of the letter size
_FONT: Final = "DejaVu Sans"  # ships with matplotlib, so that pictures look the same everywhere
_CODES: Final = [Outline.MOVETO] + 4 * [Outline.LINETO, Outline.CURVE4, Outline.CURVE4, Outline.CURVE4]
_ROUND: Final = 0.5523  # the control points that make a Bézier curve a quarter of a circle


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a node, and the radius of its corners."""

    fill: str
    border: str
    text: str
    corner: float


_KIND_LOOKS: Final = {
    OpKind.MAP: Look("#f1f4f7", "#9aa5b1", "#1f2933", 0.06),
    OpKind.FOLD: Look("#e3f4e6", "#5fa873", "#1c4a2a", 0.06),
    OpKind.SCALE: Look("#f3e8fb", "#a276c4", "#472663", 0.06),
    OpKind.LIBRARY: Look("#fdecec", "#d07a7f", "#6b2226", 0.06),
}
_VALUE_LOOK: Final = Look("#2b6cb0", "#2b6cb0", "#ffffff", NODE_HEIGHT / 2)
_GRADIENT_LOOK: Final = Look("#bf5b04", "#bf5b04", "#ffffff", NODE_HEIGHT / 2)


def look(name: str) -> Look:
    """The look of an operation, by its kind, or of a terminal: value or gradient."""
    if name in OPS:
        return _KIND_LOOKS[OPS[name].kind]
    return _GRADIENT_LOOK if TERMINALS[name].gradient else _VALUE_LOOK


def node_width(name: str) -> float:
    """The width of the node of this name, which fits its label."""
    return max(text_width(name, LABEL_SIZE) + 2 * _PADDING, 1.6 * NODE_HEIGHT)


@lru_cache(maxsize=1024)
def text_width(text: str, size: float) -> float:
    """The width of a line of text at a letter size in points."""
    return (
        float(TextPath((0, 0), text, size=size, prop=FontProperties(family=_FONT)).get_extents().width) / 72
    )


def box(x: float, y: float, width: float, corner: float, height: float = NODE_HEIGHT) -> Outline:
    """The outline of a rectangle around (x, y) with rounded corners."""
    bend = corner * (1 - _ROUND)
    right, top = width / 2, height / 2
    quarter = [
        (right, top - corner),
        (right, top - bend),
        (right - bend, top),
        (right - corner, top),
    ]
    upper_left = [(-px, py) for px, py in reversed(quarter)]
    lower_left = [(-px, -py) for px, py in quarter]
    lower_right = [(px, -py) for px, py in reversed(quarter)]
    points = np.array([lower_right[-1], *quarter, *upper_left, *lower_left, *lower_right])
    return Outline(points + np.array([x, y]), _CODES)


def badge(x: float, y: float, text: str) -> Outline:
    """The outline of a small circle around (x, y), or a pill where the text is longer."""
    height = 0.13
    width = max(height, text_width(text, BADGE_SIZE) + 0.07)
    return box(x, y, width, height / 2, height)


def edge(parent: tuple[float, float], child: tuple[float, float]) -> Outline:
    """A smooth curve from the lower side of the parent to the upper side of the child."""
    start = (parent[0], parent[1] - NODE_HEIGHT / 2)
    end = (child[0], child[1] + NODE_HEIGHT / 2)
    middle = (start[1] + end[1]) / 2
    points = [start, (start[0], middle), (end[0], middle), end]
    return Outline(points, [Outline.MOVETO, Outline.CURVE4, Outline.CURVE4, Outline.CURVE4])


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws on axes whose units are inches, on a figure that is `scale` times as large."""

    axes: Axes
    scale: float

    def outline(self, path: Outline, fill: str, border: str, line_width: float) -> None:
        """Draw an outline; the width of its line is in points, before scaling."""
        width = line_width * self.scale
        patch = PathPatch(path, facecolor=fill, edgecolor=border, linewidth=width, clip_on=False)
        self.axes.add_artist(patch)

    def label(self, x: float, y: float, text: str, size: float, colour: str) -> None:
        """Write a line of text, the middle of its letters at (x, y); the size is in points, unscaled."""
        font = FontProperties(family=_FONT, size=size * self.scale)
        baseline = y - _HALF_LETTER * size / 72
        self.axes.text(x, baseline, text, fontproperties=font, color=colour, ha="center", parse_math=False)
