"""What a run folder tells: its settings, generations, programs, and its end where it has come to one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from eznas.errors import RunError
from eznas.evolution import EvolutionConfig, GenerationRecord, Outcome, Phase, RunFolder, RunSeconds
from eznas.evolution.outcome import read_outcome
from eznas.evolution.records import MeasuredProgram, Origin
from eznas.program import NAMED_PROGRAMS, AnyProgram, canonical_form
from eznas.report.verdict import Verdict, verdicts

HELD_AGAINST = frozenset({*NAMED_PROGRAMS, "parameters", "FLOPs"})
"""What the best program is held against in the verdicts."""


@dataclass(frozen=True, slots=True)
class KnownProgram:
    """A formula of a run, over all the generations that it was in."""

    program: AnyProgram
    fitness: float
    """The highest that it ever had; on the networks drawn for one generation, so that it is partly luck."""
    orientation: int
    """1 where higher scores mean higher accuracy, -1 where lower ones do, when it had that fitness."""
    first_generation: int
    """Counted from 0."""
    origin: Origin
    """How it came into its first generation."""
    times: int
    """How often it was measured."""


@dataclass(frozen=True, slots=True)
class RunStory:
    """A run as far as it has come."""

    folder: Path
    config: EvolutionConfig
    generations: tuple[GenerationRecord, ...]
    programs: tuple[MeasuredProgram, ...]
    """All that were measured, generation by generation."""
    known: tuple[KnownProgram, ...]
    """The distinct formulas among them, the fittest first."""
    outcome: Outcome | None
    """None of an unfinished run."""
    seconds: RunSeconds | None
    """None of an unfinished run, and of one made before runs wrote their seconds down."""

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end, the held-out test included."""
        return self.outcome is not None

    @property
    def verdicts(self) -> list[Verdict]:
        """What the held-out test says, one a task; none of an unfinished run."""
        return [] if self.outcome is None else verdicts(self.outcome.comparisons, HELD_AGAINST)

    @property
    def phases(self) -> Mapping[Phase, float]:
        """Seconds by phase; of the generations alone where the whole run's were not written down."""
        if self.seconds is not None:
            return self.seconds.phases
        totals = dict.fromkeys(Phase, 0.0)
        for record in self.generations:
            for phase, seconds in record.seconds.by_phase.items():
                totals[phase] += seconds
        return totals

    @property
    def everything(self) -> float:
        """The seconds of the run; of its generations alone where the whole run's were not written down."""
        return self.seconds.everything if self.seconds is not None else sum(self.phases.values())

    def born(self, program: AnyProgram) -> KnownProgram | None:
        """What is known of a formula, or None where the run never measured it."""
        form = canonical_form(program)
        return next((known for known in self.known if known.program == form), None)


def read_story(folder: Path | str) -> RunStory:
    """Read a run folder, finished or not; nothing is changed in it.

    Raises:
        RunError: The folder holds no run, or a file of it is not as written.
        ConfigError: The configuration was altered to something invalid.
    """
    run = RunFolder(Path(folder))
    config = run.config()
    try:
        generations = tuple(run.generations())
        # The programs of a generation are written before its record, which a kill may come between.
        last = generations[-1].generation if generations else -1
        programs = tuple(program for program in run.programs() if program.generation <= last)
        outcome = read_outcome(run.result_file, run.scores) if run.result_file.exists() else None
        seconds = run.seconds()
    except OSError as error:
        raise RunError(f"cannot read the run in {folder}: {error.strerror or error}") from error
    known = _known_programs(programs)
    return RunStory(run.path, config, generations, programs, known, outcome, seconds)


def _known_programs(programs: Iterable[MeasuredProgram]) -> tuple[KnownProgram, ...]:
    form = cache(canonical_form)
    by_form: dict[AnyProgram, list[MeasuredProgram]] = {}
    for measured in programs:
        by_form.setdefault(form(measured.program), []).append(measured)
    known = [_known(program, of_form) for program, of_form in by_form.items()]
    return tuple(sorted(known, key=lambda program: -program.fitness))


def _known(program: AnyProgram, measured: Sequence[MeasuredProgram]) -> KnownProgram:
    first = measured[0]
    fittest = max(measured, key=lambda each: each.fitness.value)
    return KnownProgram(
        program=program,
        fitness=fittest.fitness.value,
        orientation=fittest.fitness.orientation,
        first_generation=first.generation,
        origin=first.origin,
        times=len(measured),
    )
