"""Analyses as records for JSON, and as CSV files."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eznas.analysis.contribution import Contributions
from eznas.analysis.response import Response
from eznas.analysis.seeds import SeedSensitivity
from eznas.analysis.task_analysis import TaskAnalysis
from eznas.analysis.ties import Ties
from eznas.files import write_whole

_POINT = ("size", "repetitions", "scored", "mean", "deviation", "low", "high", "failure")
_TIES = (
    "networks", "scored", "distinct", "distinct_float32", "largest_group", "tied_pairs", "at_lowest",
    "at_highest", "lowest", "highest", "relative_deviation", "float32_steps", "not_scored",
)  # fmt: skip


def response_record(response: Response) -> dict[str, Any]:
    """A response for JSON; figures that there are none of are null."""
    points = [{name: _plain(getattr(point, name)) for name in _POINT} for point in response.points]
    return {"program": str(response.program), "axis": str(response.axis), "points": points}


def task_record(analysis: TaskAnalysis) -> dict[str, Any]:
    """What was learned on a task, for JSON; sections that were not asked for are not in it."""
    record: dict[str, Any] = {
        "task": analysis.task,
        "program": str(analysis.program),
        "networks": len(analysis.architectures),
    }
    if analysis.contributions is not None:
        record["contribution"] = _contributions_record(analysis.contributions)
    if analysis.ties is not None:
        record["ties"] = _ties_record(analysis.ties)
    if analysis.seeds is not None:
        record["seeds"] = _seeds_record(analysis.seeds)
    return record


def write_responses(responses: Sequence[Response], folder: Path) -> Path:
    """Write `response.csv`: one row a program, axis and size.

    Raises:
        OSError: The folder cannot be written.
    """
    rows = [
        [str(response.program), str(response.axis), *(getattr(point, name) for name in _POINT)]
        for response in responses
        for point in response.points
    ]
    return _write(folder / "response.csv", ["program", "axis", *_POINT], rows)


def write_task_analyses(analyses: Sequence[TaskAnalysis], folder: Path) -> list[Path]:
    """Write `contribution.csv`, `ties.csv` and `seeds.csv`, as far as these sections were asked for.

    Raises:
        OSError: The folder cannot be written.
    """
    written = []
    contribution = [row for analysis in analyses for row in _contribution_rows(analysis)]
    if contribution:
        header = ["task", "program", "index", "subtree", "replacement", "by", "scored", "tau", "change",
                  "agreement"]  # fmt: skip
        written.append(_write(folder / "contribution.csv", header, contribution))
    ties = [
        [each.task, str(each.program), *(getattr(each.ties, name) for name in _TIES), _reasons(each.ties)]
        for each in analyses
        if each.ties is not None
    ]
    if ties:
        header = ["task", "program", *_TIES, "failures"]
        written.append(_write(folder / "ties.csv", header, ties))
    seeds = [row for analysis in analyses for row in _seed_rows(analysis)]
    if seeds:
        header = ["task", "program", "architecture", "accuracy", "seed", "score"]
        written.append(_write(folder / "seeds.csv", header, seeds))
    return written


def _contributions_record(found: Contributions) -> dict[str, Any]:
    return {
        "orientation": found.orientation,
        "kendall_tau": found.tau,
        "subtrees": [
            {
                "index": entry.variant.index,
                "subtree": str(entry.variant.subtree),
                "replacement": str(entry.variant.replacement),
                "by": str(entry.variant.by),
                "scored": entry.scored,
                "kendall_tau": entry.tau,
                "change": entry.change,
                "agreement": entry.agreement,
            }
            for entry in found.entries
        ],
    }


def _ties_record(ties: Ties) -> dict[str, Any]:
    return {name: _plain(getattr(ties, name)) for name in _TIES} | {"failures": dict(ties.failures)}


def _seeds_record(seeds: SeedSensitivity) -> dict[str, Any]:
    return {
        "seeds": list(seeds.seeds),
        "scored": seeds.scored,
        "deviation_over_seeds": _plain(seeds.deviation_over_seeds),
        "deviation_over_networks": _plain(seeds.deviation_over_networks),
        "tau_between_seeds": list(seeds.tau_between_seeds),
        "tau_with_accuracy": list(seeds.tau_with_accuracy),
        "tau_of_mean": seeds.tau_of_mean,
    }


def _contribution_rows(analysis: TaskAnalysis) -> list[list[Any]]:
    if analysis.contributions is None:
        return []
    return [
        [
            analysis.task,
            str(analysis.program),
            entry.variant.index,
            str(entry.variant.subtree),
            str(entry.variant.replacement),
            str(entry.variant.by),
            entry.scored,
            entry.tau,
            entry.change,
            entry.agreement,
        ]
        for entry in analysis.contributions.entries
    ]


def _seed_rows(analysis: TaskAnalysis) -> list[list[Any]]:
    if analysis.seeds is None:
        return []
    return [
        [analysis.task, str(analysis.program), architecture, float(accuracy), seed, float(score)]
        for column, (architecture, accuracy) in enumerate(
            zip(analysis.architectures, analysis.accuracies, strict=True)
        )
        for seed, score in zip(analysis.seeds.seeds, analysis.seeds.scores[:, column], strict=True)
    ]


def _reasons(ties: Ties) -> str:
    return "; ".join(f"{reason}: {count}" for reason, count in ties.failures)


def _plain(value: Any) -> Any:
    """JSON knows neither NaN nor infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """A field that is None or NaN is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow("" if isinstance(field, float) and math.isnan(field) else field for field in row)
    write_whole(path, out.getvalue().encode())
    return path
