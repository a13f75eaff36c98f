"""Where the time of a run goes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from eznas.errors import RunError


class Phase(StrEnum):
    """What a run spends its time on, in the order of its first time."""

    KERNELS = "kernels"
    """Loading the kernels, or compiling them."""
    COLLECTION = "collection"
    """The statistics of the stored networks, collected or opened."""
    RANDOM_PROGRAMS = "random_programs"
    """Making them, valid or not."""
    VARIATION = "variation"
    """Selection, crossover and mutation."""
    VALIDITY = "validity"
    """Shape inference, and evaluation on the probe layers."""
    EVALUATION = "evaluation"
    """Scores on stored networks."""
    CORRELATION = "correlation"
    """Kendall taus of the scores."""
    RECORDS = "records"
    """Writing generations and the outcome, and reading them again."""
    HELD_OUT_TEST = "held_out_test"
    """Statistics, scores and correlations of the held-out networks."""


@dataclass(slots=True)
class Clock:
    """Adds up the seconds of each phase, whose times must not overlap."""

    seconds: dict[Phase, float] = field(default_factory=lambda: dict.fromkeys(Phase, 0.0))
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def measuring(self, phase: Phase) -> Iterator[None]:
        """Count the time of a block to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] += time.perf_counter() - started

    def add(self, seconds: Mapping[Phase, float]) -> None:
        """Count what another clock has measured meanwhile."""
        for phase, more in seconds.items():
            self.seconds[phase] += more

    def elapsed(self) -> float:
        """The seconds since this clock was made, whatever they were spent on."""
        return time.perf_counter() - self.started


@dataclass(frozen=True, slots=True)
class RunSeconds:
    """The wall-clock seconds of a whole run by phase.

    Of a run that was ended and resumed they are those of its generations, whichever process made them, and
    of everything else in the process that brought it to its end.
    """

    phases: Mapping[Phase, float]
    everything: float
    """The phases together, and the little that belongs to none."""

    @classmethod
    def added_up(cls, clock: Clock, earlier: Iterable[Mapping[Phase, float]]) -> Self:
        """The time of a process, and of generations that earlier processes made."""
        phases = dict(clock.seconds)
        everything = clock.elapsed()
        for generation in earlier:
            for phase, seconds in generation.items():
                phases[phase] += seconds
                everything += seconds
        return cls(phases, everything)

    def to_json(self) -> str:
        """A document."""
        record = {str(phase): round(seconds, 4) for phase, seconds in self.phases.items()}
        return json.dumps({**record, "everything": round(self.everything, 4)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            RunError: Anything else.
        """
        try:
            record = json.loads(text)
            return cls({phase: float(record[phase]) for phase in Phase}, float(record["everything"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"expected the seconds of a run by phase, got {text[:80]!r}") from error
