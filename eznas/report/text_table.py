"""Tables for the terminal: as many columns side by side as fit, long programs numbered below."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from eznas.report.correlation_table import CorrelationTable
from eznas.report.table_formats import cell_text, short_names

_FILE_WIDTH: Final = 120
_FRAME: Final = 3
"""Characters that each column needs beside its text: a space on each side and a line."""


def text_tables(
    tables: Sequence[CorrelationTable], width: int, *, with_intervals: bool = True
) -> RenderableType:
    """Tables for a terminal of so many characters a line, notes and long names once below all."""
    parts: list[RenderableType] = []
    for table in tables:
        parts += _stacked(table, width, with_intervals=with_intervals)
    shown: dict[str, str] = {}
    full: dict[str, str] = {}
    for table in tables:
        names, of_table = short_names(table)
        full.update(of_table)
        shown.update(zip((row.name for row in table.rows), names, strict=True))
    parts += [Text(f"{name}: {text}", overflow="fold") for name, text in full.items()]
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    parts += [
        Text(f"{shown.get(note.row, note.row)} {note.text}", style="dim", overflow="fold") for note in notes
    ]
    return Group(*parts)


def as_text(tables: Sequence[CorrelationTable], *, with_intervals: bool = True) -> str:
    """Tables as plain text for a file."""
    file = io.StringIO()
    console = Console(file=file, width=_FILE_WIDTH, color_system=None, force_terminal=False)
    console.print(text_tables(tables, _FILE_WIDTH, with_intervals=with_intervals))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _stacked(table: CorrelationTable, width: int, *, with_intervals: bool) -> list[RenderableType]:
    """The table, in several with the same rows where its columns do not fit side by side."""
    names, _ = short_names(table)
    texts = [[cell_text(cell, with_intervals=with_intervals) for cell in row.cells] for row in table.rows]
    headings = [column.replace(", ", "\n") for column in table.headings]
    widths = [
        max(map(len, [*heading.split("\n"), *(of_row[column] for of_row in texts)]))
        for column, heading in enumerate(headings)
    ]
    first = max(map(len, [table.corner, *names]))
    # Not the title of a rich table, which is folded at the width of the table.
    parts: list[RenderableType] = [Text(table.title(with_intervals=with_intervals), style="bold")]
    for columns in _chunks(widths, width - first - _FRAME - 1):
        shown = Table()
        shown.add_column(table.corner, overflow="fold")
        for column in columns:
            shown.add_column(
                escape(headings[column]), justify="right", overflow="fold", min_width=widths[column]
            )
        for name, of_row in zip(names, texts, strict=True):
            shown.add_row(escape(name), *(escape(of_row[column]) for column in columns))
        parts.append(shown)
    return parts


def _chunks(widths: Sequence[int], room: int) -> list[list[int]]:
    """The numbers of the columns that stand side by side, one at least each time."""
    chunks: list[list[int]] = [[]]
    left = room
    for column, width in enumerate(widths):
        needed = width + _FRAME
        if chunks[-1] and needed > left:
            chunks.append([])
            left = room
        chunks[-1].append(column)
        left -= needed
    return chunks
