"""A table of the user's own: CSV, also compressed, with a column of architectures and one of accuracies."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO, cast

from eznas.errors import TaskError
from eznas.suggestion import quoted
from eznas.tasks.importing.records import Measured, Records, gathered
from eznas.tasks.importing.request import Progress, Request

BENCHMARK: Final = "csv"


def read_csv(path: Path, request: Request, progress: Progress) -> Records:
    """The accuracies of a CSV file, whose data set, epochs and split are those that the request states.

    An architecture may stand in several rows, one for each training; a row without accuracy is left out.

    Raises:
        TaskError: The file cannot be read, lacks a column, or has an accuracy that is no number.
    """
    request.needed_epochs(BENCHMARK)
    if request.space is None:
        raise TaskError("a CSV file does not tell the space of its architectures; a space is needed")
    try:
        with _opened(path) as file:
            rows = list(_rows(file, path.name, request))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise TaskError(f"cannot read {path.name}: {error}") from error
    progress(1, 1)
    return gathered(BENCHMARK, path.name, request.space, request.key(), rows)


def _opened(path: Path) -> TextIO:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    # A table written by a spreadsheet may start with a byte order mark.
    opening = gzip.open if compressed else open
    return cast(TextIO, opening(path, "rt", encoding="utf-8-sig", newline=""))


def _rows(file: TextIO, name: str, request: Request) -> Iterator[Measured]:
    table = csv.DictReader(file, strict=True)
    columns = table.fieldnames or []
    for column in (request.architecture_column, request.accuracy_column):
        if column not in columns:
            raise TaskError(
                f"{name} has no column {quoted(column)}; it has {quoted(', '.join(columns)) or 'none'}"
            )
    for row in table:
        architecture, text = row[request.architecture_column], row[request.accuracy_column]
        if architecture is None or text is None:
            raise TaskError(f"{name}, line {table.line_num}: fewer columns than the first line")
        yield Measured(architecture, () if not text else (_number(text, name, table.line_num),))


def _number(text: str, name: str, line: int) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise TaskError(f"{name}, line {line}: expected an accuracy, got {quoted(text)}") from error
