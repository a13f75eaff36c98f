"""Correlation tables in every format, and as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

from eznas.files import write_whole
from eznas.report.correlation_table import CorrelationTable
from eznas.report.table_formats import as_csv, as_latex, as_markdown
from eznas.report.text_table import as_text


class TableFormat(StrEnum):
    """How tables are written."""

    TEXT = "text"
    CSV = "csv"
    MARKDOWN = "markdown"
    LATEX = "latex"


SUFFIXES: Final = {
    TableFormat.TEXT: ".txt",
    TableFormat.CSV: ".csv",
    TableFormat.MARKDOWN: ".md",
    TableFormat.LATEX: ".tex",
}
"""What the names of files of each format end with."""


def render(
    tables: Sequence[CorrelationTable], table_format: TableFormat, *, with_intervals: bool = True
) -> str:
    """Tables as a document of this format; CSV always holds the intervals."""
    documents: dict[TableFormat, Callable[[], str]] = {
        TableFormat.TEXT: partial(as_text, tables, with_intervals=with_intervals),
        TableFormat.CSV: partial(as_csv, tables),
        TableFormat.MARKDOWN: partial(as_markdown, tables, with_intervals=with_intervals),
        TableFormat.LATEX: partial(as_latex, tables, with_intervals=with_intervals),
    }
    return documents[table_format]()


def write_tables(
    tables: Sequence[CorrelationTable], stem: Path, *, with_intervals: bool = True
) -> list[Path]:
    """Write tables in every format; the files share the stem.

    Raises:
        OSError: The folder cannot be written.
    """
    written = []
    for table_format, suffix in SUFFIXES.items():
        written.append(stem.with_name(f"{stem.name}{suffix}"))
        write_whole(written[-1], render(tables, table_format, with_intervals=with_intervals).encode())
    return written
