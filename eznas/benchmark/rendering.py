"""The report on the terminal and as Markdown."""

from __future__ import annotations

from typing import Literal

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eznas.benchmark.report import BenchReport
from eznas.benchmark.sections import Section, sections

_LONG = 32
"""Shorter cells are kept whole on the terminal; headings and longer ones are folded."""


def terminal_report(report: BenchReport) -> RenderableType:
    """Every section as a table, with its note below its title."""
    parts: list[RenderableType] = []
    for section in sections(report):
        parts += [Text(section.title, style="bold"), Text(section.note, style="dim"), _table(section)]
    return Group(*(Padding(part, (0, 0, int(isinstance(part, Table)), 0)) for part in parts))


def _table(section: Section) -> Table:
    table = Table(padding=(0, 0), show_edge=False)
    for column, heading in enumerate(section.headings):
        longest = max(len(cell) for row in section.rows for cell in (row[column], *heading.split()))
        table.add_column(
            heading,
            justify=_justify(section, column),
            overflow="fold",
            min_width=longest if longest <= _LONG else _LONG // 2,
        )
    for row in section.rows:
        table.add_row(*map(escape, row))
    return table


def markdown_report(report: BenchReport, date: str | None = None) -> str:
    """The report as a Markdown document.

    Args:
        report: The report.
        date: Stands at the top where it is given.
    """
    machine, options = report.machine, report.options
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    lines = [
        "# Results of `eznas bench`",
        "",
        *([f"Measured on {date}.", ""] if date else []),
        f"- Processor: {machine.processor}, {machine.processors} processors, {machine.instructions}, "
        f"{machine.memory_gib:g} GiB of memory, {machine.system}.",
        f"- Versions: Python {machine.python}, {versions}.",
        f"- Statistics: {options.networks.count} networks of {options.networks.space} ({report.layers} "
        f"layers), seed {options.networks.seed}, batch size 1, all 22 statistics.",
        f"- {options.threads} thread{'s' if options.threads > 1 else ''} for everyone; every figure is the "
        f"least of {options.repeats} repetitions. Figures of one run can be compared, as ratios; those of "
        "different machines cannot.",
        "",
    ]
    for summary in report.workloads:
        lines += [f"**{summary.name}**", "", *(f"> {line}" for line in summary.about.splitlines()), ""]
    for section in sections(report):
        lines += [f"## {section.title}", "", section.note, "", *_markdown_table(section), ""]
    return "\n".join(lines)


def _markdown_table(section: Section) -> list[str]:
    marks = [
        "---:" if _justify(section, column) == "right" else "---" for column in range(len(section.headings))
    ]
    rows = [section.headings, tuple(marks), *section.rows]
    return [f"| {' | '.join(row)} |" for row in rows]


def _justify(section: Section, column: int) -> Literal["left", "right"]:
    """Figures to the right: columns whose cells begin with a digit, or are empty."""
    figures = all(not row[column] or row[column][0].isdigit() for row in section.rows)
    return "right" if figures else "left"
