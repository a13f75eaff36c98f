"""Tables like those of the paper: contenders as rows, tasks as columns, a correlation in each cell."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eznas.ranking import Comparison, Correlation, Ranked
from eznas.report.measures import Measure


@dataclass(frozen=True, slots=True)
class Measured:
    """How a contender ranks the networks of a task in one test: what a table is made from.

    Tests of the same row and column are repetitions, such as those with other seeds; a cell is over them.
    """

    row: str
    column: str
    ranked: Ranked
    program: str | None = None
    """The text of the program, where the row stands for a single one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The correlations of a contender on a task, one a test."""

    correlations: tuple[Correlation, ...]

    @property
    def value(self) -> float:
        """The mean over the tests."""
        return statistics.fmean(correlation.value for correlation in self.correlations)

    @property
    def deviation(self) -> float | None:
        """The standard deviation over the tests (n - 1 in the denominator); None of a single one."""
        if len(self.correlations) == 1:
            return None
        return statistics.stdev(correlation.value for correlation in self.correlations)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % bootstrap interval of a single test; None of several, whose deviation says more."""
        return (self.correlations[0].low, self.correlations[0].high) if len(self.correlations) == 1 else None


@dataclass(frozen=True, slots=True)
class Row:
    """A contender."""

    name: str
    program: str | None
    cells: tuple[Cell | None, ...]
    """One a column; None where it has no score on any network, or was not tested."""

    @property
    def named_by_its_program(self) -> bool:
        """Whether it has no other name than the text of its program."""
        return self.name == self.program


@dataclass(frozen=True, slots=True)
class Note:
    """What must be known of a row to read it."""

    row: str
    text: str
    """Goes on after the name of the row."""


@dataclass(frozen=True, slots=True)
class CorrelationTable:
    """One measure of all contenders on all tasks."""

    measure: Measure
    corner: str
    """What the rows are."""
    columns: tuple[str, ...]
    networks: tuple[int, ...]
    """How many each column is over."""
    rows: tuple[Row, ...]
    notes: tuple[Note, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """The columns, with their numbers of networks where these differ."""
        if len(set(self.networks)) == 1:
            return self.columns
        return tuple(
            f"{column}, {count} networks" for column, count in zip(self.columns, self.networks, strict=True)
        )

    @property
    def repetitions(self) -> tuple[int, ...]:
        """The numbers of tests that cells are over, in rising order."""
        return tuple(sorted({len(cell.correlations) for row in self.rows for cell in row.cells if cell}))

    def title(self, *, with_intervals: bool = True) -> str:
        """The measure, on how many networks, and what stands beside its values."""
        same = len(set(self.networks)) == 1
        title = self.measure.heading + (f" on {self.networks[0]} networks" if same else "")
        several = " or ".join(str(count) for count in self.repetitions if count > 1)
        parts = []
        if several:
            parts.append(f"mean{' ± standard deviation' if with_intervals else ''} (n = {several})")
        if with_intervals and 1 in self.repetitions:
            parts.append("95 % interval")
        return f"{title}, {' or '.join(parts)}" if parts else title

    def best(self, column: int) -> frozenset[int]:
        """The rows whose value is the highest of a column as it is printed, to three digits."""
        values = {
            row: round(cell.value, 3)
            for row, of_row in enumerate(self.rows)
            if (cell := of_row.cells[column]) is not None
        }
        return frozenset(row for row, value in values.items() if value == max(values.values()))


def make_table(
    measure: Measure, measured: Iterable[Measured], corner: str = "contender", notes: Sequence[Note] = ()
) -> CorrelationTable:
    """Gather measured contenders into a table, rows and columns in the order in which they come first."""
    found: dict[tuple[str, str], list[Correlation]] = {}
    programs: dict[str, str | None] = {}
    columns: dict[str, int] = {}
    for each in measured:
        columns.setdefault(each.column, len(each.ranked.scores))
        programs.setdefault(each.row, each.program)
        if each.ranked.scored:
            found.setdefault((each.row, each.column), []).append(measure.of(each.ranked))
    rows = tuple(
        Row(
            name,
            program,
            tuple(
                Cell(tuple(found[name, column])) if (name, column) in found else None for column in columns
            ),
        )
        for name, program in programs.items()
    )
    return CorrelationTable(measure, corner, tuple(columns), tuple(columns.values()), rows, tuple(notes))


def comparison_table(measure: Measure, comparisons: Sequence[Comparison]) -> CorrelationTable:
    """The table of comparisons of the same contenders: a column for each task and batch size, over the seeds.

    Its notes say on how many networks a contender has no score.
    """
    several = len({comparison.settings.batch_size for comparison in comparisons}) > 1
    measured = [
        Measured(name, column_of(comparison, several), ranked, _text(ranked))
        for comparison in comparisons
        for name, ranked in zip(distinct_names(comparison), comparison.ranked, strict=True)
    ]
    return make_table(measure, measured, notes=missing_scores(comparisons))


def column_of(comparison: Comparison, with_batch_size: bool) -> str:
    """The heading of a comparison's column."""
    return comparison.task + (f", batch {comparison.settings.batch_size}" if with_batch_size else "")


def distinct_names(comparison: Comparison) -> list[str]:
    """The names of the contenders, numbered where several share one, as the best of equally named runs do."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    for ranked in comparison.ranked:
        seen[ranked.name] += 1
        names.append(ranked.name if seen[ranked.name] == 1 else f"{ranked.name} ({seen[ranked.name]})")
    return names


def missing_scores(comparisons: Sequence[Comparison]) -> list[Note]:
    """For each contender that lacks scores how many of how many, by task and over all tests, and why."""
    missing: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    networks: Counter[str] = Counter()
    for comparison in comparisons:
        networks[comparison.task] += len(comparison.architectures)
        for name, ranked in zip(distinct_names(comparison), comparison.ranked, strict=True):
            if lacking := len(ranked.scores) - ranked.scored:
                missing.setdefault(name, Counter())[comparison.task] += lacking
                reasons.setdefault(name, Counter()).update(_reasons(ranked))
    return [Note(name, _lacks(of_task, networks, reasons[name])) for name, of_task in missing.items()]


def _lacks(missing: Counter[str], networks: Counter[str], reasons: Counter[str]) -> str:
    counts = ", ".join(f"{count} of {networks[task]} scores on {task}" for task, count in missing.items())
    ((reason, _),) = reasons.most_common(1) or [("", 0)]
    return f"lacks {counts}" + (f"; most often: {reason}" if reason else "")


def _reasons(ranked: Ranked) -> Counter[str]:
    """How often each reason left a network without score, whichever its layer."""
    found: Counter[str] = Counter()
    for reason, count in ranked.reasons:
        found[re.sub(r"^layer \d+: ", "", reason)] += count
    return found


def _text(ranked: Ranked) -> str | None:
    return None if ranked.program is None else str(ranked.program)
