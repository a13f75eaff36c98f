"""The best accuracy of architecture searches against what they trained (EZNAS, figure 4)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eznas.report.style import DISTINCT, OTHER, label, plain_axes, save_figure
from eznas.search import Curve, Method, SearchOutcome, curve

_NAMES: Final = {
    Method.RANDOM: "random search",
    Method.EVOLUTION: "aging evolution",
    Method.WARM_UP: "with warm-up",
    Method.MOVE_FILTER: "with move filter",
    Method.BOTH: "with warm-up and move filter",
}

_COLOURS: Final = dict(
    zip(Method, (DISTINCT[7], DISTINCT[1], DISTINCT[2], DISTINCT[3], DISTINCT[0]), strict=True)
)
"""The same for a method in every figure, whichever others are drawn."""

_HIDDEN_PART: Final = 20
"""The axis begins at the accuracies after a twentieth of the trained networks: the first few rise steeply,
and what tells the methods apart happens within a few per cent below the best."""


def write_search_figure(outcome: SearchOutcome, folder: Path, targets: Sequence[float] = ()) -> list[Path]:
    """Write the figure of a comparison of searches in every format.

    Args:
        outcome: What was searched.
        folder: Where it is written.
        targets: Accuracies in per cent to mark.

    Returns:
        The files written.

    Raises:
        OSError: The folder cannot be written.
    """
    return save_figure(search_figure(outcome, targets), folder / "search")


def search_figure(outcome: SearchOutcome, targets: Sequence[float] = ()) -> Figure:
    """The best accuracy of each method after each trained network: mean, and the interval of the mean."""
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.add_subplot()
    curves = [curve(outcome, method) for method in outcome.methods]
    for of in curves:
        _draw(axes, of)
    best = float(outcome.task.accuracies.max())
    axes.axhline(best, color=OTHER, linewidth=0.9, linestyle="--")
    trained = outcome.settings.trained
    axes.annotate(
        f"best network of the task: {best:.2f} %", (trained, best),
        xytext=(0, 3), textcoords="offset points", ha="right", fontsize=8, color=OTHER,
    )  # fmt: skip
    for target in targets:
        axes.axhline(target, color=OTHER, linewidth=0.6, linestyle=":")
    lowest = min(float(of.low[max(0, trained // _HIDDEN_PART - 1)]) for of in curves)
    room = 0.06 * max(best - lowest, 1e-6)
    axes.set(
        xlabel="trained networks",
        ylabel="best test accuracy (%)",
        xlim=(0, trained),
        ylim=(lowest - room, best + 1.5 * room),
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    axes.set_title(_title(outcome), fontsize=10)
    plain_axes(axes)
    return figure


def _draw(axes: Axes, of: Curve) -> None:
    numbers = range(1, len(of.mean) + 1)
    colour = _COLOURS[of.method]
    axes.plot(numbers, of.mean, color=colour, linewidth=1.6, label=_NAMES[of.method])
    axes.fill_between(numbers, of.low, of.high, color=colour, alpha=0.16, linewidth=0)


def _title(outcome: SearchOutcome) -> str:
    by = "" if outcome.proxy is None else f", proxy {label(outcome.proxy)}"
    repetitions = outcome.settings.repetitions
    return f"{outcome.task.name}{by}: mean of {repetitions} searches, 95 % bootstrap interval of the mean"
