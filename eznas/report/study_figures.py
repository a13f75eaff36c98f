"""Correlation tables as pictures: a heat map (EZNAS, figure 11), the tests behind each mean (figure 10)."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eznas.report.correlation_table import CorrelationTable
from eznas.report.strips import draw_strips, name_rows
from eznas.report.style import label

_DARK = 0.55
"""Numbers on a ground of a larger absolute value are white."""


def heat_map(table: CorrelationTable, divided_after: int = 0) -> Figure:
    """The values of a table as coloured squares from -1 to 1, each with its number.

    Args:
        table: The values.
        divided_after: So many rows stand apart from those below them.
    """
    values = np.array(
        [[np.nan if cell is None else cell.value for cell in row.cells] for row in table.rows]
    ).reshape(len(table.rows), len(table.columns))
    size = (3.0 + 0.95 * len(table.columns), 1.7 + 0.42 * len(table.rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    picture = axes.imshow(values, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            _write_number(axes, table, row, column, value)
    if 0 < divided_after < len(table.rows):
        axes.axhline(divided_after - 0.5, color="white", linewidth=5)
    axes.set_xticks(range(len(table.columns)), table.headings, rotation=25, ha="right", fontsize=8)
    axes.set_yticks(range(len(table.rows)), [label(row.name) for row in table.rows], fontsize=8)
    axes.set(xlabel="tested on", ylabel=table.corner)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(picture, ax=axes, shrink=0.8)
    # Squares have room for deviations, not for intervals.
    beside = " ± standard deviation" if max(table.repetitions, default=1) > 1 else ""
    figure.suptitle(table.title(with_intervals=False) + beside, fontsize=10)
    return figure


def _write_number(axes: Axes, table: CorrelationTable, row: int, column: int, value: float) -> None:
    cell = table.rows[row].cells[column]
    deviation = "" if cell is None or cell.deviation is None else f"\n±{cell.deviation:.2f}"
    colour = "white" if abs(value) > _DARK else "black"
    axes.text(column, row, f"{value:+.2f}{deviation}", ha="center", va="center", fontsize=7, color=colour)


def points(table: CorrelationTable) -> Figure:
    """The value of every test of a table as a point, the means as bars, a panel a column."""
    figure = Figure(
        figsize=(2.4 + 3.0 * len(table.columns), 1.3 + 0.32 * len(table.rows)), layout="constrained"
    )
    panels = figure.subplots(1, max(1, len(table.columns)), sharex=True, sharey=True, squeeze=False)[0]
    for column, heading in enumerate(table.headings):
        axes = panels[column]
        axes.set_title(heading, fontsize=9)
        axes.set_xlabel(table.measure.heading)
        draw_strips(axes, [row.cells[column] for row in table.rows])
    name_rows(panels[:1].tolist(), [row.name for row in table.rows])
    meaning = "each test a point, their mean a bar, the 95 % interval of a single one a line"
    figure.suptitle(f"{table.measure.heading}: {meaning}", fontsize=10)
    return figure
