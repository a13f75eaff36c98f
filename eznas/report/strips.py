"""A line of points for each contender, with their mean: what lies behind a cell of a table."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from eznas.report.correlation_table import Cell
from eznas.report.style import DISTINCT, OTHER, label, plain_axes


def draw_strips(axes: Axes, cells: Sequence[Cell | None]) -> None:
    """The value of every test as a point, their mean as a bar; of a single test its interval as a line."""
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        colour = DISTINCT[row % len(DISTINCT)]
        values = [correlation.value for correlation in cell.correlations]
        axes.scatter(values, [row] * len(values), s=16, color=colour, alpha=0.6, linewidths=0)
        axes.scatter([cell.value], [row], s=110, marker="|", color=colour, linewidths=1.8)
        if cell.interval is not None:
            axes.hlines(row, *cell.interval, color=colour, linewidth=0.9)
    axes.axvline(0, color=OTHER, linewidth=0.8)
    plain_axes(axes)


def name_rows(panels: Sequence[Axes], names: Sequence[str]) -> None:
    """Write the names of the lines beside the panels of a column, the first above; they share their axis."""
    for axes in panels:
        axes.set_yticks(range(len(names)), [label(name) for name in names], fontsize=8)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
