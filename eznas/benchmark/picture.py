"""The report as one picture: workloads, operations and growth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eznas.benchmark.report import BenchReport
from eznas.errors import ConfigError

FORMATS: Final = (".png", ".svg", ".pdf")

_COLOURS: Final = ("#1f4e9c", "#d1703c", "#4f8f5b", "#8a5a9e", "#9c8a1f", "#5f7390")
_FAINT: Final = "#dddddd"
_LABELS: Final = {
    "ratio": "times faster than eager torch, a tree at a time",
    "growth": "seconds of a first call",
}


def write_picture(report: BenchReport, file: Path) -> None:
    """Draw what was measured into a file, whose suffix says the format.

    Raises:
        ConfigError: The suffix is none of `FORMATS`, or nothing was measured that can be drawn.
        OSError: The file cannot be written.
    """
    if file.suffix not in FORMATS:
        raise ConfigError(f"expected a picture file that ends in {', '.join(FORMATS)}, got {file}")
    panels = [
        panel
        for panel, measured in (
            (_workloads, report.backends or report.peers),
            (_operations, report.operations),
            (_growth, report.growth),
        )
        if measured
    ]
    if not panels:
        raise ConfigError("expected workloads, peers, operations or growth to draw, got none of these parts")
    figure = Figure(figsize=(6.4 * len(panels), 6.4), layout="constrained")
    for position, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), position + 1)
        panel(axes, report)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=_FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
    threads = report.options.threads
    figure.suptitle(
        f"{report.options.networks.count} networks of {report.options.networks.space}, {report.layers} "
        f"layers, {threads} thread{'s' if threads > 1 else ''}; {report.machine.processor}"
    )
    figure.savefig(file, dpi=150)


def _workloads(axes: Axes, report: BenchReport) -> None:
    """The ratio of whole workloads by backend, and of peers on what they can do."""
    names = list(dict.fromkeys([*(t.backend for t in report.backends), *(t.peer for t in report.peers)]))
    workloads = report.options.workloads
    height = 0.8 / max(1, len(workloads))
    for offset, workload in enumerate(workloads):
        found = {t.backend: t.ratio for t in report.backends if t.workload == workload}
        found |= {t.peer: t.ratio for t in report.peers if t.workload == workload and t.rows}
        places = [names.index(name) + offset * height for name in found]
        bars = axes.barh(places, list(found.values()), height * 0.9, color=_colour(offset), label=workload)
        axes.bar_label(bars, fmt="%.2g", fontsize=6, padding=2)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel=_LABELS["ratio"], title="whole workloads, planning counted")
    axes.set_yticks(np.arange(len(names)) + height * (len(workloads) - 1) / 2, names)
    axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=8)


def _operations(axes: Axes, report: BenchReport) -> None:
    """For each operation the ratios on all shapes; the least one filled."""
    ops = list(dict.fromkeys(timing.op for timing in report.operations))
    for offset, backend in enumerate(report.options.backends):
        ratios = [[t.ratio(backend) for t in report.operations if t.op == op] for op in ops]
        rows = np.arange(len(ops)) + 0.12 * offset
        axes.hlines(rows, [min(r) for r in ratios], [max(r) for r in ratios], color=_colour(offset), lw=0.8)
        axes.plot([min(r) for r in ratios], rows, "o", color=_colour(offset), ms=3, label=f"{backend}, least")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel=_LABELS["ratio"], title="operations, least to most over the shapes")
    axes.set_yticks(np.arange(len(ops)), ops, fontsize=7)
    axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=8)


def _growth(axes: Axes, report: BenchReport) -> None:
    """Seconds over the number of programs."""
    for offset, backend in enumerate(report.options.backends):
        points = [p for p in report.growth if p.backend == backend and p.varied == "programs"]
        label = f"{backend}, {points[0].networks} networks" if points else backend
        axes.plot(
            [p.programs for p in points],
            [p.seconds for p in points],
            "o-",
            color=_colour(offset),
            label=label,
        )
    axes.set(xscale="log", yscale="log", xlabel="programs", ylabel=_LABELS["growth"], title="growth")
    axes.legend(frameon=False, fontsize=8)


def _colour(index: int, colours: Sequence[str] = _COLOURS) -> str:
    return colours[index % len(colours)]
