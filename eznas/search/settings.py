"""How architectures are searched for: the methods to compare, and their sizes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eznas.errors import ConfigError


class Method(StrEnum):
    """A way to choose the next network to train."""

    RANDOM = "random"
    """Any network that was not trained yet."""
    EVOLUTION = "evolution"
    """Aging evolution (Real et al., 2019): a mutation of the best of a sample of the latest networks."""
    WARM_UP = "warm-up"
    """Evolution that begins with the best of many random networks by scores (Abdelfattah et al., 2021)."""
    MOVE_FILTER = "move-filter"
    """Evolution that trains the best of several mutations by their scores (Abdelfattah et al., 2021)."""
    BOTH = "both"
    """Evolution with warm-up and move filter."""

    @property
    def warms_up(self) -> bool:
        """Whether the first population is chosen by scores."""
        return self in (Method.WARM_UP, Method.BOTH)

    @property
    def filters_moves(self) -> bool:
        """Whether mutations are chosen by scores."""
        return self in (Method.MOVE_FILTER, Method.BOTH)


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The sizes of a comparison of searches.

    Attributes:
        trained: the networks that each search trains.
        repetitions: searches of each method, each with random numbers of its own.
        population: the latest networks, of which parents are drawn.
        sample: the networks drawn from the population, with replacement; the best is the parent.
        warm_up: the random networks that a warm-up scores.
        candidates: the mutations that a move filter scores.
        pool: warm-ups of all repetitions draw from so many networks, so that fewer are scored in all; None
            draws from all networks of the task.
        seed: decides everything random.
    """

    trained: int = 300
    repetitions: int = 10
    population: int = 50
    sample: int = 10
    warm_up: int = 1000
    candidates: int = 5
    pool: int | None = None
    seed: int = 0

    def check(self, networks: int) -> None:
        """Refuse sizes that do not fit each other, or a task of so many networks.

        Raises:
            ConfigError: Names the size, what was expected and what came.
        """
        drawn_from = networks if self.pool is None else self.pool
        for name, least, most, limit in (
            ("trained", 1, networks, "the networks of the task"),
            ("repetitions", 1, None, ""),
            ("population", 1, self.trained, "the trained networks"),
            ("sample", 1, None, ""),
            ("pool", self.population, networks, "the networks of the task"),
            ("warm_up", self.population, drawn_from, "the networks to draw from"),
            ("candidates", 1, None, ""),
            ("seed", 0, None, ""),
        ):
            value: int | None = getattr(self, name)
            if value is None or (value >= least and (most is None or value <= most)):
                continue
            reach = f"from {least} on" if most is None else f"from {least} to {most} ({limit})"
            raise ConfigError(f"expected {name.replace('_', '-')} {reach}, got {value}")


_TRAINED_PART: Final = 4
_SCORED_PART: Final = 2


def fitting_sizes(networks: int, trained: int | None = None, pool: int | None = None) -> dict[str, int]:
    """The sizes of `SearchSettings` for a task of so many networks.

    They are the default where the task is large enough. A quarter of the networks is trained at most and
    half of them scored by a warm-up, since a search through all of a small table finds the best in any way.

    Args:
        networks: Of the task.
        trained: What each search trains, where it is decided.
        pool: What warm-ups draw from, where it is decided.
    """
    default = SearchSettings()
    decided = trained or min(default.trained, max(1, networks // _TRAINED_PART))
    population = min(default.population, max(1, decided // _TRAINED_PART))
    return {
        "trained": decided,
        "population": population,
        "sample": min(default.sample, max(1, population // 2)),
        "warm_up": min(default.warm_up, pool or max(population, networks // _SCORED_PART)),
    }
