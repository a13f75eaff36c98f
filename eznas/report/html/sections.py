"""What the other sections of the page show, ready to be laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from eznas.evolution import EvolutionConfig
from eznas.ranking import Comparison, Correlation
from eznas.report.html.charts import MOST_POINTS, PAGE_COLOURS, PHASE_COLOURS, REST_COLOUR, score_chart
from eznas.report.html.story import RunStory


@dataclass(frozen=True, slots=True)
class Row:
    """A contender in the test on one task."""

    name: str
    is_candidate: bool
    correlations: tuple[Correlation, ...]
    """In the order of `MEASURES`."""
    scored: int
    chart: Markup | None
    """Scores against accuracies; None where no network has a score."""
    reasons: tuple[tuple[str, int], ...]
    """Why networks have no score, and how many for each reason."""

    @property
    def tau(self) -> Correlation:
        """The Kendall tau."""
        return self.correlations[0]


@dataclass(frozen=True, slots=True)
class TaskSection:
    """The held-out test on one task."""

    task: str
    networks: int
    rows: tuple[Row, ...]
    sampled: int | None
    """How many networks each figure shows, where it does not show all."""

    @property
    def drawn_candidates(self) -> list[Row]:
        """The candidates that have a figure."""
        return [row for row in self.rows if row.chart is not None and row.is_candidate]

    @property
    def drawn_others(self) -> list[Row]:
        """What they are compared with, as far as it has a figure."""
        return [row for row in self.rows if row.chart is not None and not row.is_candidate]


MEASURES: Final = ("Kendall tau", "Spearman rho", "tau, top half", "tau, top tenth")


def task_sections(story: RunStory) -> list[TaskSection]:
    """One a task; none of an unfinished run."""
    if story.outcome is None:
        return []
    candidates = len(story.outcome.candidates)
    return [
        _task_section(number, comparison, candidates)
        for number, comparison in enumerate(story.outcome.comparisons, 1)
    ]


def _task_section(number: int, comparison: Comparison, candidates: int) -> TaskSection:
    rows = []
    for place, ranked in enumerate(comparison.ranked):
        is_candidate = place < candidates
        measured = (ranked.tau, ranked.rho, ranked.tau_top_half, ranked.tau_top_tenth)
        chart = (
            score_chart(f"scores{number}-{place}", ranked, comparison, highlighted=is_candidate)
            if ranked.scored
            else None
        )
        rows.append(Row(ranked.name, is_candidate, measured, ranked.scored, chart, ranked.reasons))
    networks = len(comparison.architectures)
    sampled = MOST_POINTS if networks > MOST_POINTS else None
    return TaskSection(comparison.task, networks, tuple(rows), sampled)


@dataclass(frozen=True, slots=True)
class GlanceRow:
    """A contender on all tasks."""

    name: str
    is_candidate: bool
    taus: tuple[float | None, ...]
    """Kendall tau, one a task; None where no network has a score."""


def at_a_glance(sections: Sequence[TaskSection]) -> list[GlanceRow]:
    """Every contender on all tasks, for several tasks; they have the same contenders in the same order."""
    if len(sections) < 2:
        return []
    return [
        GlanceRow(
            rows[0].name,
            rows[0].is_candidate,
            tuple(row.tau.value if row.scored else None for row in rows),
        )
        for rows in zip(*(section.rows for section in sections), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """A phase of the run, or the rest that belongs to none."""

    name: str
    seconds: float
    share: float
    colour: str


def phase_times(story: RunStory) -> list[PhaseTime]:
    """Where the time of the run went, in the order of the phases; those that took none are left out."""
    everything = max(story.everything, 1e-9)
    times = [
        PhaseTime(phase.replace("_", " "), seconds, seconds / everything, _page_colour(PHASE_COLOURS[phase]))
        for phase, seconds in story.phases.items()
        if seconds > 0
    ]
    rest = story.everything - sum(time.seconds for time in times)
    if rest > 0.0005 * everything:
        times.append(PhaseTime("the rest", rest, rest / everything, REST_COLOUR))
    return times


def _page_colour(colour: str) -> str:
    return PAGE_COLOURS.get(colour, colour)


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the configuration beside the paper's value."""

    name: str
    value: str
    paper: str

    @property
    def differs(self) -> bool:
        """Whether the run was not made with the paper's value."""
        return self.value != self.paper


def settings(config: EvolutionConfig) -> list[Setting]:
    """Every field of the configuration."""
    paper = EvolutionConfig().model_dump(mode="json")
    return [
        Setting(name, _value_text(value), _value_text(paper[name]))
        for name, value in config.model_dump(mode="json").items()
    ]


def _value_text(value: object) -> str:
    if value is None:
        return "not set"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
