"""What the held-out test says in a sentence: does the best program rank better than the cost alone?"""

from __future__ import annotations

from dataclasses import dataclass

from eznas.ranking import Comparison


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best program against chance, and against everything else that was compared on one task."""

    task: str
    tau: float
    above_chance: bool
    """Whether the whole interval of the Kendall tau lies above 0."""
    beaten_by: tuple[str, ...]
    """Parameters, FLOPs or named programs with a higher Kendall tau."""

    def __str__(self) -> str:
        chance = "better than chance" if self.above_chance else "NOT better than chance"
        beaten = (
            f"{_listed(self.beaten_by)} rank better" if self.beaten_by else "nothing compared ranks better"
        )
        return f"{self.task}: the best program has tau {self.tau:+.3f}, {chance}; {beaten}"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def verdicts(comparisons: tuple[Comparison, ...], others: frozenset[str]) -> list[Verdict]:
    """One verdict a task.

    Args:
        comparisons: With the best program first.
        others: The names of what the best program is held against.
    """
    return [
        Verdict(
            task=comparison.task,
            tau=comparison.ranked[0].tau.value,
            above_chance=comparison.ranked[0].tau.low > 0,
            beaten_by=tuple(
                ranked.name
                for ranked in comparison.ranked
                if ranked.name in others and ranked.tau.value > comparison.ranked[0].tau.value
            ),
        )
        for comparison in comparisons
    ]
