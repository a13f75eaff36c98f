"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from eznas.cli.console import output
from eznas.cli.table_options import ChosenTables
from eznas.evolution import Outcome
from eznas.program import NAMED_PROGRAMS
from eznas.ranking import Comparison
from eznas.report import CorrelationTable, TableFormat, render, text_tables, verdicts


def print_tables(tables: Sequence[CorrelationTable], chosen: ChosenTables) -> None:
    """Correlation tables in the chosen format: text fits the terminal, the others are as in files."""
    if chosen.table_format is TableFormat.TEXT:
        console = output()
        console.print(text_tables(tables, console.width, with_intervals=chosen.with_intervals))
        return
    document = render(tables, chosen.table_format, with_intervals=chosen.with_intervals)
    print(document, end="")  # noqa: T201 - rich would wrap and colour it


def print_comparison(comparison: Comparison) -> None:
    """One row a contender: Kendall tau and Spearman rho with their 95 % intervals."""
    networks = len(comparison.architectures)
    table = Table(title=f"{comparison.task}: {networks} held-out networks", title_justify="left")
    table.add_column("contender")
    table.add_column("Kendall tau [95 %]", justify="right", no_wrap=True)
    table.add_column("Spearman rho [95 %]", justify="right", no_wrap=True)
    table.add_column("scored", justify="right")
    for ranked in comparison.ranked:
        table.add_row(
            escape(ranked.name), escape(str(ranked.tau)), escape(str(ranked.rho)), str(ranked.scored)
        )
    output().print(table)


def print_verdicts(outcome: Outcome) -> None:
    """The best program, and how it stands against chance and everything else."""
    console = output()
    best = outcome.best
    sign = "higher is better" if best.orientation > 0 else "lower is better"
    console.print(
        f"[bold]best program[/] ({sign}, fitness {best.fitness:.3f} on all stored networks):\n"
        f"  {escape(str(best.program))}",
        soft_wrap=True,
        highlight=False,
    )
    others = frozenset({*NAMED_PROGRAMS, "parameters", "FLOPs"})
    for verdict in verdicts(outcome.comparisons, others):
        console.print(escape(str(verdict)), soft_wrap=True, highlight=False)
