"""The ways to say how well a contender ranks the networks of a task."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from eznas.errors import ConfigError
from eznas.ranking import Correlation, Ranked
from eznas.suggestion import unknown_name


class Measure(StrEnum):
    """A correlation of scores with accuracies."""

    TAU = "tau"
    RHO = "rho"
    TOP_HALF = "top-half"
    """Kendall tau within the most accurate half of the networks."""
    TOP_TENTH = "top-tenth"
    """Kendall tau within the most accurate tenth."""

    @property
    def heading(self) -> str:
        """In words, as it stands above a table."""
        return _MEASURES[self][0]

    def of(self, ranked: Ranked) -> Correlation:
        """This correlation of a contender."""
        correlation: Correlation = getattr(ranked, _MEASURES[self][1])
        return correlation


_MEASURES: Final = {
    Measure.TAU: ("Kendall tau", "tau"),
    Measure.RHO: ("Spearman rho", "rho"),
    Measure.TOP_HALF: ("Kendall tau within the most accurate half", "tau_top_half"),
    Measure.TOP_TENTH: ("Kendall tau within the most accurate tenth", "tau_top_tenth"),
}
"""The title of each, and its field of `Ranked`."""

EVERY: Final = "all"
"""Stands for every measure."""


def measures(names: Sequence[str]) -> tuple[Measure, ...]:
    """The measures of these names, each once; `all` stands for every one.

    Raises:
        ConfigError: There is no measure of a name.
    """
    for name in names:
        if name != EVERY and name not in list(Measure):
            raise ConfigError(unknown_name("measure", name, map(str, Measure), EVERY))
    return tuple(Measure) if EVERY in names else tuple(dict.fromkeys(map(Measure, names)))
