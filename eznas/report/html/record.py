"""The figures of a report for other programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from eznas.evolution import Candidate
from eznas.ranking.comparison_files import comparison_record
from eznas.report.energy import Footprint
from eznas.report.html.page import FITTEST
from eznas.report.html.story import KnownProgram, RunStory


def report_record(story: RunStory, footprint: Footprint, cores_from: str) -> dict[str, Any]:
    """What the page shows, for JSON; see `render_page` for the arguments."""
    candidates = () if story.outcome is None else story.outcome.candidates
    comparisons = () if story.outcome is None else story.outcome.comparisons
    return {
        "run": str(story.folder),
        "finished": story.finished,
        "config": story.config.model_dump(mode="json"),
        "generations": [
            {
                "generation": record.generation,
                "best": record.best,
                "median": record.median,
                "best_program": record.best_program,
                "validity_rate": record.validity_rate,
                "distinct": record.distinct,
                "mean_size": record.mean_size,
                "memo_rate": record.memo_rate,
                "subtree_rate": record.subtree_rate,
                "memo_bytes": record.memo_bytes,
                "seconds": asdict(record.seconds),
            }
            for record in story.generations
        ],
        "programs_measured": len(story.programs),
        "programs_distinct": len(story.known),
        "fittest": [_known_record(known) for known in story.known[:FITTEST]],
        "candidates": [_candidate_record(story, candidate) for candidate in candidates],
        "held_out": [comparison_record(comparison) for comparison in comparisons],
        "verdicts": [{**asdict(verdict), "text": str(verdict)} for verdict in story.verdicts],
        "seconds": {
            "whole_run": story.seconds is not None,
            "everything": story.everything,
            **{str(phase): seconds for phase, seconds in story.phases.items()},
        },
        "energy": {
            "kilowatt_hours": footprint.kilowatt_hours,
            "grams_co2e": footprint.grams,
            "watts": footprint.watts,
            "seconds": footprint.seconds,
            "cores": footprint.cores,
            "cores_from": cores_from,
            **asdict(footprint.assumptions),
        },
    }


def _known_record(known: KnownProgram) -> dict[str, Any]:
    return {**asdict(known), "program": str(known.program), "size": known.program.size}


def _candidate_record(story: RunStory, candidate: Candidate) -> dict[str, Any]:
    known = story.born(candidate.program)
    return {
        "roles": list(candidate.roles),
        "program": str(candidate.program),
        "fitness": candidate.fitness,
        "orientation": candidate.orientation,
        "born_in_generation": None if known is None else known.first_generation,
    }
