"""What a study found: its table, its record, its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from eznas.evolution import Candidate
from eznas.files import write_whole
from eznas.ranking import Comparison
from eznas.ranking.comparison_files import comparison_record, write_scores
from eznas.report.correlation_table import CorrelationTable, Measured, Note, make_table, missing_scores
from eznas.report.measures import Measure
from eznas.report.study_figures import heat_map, points
from eznas.report.style import save_figure
from eznas.report.tables import write_tables
from eznas.studies.config import EACH_TASK, StudyConfig
from eznas.studies.runs import StudyRun

_COSTS: Final = frozenset({"parameters", "FLOPs"})
"""Contenders of every comparison that no setting changes."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """An evolution of a study, and the best program that it found."""

    run: StudyRun
    folder: Path
    best: Candidate


@dataclass(frozen=True, slots=True)
class StudyTest:
    """The best programs of all runs that are scored in the same way, on all tasks."""

    runs: tuple[FinishedRun, ...]
    comparisons: tuple[Comparison, ...]
    """One a task; the runs come first and in the same order, then the references."""

    @property
    def label(self) -> str:
        """The values of the axis that it is for."""
        return ", ".join(dict.fromkeys(finished.run.label for finished in self.runs))


@dataclass(frozen=True, slots=True)
class StudyOutcome:
    """All runs of a study and their tests."""

    study: StudyConfig
    runs: tuple[FinishedRun, ...]
    tests: tuple[StudyTest, ...]


def study_table(outcome: StudyOutcome, measure: Measure) -> CorrelationTable:
    """A row for each value of the axis, over the seeds, and each reference; a column for each task."""
    corner = "evolved on" if outcome.study.axis == EACH_TASK else outcome.study.axis
    measured = [
        Measured(finished.run.label, comparison.task, ranked)
        for test in outcome.tests
        for comparison in test.comparisons
        for finished, ranked in zip(test.runs, comparison.ranked, strict=False)
    ]
    measured += [
        Measured(
            _reference_row(outcome, test, ranked.name),
            comparison.task,
            ranked,
            None if ranked.program is None else str(ranked.program),
        )
        for test in outcome.tests
        for comparison in test.comparisons
        for ranked in comparison.ranked[len(test.runs) :]
        if ranked.name not in _COSTS
    ]
    measured += [
        Measured(ranked.name, comparison.task, ranked)
        for comparison in outcome.tests[0].comparisons
        for ranked in comparison.ranked
        if ranked.name in _COSTS
    ]
    return make_table(measure, measured, corner, _notes(outcome))


def _notes(outcome: StudyOutcome) -> list[Note]:
    of_runs = {finished.run.name for finished in outcome.runs}
    return [
        note if note.row in of_runs else Note(_reference_row(outcome, test, note.row), note.text)
        for test in outcome.tests
        for note in missing_scores(test.comparisons)
    ]


def _reference_row(outcome: StudyOutcome, test: StudyTest, name: str) -> str:
    return f"{name} ({test.label})" if len(outcome.tests) > 1 and name not in _COSTS else name


def study_record(outcome: StudyOutcome) -> dict[str, Any]:
    """Everything that was found, for JSON."""
    return {
        "study": outcome.study.model_dump(mode="json"),
        "runs": [
            {
                "name": finished.run.name,
                "value": finished.run.label,
                "seed": finished.run.config.seed,
                "program": str(finished.best.program),
                "orientation": finished.best.orientation,
                "fitness": finished.best.fitness,
            }
            for finished in outcome.runs
        ],
        "tests": [
            {"value": test.label, **comparison_record(comparison)}
            for test in outcome.tests
            for comparison in test.comparisons
        ],
    }


def write_study(
    outcome: StudyOutcome, folder: Path, measures: Sequence[Measure], *, with_intervals: bool = True
) -> None:
    """Write the study as JSON, its tables in every format, its figure, and every score.

    Raises:
        OSError: The folder cannot be written.
    """
    write_whole(folder / "study.json", (json.dumps(study_record(outcome), indent=2) + "\n").encode())
    tables = [study_table(outcome, measure) for measure in measures]
    write_tables(tables, folder / "table", with_intervals=with_intervals)
    save_figure(study_figure(outcome), folder / outcome.study.name)
    for number, test in enumerate(outcome.tests, start=1):
        # Files of scores are named by task, batch size and seed alone, which tests may share.
        scores = folder / "scores" / (f"test-{number}" if len(outcome.tests) > 1 else "")
        scores.mkdir(parents=True, exist_ok=True)
        for comparison in test.comparisons:
            write_scores(comparison, scores)


def study_figure(outcome: StudyOutcome) -> Figure:
    """A heat map of tasks evolved on and tested on; for other axes every test behind each mean."""
    table = study_table(outcome, Measure.TAU)
    values = len({finished.run.label for finished in outcome.runs})
    return heat_map(table, values) if outcome.study.axis == EACH_TASK else points(table)
