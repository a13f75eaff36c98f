"""Draws a program as a tree: operations coloured by kind, terminals by value or gradient."""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from eznas.errors import EznasError
from eznas.files import write_whole
from eznas.program import picture_style as style
from eznas.program.layout import levels, tidy_centres
from eznas.program.program import Program
from eznas.program.repetition import repeated_subtrees

SUFFIXES: Final = (".svg", ".png", ".pdf")
"""The formats that `draw` writes."""

_LONGEST_SIDE: Final = 100.0  # inches; larger trees are drawn smaller, since PDF readers stop at 200
_WIDEST_FORM: Final = 4.0  # width over height; wider trees get higher rows
_MOST_PIXELS: Final = 40e6
_DOTS_PER_INCH: Final = 200.0
_UNDATED: Final = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The tree with a place for every node, in inches from the lower left corner, y upwards."""

    program: Program
    arguments: list[tuple[int, ...]]
    widths: list[float]
    x: list[float]
    y: list[float]
    width: float
    height: float


def draw(program: Program, path: str | os.PathLike[str], title: str | None = None) -> None:
    """Draw the program into a file; the format is that of the suffix, one of `SUFFIXES`.

    The file is there whole or not at all.

    Raises:
        EznasError: The suffix names no known format, or the file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        expected = ", ".join(SUFFIXES)
        raise EznasError(f"expected a picture file that ends in one of {expected}, got {str(target)!r}")
    content = _rendered(figure(program, title), suffix)
    try:
        write_whole(target, content)
    except OSError as error:
        raise EznasError(f"cannot write the picture {str(target)!r}: {error.strerror or error}") from error


def figure(program: Program, title: str | None = None) -> Figure:
    """The program as a tree, the root on top and arguments from left to right; the size follows the tree.

    Boxes are operations, coloured by `OpKind`; pills are terminals, blue for values and orange for
    gradients. A small number at a box marks subtrees that occur more than once: the same number, the
    same subtree.
    """
    drawing = _arrange(program)
    title = " ".join((title or "").split())
    heading = style.TITLE_HEIGHT if title else 0.0
    width = max(drawing.width, style.text_width(title, style.TITLE_SIZE) + 2 * style.MARGIN if title else 0.0)
    height = drawing.height + heading
    scale = min(1.0, _LONGEST_SIDE / max(width, height))
    picture = Figure(figsize=(width * scale, height * scale), facecolor="white")
    axes = picture.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    left = (drawing.width - width) / 2
    axes.set_xlim(left, left + width)
    axes.set_ylim(0.0, height)
    pen = style.Pen(axes, scale)
    _draw_edges(pen, drawing)
    _draw_nodes(pen, drawing)
    _draw_repetitions(pen, drawing)
    if title:
        middle = height - style.MARGIN - style.TITLE_SIZE / 72 / 2
        pen.label(left + width / 2, middle, title, style.TITLE_SIZE, style.TITLE_COLOUR)
    return picture


def _arrange(program: Program) -> _Drawing:
    arguments = program.argument_indices()
    widths = [style.node_width(name) for name in program.tokens]
    depths = levels(arguments)
    centres = tidy_centres(arguments, widths, style.COLUMN_GAP)
    x = [centre + style.MARGIN for centre in centres]
    right = max(centre + width / 2 for centre, width in zip(x, widths, strict=True))
    row_height = max(style.ROW_HEIGHT, right / _WIDEST_FORM / (max(depths) + 1))
    lowest = style.MARGIN + style.NODE_HEIGHT / 2
    y = [lowest + (max(depths) - depth) * row_height for depth in depths]
    return _Drawing(program, arguments, widths, x, y, right + style.MARGIN, y[0] + lowest)


def _draw_edges(pen: style.Pen, drawing: _Drawing) -> None:
    for parent, children in enumerate(drawing.arguments):
        for child in children:
            curve = style.edge((drawing.x[parent], drawing.y[parent]), (drawing.x[child], drawing.y[child]))
            pen.outline(curve, "none", style.EDGE_COLOUR, 1.1)


def _draw_nodes(pen: style.Pen, drawing: _Drawing) -> None:
    nodes = zip(drawing.program.tokens, drawing.x, drawing.y, drawing.widths, strict=True)
    for name, x, y, width in nodes:
        look = style.look(name)
        pen.outline(style.box(x, y, width, look.corner), look.fill, look.border, 0.9)
        pen.label(x, y, name, style.LABEL_SIZE, look.text)


def _draw_repetitions(pen: style.Pen, drawing: _Drawing) -> None:
    for index, number in repeated_subtrees(drawing.program.tokens).items():
        x = drawing.x[index] + drawing.widths[index] / 2
        y = drawing.y[index] + style.NODE_HEIGHT / 2
        pen.outline(style.badge(x, y, str(number)), "white", style.BADGE_COLOUR, 0.7)
        pen.label(x, y, str(number), style.BADGE_SIZE, style.BADGE_COLOUR)


def _rendered(picture: Figure, suffix: str) -> bytes:
    width, height = picture.get_size_inches()
    dots = min(_DOTS_PER_INCH, (_MOST_PIXELS / (width * height)) ** 0.5)
    content = BytesIO()
    picture.savefig(content, format=suffix[1:], dpi=dots, metadata=_UNDATED[suffix])
    return content.getvalue()
