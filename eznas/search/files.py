"""Outcomes of searches as files: JSON of the figures, CSV of the curves and of every trained network."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eznas.files import write_whole
from eznas.search.searching import SearchOutcome
from eznas.search.summary import curve, reached

CURVES_FILE = "curves.csv"
TRAINED_FILE = "trained.csv"


def search_record(outcome: SearchOutcome, targets: Sequence[float]) -> dict[str, Any]:
    """The figures of all methods, for JSON.

    Args:
        outcome: What was searched.
        targets: Accuracies to reach, in per cent.
    """
    trained = outcome.settings.trained
    methods = []
    for method in outcome.methods:
        of_method = curve(outcome, method)
        methods.append(
            {
                "method": str(method),
                "best_accuracy": asdict(of_method.at(trained)),
                "scored_by_each_search": float(of_method.scored[-1]),
                "trained_to_reach": [
                    {
                        "accuracy": target,
                        "trained": asdict((found := reached(outcome, method, target)).trained),
                        "reached": found.reached,
                        "repetitions": found.repetitions,
                    }
                    for target in targets
                ],
            }
        )
    return {
        "task": outcome.task.name,
        "networks": len(outcome.task.architectures),
        "best_accuracy_of_the_task": float(outcome.task.accuracies.max()),
        "proxy": outcome.proxy,
        "settings": asdict(outcome.settings),
        "scored": outcome.scored,
        "without_score": outcome.without_score,
        "methods": methods,
    }


def write_search_files(outcome: SearchOutcome, folder: Path) -> list[Path]:
    """Write the curves, and every network that was trained.

    Returns:
        The files written.

    Raises:
        OSError: The folder cannot be written.
    """
    curves: list[list[object]] = [["method", "trained", "mean", "low", "high", "scored"]]
    for method in outcome.methods:
        of = curve(outcome, method)
        columns = (range(1, len(of.mean) + 1), of.mean, of.low, of.high, of.scored)
        for trained, *values in zip(*columns, strict=True):
            curves.append([method, trained, *(f"{value:.4f}" for value in values)])
    every: list[list[object]] = [["method", "repetition", "trained", "scored", "architecture", "accuracy"]]
    for of_run in outcome.trajectories:
        rows = zip(of_run.rows.tolist(), of_run.accuracies.tolist(), of_run.scored.tolist(), strict=True)
        for trained, (row, accuracy, scored) in enumerate(rows, start=1):
            architecture = outcome.task.architectures[row]
            every.append([of_run.method, of_run.repetition, trained, scored, architecture, repr(accuracy)])
    files = [folder / CURVES_FILE, folder / TRAINED_FILE]
    for file, lines in zip(files, (curves, every), strict=True):
        write_whole(file, _csv(lines))
    return files


def _csv(lines: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue().encode()
