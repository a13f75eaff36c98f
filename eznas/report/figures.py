"""The figures of a run: fitness over generations, scores against accuracies, the best program as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eznas.evolution.outcome import Outcome
from eznas.evolution.records import GenerationRecord, MeasuredProgram
from eznas.program import Program, draw
from eznas.ranking import Comparison, Ranked
from eznas.report.style import BEST, EACH, FORMATS, MEDIAN, OTHER, label, plain_axes, save_figure


def write_figures(
    folder: Path,
    generations: Sequence[GenerationRecord],
    programs: Sequence[MeasuredProgram],
    outcome: Outcome,
) -> list[Path]:
    """Write every figure of a run in every format.

    Returns:
        The files written.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(exist_ok=True)
    written = save_figure(fitness_over_generations(generations, programs), folder / "fitness")
    for comparison in outcome.comparisons:
        written += write_comparison_figure(comparison, folder)
    best = outcome.best.program
    tree = best if isinstance(best, Program) else best.as_tree()
    if tree is not None:  # a sequential program may be too large a tree for any picture
        for suffix in FORMATS:
            written.append(folder / f"best-program.{suffix}")
            draw(tree, written[-1])
    return written


def write_comparison_figure(comparison: Comparison, folder: Path) -> list[Path]:
    """Write the figure of `scores_against_accuracies` in every format.

    Raises:
        OSError: The folder cannot be written.
    """
    return save_figure(scores_against_accuracies(comparison), folder / f"scores-{comparison.stem}")


def fitness_over_generations(
    generations: Sequence[GenerationRecord], programs: Sequence[MeasuredProgram]
) -> Figure:
    """The fitness of every program of every generation, with the best and the median."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    numbers = [record.generation + 1 for record in generations]
    # Spread sideways, since many programs share a fitness.
    spread = np.random.default_rng(0).uniform(-0.25, 0.25, len(programs))
    axes.scatter(
        np.array([measured.generation + 1 for measured in programs]) + spread,
        [measured.fitness.value for measured in programs],
        s=9, color=EACH, linewidths=0, label="each program",
    )  # fmt: skip
    axes.plot(numbers, [record.best for record in generations], "o-", color=BEST, ms=4, label="best")
    axes.plot(numbers, [record.median for record in generations], "o-", color=MEDIAN, ms=4, label="median")
    axes.set(xlabel="generation", ylabel="fitness (least Kendall tau over the tasks)", ylim=(-0.02, 1.0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="upper left", ncols=3)
    plain_axes(axes)
    return figure


def scores_against_accuracies(comparison: Comparison) -> Figure:
    """Each contender's scores, as ranks, against the accuracies of the held-out networks of one task."""
    columns = min(3, len(comparison.ranked))
    rows = -(-len(comparison.ranked) // columns)
    figure = Figure(figsize=(3.4 * columns, 3.1 * rows), layout="constrained")
    for position, ranked in enumerate(comparison.ranked):
        axes = figure.add_subplot(rows, columns, position + 1)
        _scatter(axes, ranked, comparison, highlighted=position == 0)
        if position % columns == 0:
            axes.set_ylabel("test accuracy (%)")
        if position + columns >= len(comparison.ranked):
            axes.set_xlabel("rank of the score")
    figure.suptitle(f"{comparison.task}: {len(comparison.architectures)} held-out networks")
    return figure


def _scatter(axes: Axes, ranked: Ranked, comparison: Comparison, *, highlighted: bool) -> None:
    scored = np.isfinite(ranked.scores)
    # Ranks, since Kendall's tau sees nothing else and scores may span many orders of magnitude.
    ranks = np.searchsorted(np.sort(ranked.scores[scored]), ranked.scores[scored], side="right")
    axes.scatter(
        ranks, comparison.accuracies[scored], s=9, linewidths=0, color=BEST if highlighted else OTHER
    )
    axes.set_title(f"{label(ranked.name)}\nτ = {ranked.tau}", fontsize=9)
    plain_axes(axes)
