"""Comparisons as files: the correlations as JSON, and a CSV of every score."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from eznas.files import write_whole
from eznas.program import Program
from eznas.ranking.comparison import Comparison, Ranked
from eznas.ranking.correlation import Correlation


def comparison_record(comparison: Comparison) -> dict[str, Any]:
    """The correlations of all contenders, for JSON."""
    return {
        "task": comparison.task,
        "networks": len(comparison.architectures),
        "contenders": [
            {
                "name": ranked.name,
                "program": None if ranked.program is None else str(ranked.program),
                "scored": ranked.scored,
                "kendall_tau": asdict(ranked.tau),
                "spearman_rho": asdict(ranked.rho),
            }
            for ranked in comparison.ranked
        ],
    }


def write_scores(comparison: Comparison, folder: Path) -> Path:
    """Write one row a network: architecture, accuracy, and each contender's oriented score, empty if none.

    Raises:
        OSError: The folder cannot be written.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["architecture", "accuracy", *(ranked.name for ranked in comparison.ranked)])
    for row, architecture in enumerate(comparison.architectures):
        scores = [float(ranked.scores[row]) for ranked in comparison.ranked]
        fields = ["" if np.isnan(score) else repr(score) for score in scores]
        writer.writerow([architecture, repr(float(comparison.accuracies[row])), *fields])
    file = _scores_file(folder, comparison.task)
    write_whole(file, out.getvalue().encode())
    return file


def read_comparison(record: dict[str, Any], scores_folder: Path) -> Comparison:
    """A comparison from its `comparison_record` and the CSV that `write_scores` wrote.

    Raises:
        OSError: The CSV cannot be read.
        KeyError, ValueError, TypeError, IndexError: The record or the CSV is not as written.
    """
    text = _scores_file(scores_folder, record["task"]).read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    columns = np.array([[float(field or "nan") for field in row[1:]] for row in rows]).T
    ranked = tuple(
        Ranked(
            name=contender["name"],
            program=None if contender["program"] is None else Program.parse(contender["program"]),
            scores=scores,
            tau=Correlation(**contender["kendall_tau"]),
            rho=Correlation(**contender["spearman_rho"]),
        )
        for contender, scores in zip(record["contenders"], columns[1:], strict=True)
    )
    return Comparison(record["task"], tuple(row[0] for row in rows), columns[0], ranked)


def _scores_file(folder: Path, task: str) -> Path:
    return folder / f"{task}.csv"
