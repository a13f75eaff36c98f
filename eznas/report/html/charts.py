"""The figures of the page: small ones, each of which can be read on a narrow screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from eznas.evolution import GenerationRecord, Phase
from eznas.program import Program
from eznas.program.picture import figure as tree_figure
from eznas.ranking import Comparison, Ranked
from eznas.report.figures import fitness_over_generations
from eznas.report.html.inline_svg import inline_svg
from eznas.report.html.story import RunStory
from eznas.report.style import BEST, EACH, FAINT, MEDIAN, OTHER, plain_axes

PHASE_COLOURS: Final = {
    Phase.KERNELS: "#332288",
    Phase.COLLECTION: "#88ccee",
    Phase.RANDOM_PROGRAMS: "#44aa99",
    Phase.VARIATION: "#117733",
    Phase.VALIDITY: "#999933",
    Phase.EVALUATION: "#ddcc77",
    Phase.CORRELATION: "#cc6677",
    Phase.RECORDS: "#882255",
    Phase.HELD_OUT_TEST: "#aa4499",
}
"""Paul Tol's muted colours, which the colour-blind can tell apart."""
REST_COLOUR: Final = "#bbbbbb"

MOST_POINTS: Final = 1000
"""More networks than this are drawn as a sample: a point takes a hundred bytes, and covers its neighbours."""

PAGE_COLOURS: Final = {
    BEST: "var(--best)",
    MEDIAN: "var(--median)",
    EACH: "var(--each)",
    OTHER: "var(--other)",
    FAINT: "var(--grid)",
    "#000000": "var(--ink)",
    PHASE_COLOURS[Phase.KERNELS]: "var(--kernels)",
}
"""What is too dark or too bright for one of light and dark pages."""
_LETTERS: Final[dict[Any, Any]] = {
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "axes.linewidth": 0.6,
}
_WIDTH: Final = 3.6  # inches: 346 pixels, the width of a small screen


def fitness_chart(story: RunStory) -> Markup:
    """Every program of every generation, with the best and the median."""
    with rc_context(_LETTERS):
        figure = fitness_over_generations(story.generations, story.programs)
        figure.set_size_inches(1.15 * _WIDTH, 2.9)
        figure.axes[0].set_ylabel("fitness")
        count = len(story.generations)
        title = f"Fitness of every program over {count} generations, with the best and the median."
        return inline_svg(figure, "fitness", title, colours=PAGE_COLOURS)


def generation_charts(generations: Sequence[GenerationRecord]) -> list[tuple[str, Markup]]:
    """Headings and figures of what changes from generation to generation."""
    return [
        _lines("validity", "Valid among the programs made", generations,
               {"": [record.validity_rate for record in generations]}, share=True),
        _lines("distinct", "Distinct formulas in the population", generations,
               {"": [record.distinct for record in generations]}),
        _lines("size", "Mean size of a program (operations and statistics)", generations,
               {"": [record.mean_size for record in generations]}),
        _lines("memo", "Kept from earlier generations", generations,
               {"scores of programs": [record.memo_rate for record in generations],
                "numbers of subtrees": [record.subtree_rate for record in generations]}, share=True),
    ]  # fmt: skip


def _lines(
    name: str,
    heading: str,
    generations: Sequence[GenerationRecord],
    lines: dict[str, Sequence[float]],
    *,
    share: bool = False,
) -> tuple[str, Markup]:
    with rc_context(_LETTERS):
        figure, axes = _panel(2.0)
        numbers = [record.generation + 1 for record in generations]
        looks = ((BEST, "o-"), (MEDIAN, "s--"))
        for (label, values), (colour, look) in zip(lines.items(), looks, strict=False):
            axes.plot(numbers, values, look, color=colour, ms=3, lw=1.3, label=label)
        top = max([0.0, *(value for values in lines.values() for value in values)])
        axes.set_ylim(0, 1.02 if share else top * 1.12 + 1e-9)
        if share:
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        if len(lines) > 1:
            axes.legend(frameon=False, loc="upper left")
        _number_generations(axes)
        return heading, inline_svg(figure, name, f"{heading}, by generation.", colours=PAGE_COLOURS)


def seconds_chart(generations: Sequence[GenerationRecord]) -> Markup:
    """Stacked bars: the seconds of every generation by phase."""
    with rc_context(_LETTERS):
        figure, axes = _panel(2.2)
        numbers = [record.generation + 1 for record in generations]
        below = np.zeros(len(generations))
        phases = [phase for phase in Phase if phase in generations[0].seconds.by_phase]
        for phase in phases:
            seconds = np.array([record.seconds.by_phase[phase] for record in generations])
            axes.bar(numbers, seconds, 0.8, below, color=PHASE_COLOURS[phase])
            below += seconds
        axes.set_ylabel("seconds")
        _number_generations(axes)
        return inline_svg(figure, "seconds", "Seconds of every generation by phase.", colours=PAGE_COLOURS)


def score_chart(name: str, ranked: Ranked, comparison: Comparison, *, highlighted: bool) -> Markup:
    """The scores of a contender, as ranks, against the accuracies of the held-out networks of a task."""
    scored = np.flatnonzero(np.isfinite(ranked.scores))
    # Ranks among all networks, since Kendall's tau sees nothing else; equal scores share the highest.
    ranks = np.searchsorted(np.sort(ranked.scores[scored]), ranked.scores[scored], side="right")
    drawn = np.arange(len(scored))
    if len(drawn) > MOST_POINTS:
        drawn = np.random.default_rng(0).choice(drawn, MOST_POINTS, replace=False)
    with rc_context(_LETTERS):
        figure, axes = _panel(2.4)
        colour = BEST if highlighted else OTHER
        axes.scatter(ranks[drawn], comparison.accuracies[scored][drawn], s=7, linewidths=0, color=colour)
        axes.set(xlabel="rank of the score", ylabel="test accuracy (%)")
        title = f"Scores of {ranked.name} against accuracies on {comparison.task}: Kendall tau {ranked.tau}."
        return inline_svg(figure, name, title, colours=PAGE_COLOURS)


def tree_picture(name: str, program: Program) -> Markup:
    """The program as a tree, in its own size."""
    title = f"The program as a tree: {program}"
    return inline_svg(tree_figure(program), name, title, css_class="tree", natural_width=True)


def _panel(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height))
    axes = figure.add_subplot()
    # Fixed margins in inches: a layout that measures every text takes half of the time of a page.
    figure.subplots_adjust(0.56 / _WIDTH, 0.42 / height, 1 - 0.08 / _WIDTH, 1 - 0.1 / height)
    plain_axes(axes)
    return figure, axes


def _number_generations(axes: Axes) -> None:
    axes.set_xlabel("generation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
