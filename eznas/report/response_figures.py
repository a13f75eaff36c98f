"""The figures of an analysis: response to sizes, the part of each subtree, scores of several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from eznas.analysis import Axis, Contributions, Response, ResponsePoint, TaskAnalysis
from eznas.program.picture import figure as tree_figure
from eznas.report.style import BEST, EACH, MEDIAN, label, plain_axes, save_figure

_POINT = "#8fa1bd"

# From harm over nothing to help; white where a subtree changes nothing.
_COLOURS = LinearSegmentedColormap.from_list("contribution", [MEDIAN, "#ffffff", BEST])

_LOGARITHMIC_FROM = 100.0
"""Scores, none below 0, that differ by so much are drawn on a logarithmic scale."""

_LEAST_SCALE = 0.05
"""Changes of Kendall tau below it stay pale, however small all others are."""

_UNITS = {
    Axis.CHANNELS: "channels",
    Axis.KERNEL: "kernel height and width",
    Axis.SIDE: "map height and width",
}


def write_response_figure(
    responses: Sequence[Response], folder: Path, repetitions: int, names: Sequence[str] | None = None
) -> list[Path]:
    """Write `response_figure` in every format.

    Raises:
        OSError: The folder cannot be written.
    """
    return save_figure(response_figure(responses, repetitions, names), folder / "response")


def write_task_figures(analysis: TaskAnalysis, folder: Path, suffix: str = "") -> list[Path]:
    """Write the figures of the sections that were asked for, in every format.

    Args:
        analysis: One program on one task.
        folder: Where to.
        suffix: Put at the end of the names, where there are several programs.

    Raises:
        OSError: The folder cannot be written.
    """
    written = []
    if analysis.contributions is not None:
        stem = folder / f"contribution-{analysis.task}{suffix}"
        written += save_figure(contribution_figure(analysis.contributions, analysis.task), stem)
    if analysis.seeds is not None:
        written += save_figure(seeds_figure(analysis), folder / f"seeds-{analysis.task}{suffix}")
    return written


def response_figure(
    responses: Sequence[Response], repetitions: int, names: Sequence[str] | None = None
) -> Figure:
    """Mean score and the interval of 95 % of the scores, against each size (EZNAS, figure 6).

    Args:
        responses: A row for each program, a column for each axis.
        repetitions: Of each size, for the title.
        names: Of the programs, in order; their texts by default.
    """
    programs = list(dict.fromkeys(response.program for response in responses))
    titles = dict(zip(programs, names or [str(program) for program in programs], strict=True))
    columns = list(Axis)
    figure = Figure(figsize=(3.4 * len(columns), 0.5 + 2.8 * len(programs)), layout="constrained")
    panels = figure.subplots(len(programs), len(columns), squeeze=False, sharey="row")
    for response in responses:
        axes = panels[programs.index(response.program), columns.index(response.axis)]
        _draw_response(axes, response)
        if response.axis is columns[0]:
            axes.set_ylabel(f"{label(titles[response.program])}\nscore", fontsize=9)
        if response.program == programs[-1]:
            axes.set_xlabel(_UNITS[response.axis])
    for program, row in zip(programs, panels, strict=True):
        points = [point for response in responses if response.program == program for point in response.points]
        _scale(row[0], points)  # which the whole row shares
    figure.suptitle(
        f"Score of a layer of random tensors: mean, and 95 % of {repetitions:,} repetitions", fontsize=11
    )
    return figure


def _draw_response(axes: Axes, response: Response) -> None:
    sizes = [point.size for point in response.points]
    lows, means, highs = (
        np.array([getattr(point, name) for point in response.points]) for name in ("low", "mean", "high")
    )
    plain_axes(axes)
    if response.axis is Axis.KERNEL:
        axes.set_xlim(min(sizes) - 0.5, max(sizes) + 0.5)
    else:
        axes.set_xscale("log", base=2)
        axes.set_xlim(min(sizes) / 1.2, max(sizes) * 1.2)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.tick_params(labelsize=8)
    if not np.isfinite(means).any():
        axes.text(0.5, 0.5, "no score", transform=axes.transAxes, ha="center", color=MEDIAN)
        return
    axes.fill_between(sizes, lows, highs, color=EACH, alpha=0.6, linewidth=0)
    axes.plot(sizes, means, "o-", color=BEST, ms=4)


def _scale(axes: Axes, points: Sequence[ResponsePoint]) -> None:
    """A logarithmic scale where the figures of a row span orders of magnitude; zeros stand at its end."""
    figures = [figure for point in points if point.scored for figure in (point.low, point.mean, point.high)]
    positive = [figure for figure in figures if figure > 0]
    if not positive or min(figures) < 0 or max(positive) <= _LOGARITHMIC_FROM * min(positive):
        return
    if min(figures) > 0:
        axes.set_yscale("log")
    else:
        axes.set_yscale("symlog", linthresh=min(positive))
        axes.set_ylim(0, 10 * max(positive))


def contribution_figure(found: Contributions, task: str) -> Figure:
    """The program as a tree; the blue subtrees help, the orange ones harm, by the number below each.

    The number is the change of Kendall tau with the better of ones and zeros in the place of the subtree.
    """
    title = f"{task}: Kendall tau {found.tau:+.3f}; below each subtree, its change without it"
    figure = tree_figure(found.program, title)
    (axes,) = figure.axes
    size = found.program.size
    # Edges come first, then a box for each token, and its label.
    boxes = [patch for patch in axes.patches if isinstance(patch, PathPatch)][size - 1 : 2 * size - 1]
    labels = axes.texts[:size]
    changes = found.change_without()
    largest = max([_LEAST_SCALE, *map(abs, changes.values())])
    for index, (box, text) in enumerate(zip(boxes, labels, strict=True)):
        fill = to_hex(_COLOURS(0.5 - 0.5 * changes.get(index, 0.0) / largest))
        box.set_facecolor(fill)
        box.set_edgecolor("#7b8794")
        text.set_color("#ffffff" if sum(to_rgb(fill)) < 1.5 else "#1f2933")
        if index in changes:
            extents = box.get_path().get_extents()
            axes.text(
                (extents.x0 + extents.x1) / 2,
                extents.y0 - 0.015,
                f"{changes[index]:+.3f}".replace("-", "\N{MINUS SIGN}"),
                fontsize=0.65 * float(text.get_fontsize()),
                color="#1f2933",
                ha="center",
                va="top",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            )
    return figure


def seeds_figure(analysis: TaskAnalysis) -> Figure:
    """The scores of every network for every seed, the networks in the order of their mean.

    Raises:
        ValueError: The analysis holds no sensitivity to the seed.
    """
    if analysis.seeds is None:
        raise ValueError("expected an analysis with several seeds")
    found = analysis.seeds
    scores = found.scores[:, np.isfinite(found.scores).all(axis=0)]
    scores = scores[:, np.argsort(scores.mean(axis=0), kind="stable")]
    places = np.arange(1, scores.shape[1] + 1)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    plain_axes(axes)
    if scores.size:
        axes.scatter(
            np.broadcast_to(places, scores.shape), scores, s=9, color=_POINT, linewidths=0, label="each seed"
        )
        axes.plot(places, scores.mean(axis=0), color=BEST, label=f"mean of {len(found.seeds)} seeds")
        axes.legend(frameon=False, loc="upper left")
        if scores.min() > 0 and scores.max() > _LOGARITHMIC_FROM * scores.min():
            axes.set_yscale("log")
    axes.set(xlabel="network, in the order of the mean score", ylabel="score")
    between = np.mean(found.tau_between_seeds)
    with_accuracy = ", ".join(f"{tau:+.2f}" for tau in found.tau_with_accuracy)
    axes.set_title(
        f"{analysis.task}: {label(str(analysis.program))}\n"
        f"mean τ between seeds {between:+.3f}; τ with accuracy by seed {with_accuracy}",
        fontsize=9,
    )
    return figure
