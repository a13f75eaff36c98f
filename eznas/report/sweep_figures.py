"""How far the seed and the batch size move Kendall's tau (EZNAS, figures 7 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from eznas.ranking import Comparison
from eznas.report.correlation_table import Cell, comparison_table, distinct_names
from eznas.report.measures import Measure
from eznas.report.strips import draw_strips, name_rows
from eznas.report.style import DISTINCT, label, plain_axes, save_figure

_CONSTANT = ("parameters", "FLOPs")
"""Contenders that neither seed nor batch size changes."""


def write_sweep_figures(comparisons: Sequence[Comparison], folder: Path) -> list[Path]:
    """Write the effect of the seed and of the batch size, each where several were tested.

    Returns:
        The files written.

    Raises:
        OSError: The folder cannot be written.
    """
    written = []
    if len({comparison.settings.seed for comparison in comparisons}) > 1:
        written += save_figure(effect_of_seed(comparisons), folder / "effect-of-seed")
    if len({comparison.settings.batch_size for comparison in comparisons}) > 1:
        written += save_figure(effect_of_batch_size(comparisons), folder / "effect-of-batch-size")
    return written


def effect_of_seed(comparisons: Sequence[Comparison]) -> Figure:
    """Kendall tau of each contender with each seed: a column of panels a task, a row a batch size."""
    tasks, sizes = _tasks(comparisons), _batch_sizes(comparisons)
    names = distinct_names(comparisons[0])
    figure = Figure(
        figsize=(2.4 + 3.2 * len(tasks), len(sizes) * (0.9 + 0.32 * len(names))), layout="constrained"
    )
    panels = figure.subplots(len(sizes), len(tasks), sharex=True, sharey=True, squeeze=False)
    for size, of_size in zip(sizes, panels, strict=True):
        for task, axes in zip(tasks, of_size, strict=True):
            batch = f", batch {size}" if len(sizes) > 1 else ""
            axes.set_title(f"{task}{batch}", fontsize=9)
            draw_strips(axes, _cells(_of(comparisons, task, size)))
    name_rows(panels[:, 0].tolist(), names)
    for axes in panels[-1]:
        axes.set_xlabel("Kendall tau")
    seeds = len({comparison.settings.seed for comparison in comparisons})
    figure.suptitle(f"{seeds} seeds: each a point, their mean a bar", fontsize=10)
    return figure


def effect_of_batch_size(comparisons: Sequence[Comparison]) -> Figure:
    """Kendall tau of each contender over the batch size, a panel a task.

    Bars are the standard deviation over seeds where there are several, else the 95 % bootstrap interval.
    """
    tasks, sizes = _tasks(comparisons), _batch_sizes(comparisons)
    names = distinct_names(comparisons[0])
    figure = Figure(figsize=(2.8 + 3.4 * len(tasks), 3.4), layout="constrained")
    panels = figure.subplots(1, len(tasks), sharey=True, squeeze=False)[0]
    for task, axes in zip(tasks, panels, strict=True):
        of_sizes = [_cells(_of(comparisons, task, size)) for size in sizes]
        for number, cells in enumerate(zip(*of_sizes, strict=True)):
            _line(axes, sizes, cells, number, constant=names[number] in _CONSTANT, contenders=len(names))
        axes.set_title(task, fontsize=9)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(sizes))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("batch size")
        plain_axes(axes)
    panels[0].set_ylabel("Kendall tau")
    handles = [
        Line2D([], [], color=_colour(number), linestyle=_style(name in _CONSTANT), label=label(name))
        for number, name in enumerate(names)
    ]
    figure.legend(handles=handles, frameon=False, loc="outside right upper", fontsize=8)
    several = len({comparison.settings.seed for comparison in comparisons})
    bars = f"mean ± standard deviation over {several} seeds" if several > 1 else "95 % bootstrap intervals"
    figure.suptitle(bars, fontsize=10)
    return figure


def _line(
    axes: Axes,
    sizes: Sequence[int],
    cells: Sequence[Cell | None],
    number: int,
    *,
    constant: bool,
    contenders: int,
) -> None:
    known = [(size, cell) for size, cell in zip(sizes, cells, strict=True) if cell is not None]
    # Moved apart by up to a tenth of a doubling, so that bars do not hide each other.
    apart = 2 ** (0.2 * (number / max(1, contenders - 1) - 0.5))
    bars = None if constant else np.array([_reach(cell) for _, cell in known]).reshape(-1, 2).T
    axes.errorbar(
        [size * (1 if constant else apart) for size, _ in known],
        [cell.value for _, cell in known],
        yerr=bars,
        color=_colour(number),
        linestyle=_style(constant),
        marker=None if constant else "o",
        ms=4, linewidth=1.3, elinewidth=0.8, capsize=2,
    )  # fmt: skip


def _reach(cell: Cell) -> tuple[float, float]:
    """How far the bar reaches below and above the value."""
    if cell.interval is None:
        return (cell.deviation or 0.0,) * 2
    low, high = cell.interval
    # A bootstrap percentile interval need not hold the value.
    return max(0.0, cell.value - low), max(0.0, high - cell.value)


def _colour(number: int) -> str:
    return DISTINCT[number % len(DISTINCT)]


def _style(constant: bool) -> Literal["-", "--"]:
    return "--" if constant else "-"


def _cells(comparisons: Sequence[Comparison]) -> list[Cell | None]:
    """One for each contender, over comparisons of one task and batch size."""
    return [row.cells[0] for row in comparison_table(Measure.TAU, comparisons).rows]


def _of(comparisons: Sequence[Comparison], task: str, batch_size: int) -> list[Comparison]:
    return [
        comparison
        for comparison in comparisons
        if comparison.task == task and comparison.settings.batch_size == batch_size
    ]


def _tasks(comparisons: Sequence[Comparison]) -> list[str]:
    return list(dict.fromkeys(comparison.task for comparison in comparisons))


def _batch_sizes(comparisons: Sequence[Comparison]) -> list[int]:
    return sorted({comparison.settings.batch_size for comparison in comparisons})
