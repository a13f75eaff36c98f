"""The outcome of a run: its best program, the other candidates, and their test on held-out networks."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eznas.errors import RunError
from eznas.files import write_whole
from eznas.program import AnyProgram, parse_program
from eznas.ranking import Comparison
from eznas.ranking.comparison_files import comparison_record, read_comparison, write_scores


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that the run puts forward, and why."""

    roles: tuple[str, ...]
    program: AnyProgram
    fitness: float
    """On all stored networks."""
    orientation: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run has found."""

    candidates: tuple[Candidate, ...]
    """The fittest on all stored networks first."""
    comparisons: tuple[Comparison, ...]
    """One a task, on its held-out networks; the candidates come first and in the same order."""

    @property
    def best(self) -> Candidate:
        """The fittest candidate on all stored networks; the held-out networks play no part in the choice."""
        return self.candidates[0]


def write_outcome(outcome: Outcome, result_file: Path, scores_folder: Path) -> None:
    """Write the outcome as JSON, and for each task a CSV of all scores.

    Raises:
        OSError: The files cannot be written.
    """
    scores_folder.mkdir(exist_ok=True)
    for comparison in outcome.comparisons:
        write_scores(comparison, scores_folder)
    record = {
        "best": _candidate_record(outcome.best),
        "candidates": [_candidate_record(candidate) for candidate in outcome.candidates],
        "held_out": [comparison_record(comparison) for comparison in outcome.comparisons],
    }
    write_whole(result_file, (json.dumps(record, indent=2) + "\n").encode())


def read_outcome(result_file: Path, scores_folder: Path) -> Outcome:
    """Read what `write_outcome` wrote.

    Raises:
        RunError: A file is missing or is not as written.
    """
    try:
        record = json.loads(result_file.read_text(encoding="utf-8"))
        return Outcome(
            candidates=tuple(map(_candidate, record["candidates"])),
            comparisons=tuple(read_comparison(task, scores_folder) for task in record["held_out"]),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise RunError(
            f"cannot read the result {result_file}: {error}; without that file, --resume tests the run again"
        ) from error


def _candidate_record(candidate: Candidate) -> dict[str, Any]:
    return {**asdict(candidate), "program": str(candidate.program)}


def _candidate(record: dict[str, Any]) -> Candidate:
    program = parse_program(record["program"])
    return Candidate(tuple(record["roles"]), program, record["fitness"], record["orientation"])
