"""What a run writes down: measured programs, generations and checkpoints, as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final, Self

from eznas.errors import RunError
from eznas.evolution.clock import Phase
from eznas.program import AnyProgram, parse_program
from eznas.ranking import Fitness

# What the first runs did not write down; random programs were counted to their variation.
_LATER_FIELDS: Final = {"subtree_hits": 0, "subtree_misses": 0}
_LATER_PHASES: Final = {"random_programs": 0.0}


class Origin(StrEnum):
    """How a program came into a generation."""

    RANDOM = "random"
    CHILD = "child"


@dataclass(frozen=True, slots=True)
class MeasuredProgram:
    """A program of one generation with the fitness that it had there."""

    generation: int
    program: AnyProgram
    origin: Origin
    fitness: Fitness

    def to_json(self) -> str:
        """One line."""
        return json.dumps(
            {
                "generation": self.generation,
                "program": str(self.program),
                "origin": self.origin,
                "fitness": self.fitness.value,
                "orientation": self.fitness.orientation,
                "taus": self.fitness.taus,
            }
        )

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            RunError: Anything else.
        """
        try:
            record = json.loads(line)
            fitness = Fitness(record["fitness"], record["orientation"], tuple(record["taus"]))
            program = parse_program(record["program"])
            return cls(record["generation"], program, Origin(record["origin"]), fitness)
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"expected the line of a measured program, got {line[:80]!r}") from error


@dataclass(frozen=True, slots=True)
class PhaseSeconds:
    """Wall-clock seconds of one generation by phase."""

    random_programs: float
    """Making them, valid or not."""
    variation: float
    """Selection, crossover and mutation."""
    validity: float
    """Shape inference and evaluation on the probe layers."""
    evaluation: float
    """Scores of the population on the drawn networks."""
    correlation: float
    """Kendall taus."""

    @classmethod
    def of(cls, seconds: Mapping[Phase, float]) -> Self:
        """Those of a clock, rounded; a generation has no time in other phases."""
        return cls(**{field.name: round(seconds[Phase(field.name)], 4) for field in fields(cls)})

    @property
    def total(self) -> float:
        """All phases together."""
        return sum(self.by_phase.values())

    @property
    def by_phase(self) -> Mapping[Phase, float]:
        """The same by the names of the phases."""
        return {Phase(name): seconds for name, seconds in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class GenerationRecord:
    """One generation in figures; one line of the log."""

    generation: int
    best: float
    median: float
    best_program: str
    validity_rate: float
    """The share of valid programs among all that were made to fill this generation."""
    distinct: int
    """Programs that differ in more than the order of commutative arguments."""
    mean_size: float
    drawn: dict[str, list[int]]
    """For each drawn task the positions of the drawn networks among the stored ones."""
    memo_hits: int
    """How many scores of programs on networks were kept from earlier generations."""
    memo_misses: int
    subtree_hits: int
    """How many numbers of subtrees on networks, among those that the missing scores need, were kept."""
    subtree_misses: int
    memo_bytes: int
    """What is kept of programs and subtrees takes so many bytes at the end of the generation."""
    seconds: PhaseSeconds

    @property
    def memo_rate(self) -> float:
        """The share of the scores of programs that were kept from earlier."""
        return _share(self.memo_hits, self.memo_misses)

    @property
    def subtree_rate(self) -> float:
        """The share of the numbers of subtrees that were kept from earlier."""
        return _share(self.subtree_hits, self.subtree_misses)

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            RunError: Anything else.
        """
        try:
            record: dict[str, Any] = json.loads(line)
            seconds = PhaseSeconds(**{**_LATER_PHASES, **record["seconds"]})
            return cls(**{**_LATER_FIELDS, **record, "seconds": seconds})
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"expected the line of a generation, got {line[:80]!r}") from error


def _share(hits: int, misses: int) -> float:
    return hits / max(1, hits + misses)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after a generation; with the measured programs it is all that a run needs to go on."""

    generation: int
    random_state: Any
    """Of `random.Random.getstate`."""

    def to_json(self) -> str:
        """A document."""
        return json.dumps({"generation": self.generation, "random_state": self.random_state})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            RunError: Anything else.
        """
        try:
            record = json.loads(text)
            version, internal, gauss = record["random_state"]
            return cls(int(record["generation"]), (version, tuple(internal), gauss))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"expected a checkpoint, got {text[:80]!r}") from error
