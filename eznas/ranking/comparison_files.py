"""Comparisons as files: the correlations as JSON, and a CSV of every score."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from eznas.files import write_whole
from eznas.program import parse_program
from eznas.ranking.comparison import Comparison, Ranked
from eznas.ranking.correlation import Correlation
from eznas.ranking.scoring import StatisticsSettings

_CORRELATIONS: Final = {
    "kendall_tau": "tau",
    "spearman_rho": "rho",
    "kendall_tau_top_half": "tau_top_half",
    "kendall_tau_top_tenth": "tau_top_tenth",
}
"""The correlations of a contender: their keys in records, and their fields."""


def comparison_record(comparison: Comparison) -> dict[str, Any]:
    """The correlations of all contenders, for JSON."""
    return {
        "task": comparison.task,
        "settings": asdict(comparison.settings),
        "networks": len(comparison.architectures),
        "contenders": [
            {
                "name": ranked.name,
                "program": None if ranked.program is None else str(ranked.program),
                "scored": ranked.scored,
                "reasons": [list(reason) for reason in ranked.reasons],
                **{key: asdict(getattr(ranked, field)) for key, field in _CORRELATIONS.items()},
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
    file = _scores_file(folder, comparison)
    write_whole(file, out.getvalue().encode())
    return file


def read_comparison(record: dict[str, Any], scores_folder: Path) -> Comparison:
    """A comparison from its `comparison_record` and the CSV that `write_scores` wrote.

    Raises:
        OSError: The CSV cannot be read.
        KeyError, ValueError, TypeError, IndexError: The record or the CSV is not as written.
    """
    settings = StatisticsSettings(**record["settings"])
    bare = Comparison(record["task"], settings, (), np.empty(0), ())
    rows = list(csv.reader(_scores_file(scores_folder, bare).read_text(encoding="utf-8").splitlines()))[1:]
    columns = np.array([[float(field or "nan") for field in row[1:]] for row in rows]).T
    ranked = tuple(
        Ranked(
            name=contender["name"],
            program=None if contender["program"] is None else parse_program(contender["program"]),
            scores=scores,
            reasons=tuple((str(reason), int(count)) for reason, count in contender.get("reasons", ())),
            **{field: Correlation(**contender[key]) for key, field in _CORRELATIONS.items()},
        )
        for contender, scores in zip(record["contenders"], columns[1:], strict=True)
    )
    return replace(bare, architectures=tuple(row[0] for row in rows), accuracies=columns[0], ranked=ranked)


def _scores_file(folder: Path, comparison: Comparison) -> Path:
    return folder / f"{comparison.stem}.csv"
