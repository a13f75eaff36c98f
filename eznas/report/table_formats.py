"""Tables as CSV, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Final

from eznas.report.correlation_table import Cell, CorrelationTable, Row

NO_VALUE: Final = "-"
"""Stands where a contender has no score on any network."""

LONG_NAME: Final = 32
"""Longer names of rows get a number instead, and stand in full below the table."""


def cell_text(cell: Cell | None, *, with_intervals: bool) -> str:
    """The value, with its interval, or with the deviation where it is a mean."""
    if cell is None:
        return NO_VALUE
    value = f"{cell.value:+.3f}"
    if not with_intervals:
        return value
    if cell.interval is None:
        return f"{value} ± {cell.deviation:.3f}"
    low, high = cell.interval
    return f"{value} [{low:+.3f}, {high:+.3f}]"


def short_names(table: CorrelationTable) -> tuple[list[str], dict[str, str]]:
    """The names of the rows as they stand in a narrow table, and the full ones of those that are numbered."""
    names: list[str] = []
    full: dict[str, str] = {}
    for row in table.rows:
        long = len(row.name) > LONG_NAME
        names.append(f"program {len(full) + 1}" if long else row.name)
        if long:
            full[names[-1]] = row.name
    return names, full


def as_csv(tables: Sequence[CorrelationTable]) -> str:
    """One row for each measure and contender, in full precision; cells that do not exist are empty.

    Each column of a table becomes five: its name alone holds the (mean) value; low and high are the interval
    of a single test, deviation and tests belong to the mean of several.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = tables[0].columns if tables else ()
    parts = ("", " low", " high", " deviation", " tests")
    headings = [f"{column}{part}" for column in columns for part in parts]
    writer.writerow(["measure", tables[0].corner if tables else "contender", "program", *headings])
    for table in tables:
        for row in table.rows:
            fields = [field for cell in row.cells for field in _csv_fields(cell)]
            writer.writerow([str(table.measure), row.name, row.program or "", *fields])
    return out.getvalue()


def _csv_fields(cell: Cell | None) -> list[str]:
    if cell is None:
        return ["", "", "", "", "0"]
    low, high = cell.interval or (None, None)
    numbers = ("" if number is None else repr(number) for number in (cell.value, low, high, cell.deviation))
    return [*numbers, str(len(cell.correlations))]


def as_markdown(tables: Sequence[CorrelationTable], *, with_intervals: bool = True) -> str:
    """Tables of GitHub's Markdown, the best of each column bold, programs as code."""
    parts = [_markdown(table, with_intervals) for table in tables]
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    parts += [f"{_markdown_text(f'{note.row} {note.text}')}.\n" for note in notes]
    return "\n".join(parts)


def _markdown(table: CorrelationTable, with_intervals: bool) -> str:
    bold = [table.best(column) for column in range(len(table.columns))]
    lines = [
        _markdown_line([table.title(with_intervals=with_intervals), *map(_markdown_text, table.headings)]),
        _markdown_line(["---", *["---:"] * len(table.columns)]),
    ]
    for number, row in enumerate(table.rows):
        name = f"`{row.name}`" if row.named_by_its_program else _markdown_text(row.name)
        cells = [cell_text(cell, with_intervals=with_intervals) for cell in row.cells]
        emphasised = (
            f"**{cell}**" if number in best else cell for cell, best in zip(cells, bold, strict=True)
        )
        lines.append(_markdown_line([name, *emphasised]))
    return "\n".join(lines) + "\n"


def _markdown_line(fields: Sequence[str]) -> str:
    return f"| {' | '.join(fields)} |"


def _markdown_text(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text)


def as_latex(tables: Sequence[CorrelationTable], *, with_intervals: bool = True) -> str:
    """Tables for the package booktabs, the best of each column bold, long programs numbered below."""
    return "% Needs \\usepackage{booktabs}.\n" + "\n".join(_latex(table, with_intervals) for table in tables)


def _latex(table: CorrelationTable, with_intervals: bool) -> str:
    names, full = short_names(table)
    bold = [table.best(column) for column in range(len(table.columns))]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(table.title(with_intervals=with_intervals))}}}",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        _latex_line(map_latex([table.corner, *table.headings])),
        r"\midrule",
    ]
    for number, (name, row) in enumerate(zip(names, table.rows, strict=True)):
        cells = [
            _latex_cell(cell, with_intervals=with_intervals, bold=number in best)
            for cell, best in zip(row.cells, bold, strict=True)
        ]
        lines.append(_latex_line([_latex_name(name, row), *cells]))
    lines += [r"\bottomrule", r"\end{tabular}"]
    notes = [f"{latex_text(name)}: {_latex_program(text)}" for name, text in full.items()]
    shown = dict(zip((row.name for row in table.rows), names, strict=True))
    notes += [f"{latex_text(f'{shown.get(note.row, note.row)} {note.text}')}." for note in table.notes]
    if notes:
        lines.append(r"\par\smallskip\raggedright\footnotesize")
        lines += [rf"{note}\par" for note in notes]
    return "\n".join([*lines, r"\end{table}", ""])


def map_latex(texts: Sequence[str]) -> list[str]:
    """Each text with its special characters escaped."""
    return [latex_text(text) for text in texts]


def _latex_line(fields: Sequence[str]) -> str:
    return rf"{' & '.join(fields)} \\"


def _latex_name(name: str, row: Row) -> str:
    return _latex_program(name) if row.named_by_its_program and name == row.name else latex_text(name)


def _latex_program(text: str) -> str:
    # A line may break behind each bracket: LaTeX breaks typewriter text at spaces alone.
    broken = latex_text(text).replace("(", r"(\allowbreak ")
    return rf"\texttt{{{broken}}}"


def _latex_cell(cell: Cell | None, *, with_intervals: bool, bold: bool) -> str:
    if cell is None:
        return "--"
    value = rf"\mathbf{{{cell.value:+.3f}}}" if bold else f"{cell.value:+.3f}"
    if not with_intervals:
        return f"${value}$"
    if cell.interval is None:
        return rf"${value} \pm {cell.deviation:.3f}$"
    low, high = cell.interval
    return rf"${value}$ {{\scriptsize $[{low:+.3f}, {high:+.3f}]$}}"


_LATEX_SPECIAL: Final = {
    **{character: rf"\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
}


def latex_text(text: str) -> str:
    """The text with LaTeX's special characters escaped."""
    return "".join(_LATEX_SPECIAL.get(character, character) for character in text)
