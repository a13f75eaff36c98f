"""The formats by name, and the reader of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from eznas.errors import TaskError
from eznas.tasks.importing.csv_table import read_csv
from eznas.tasks.importing.nas_bench_201 import read_nas_bench_201
from eznas.tasks.importing.nats_bench import read_nats_bench
from eznas.tasks.importing.nds import read_nds
from eznas.tasks.importing.records import Records
from eznas.tasks.importing.request import Progress, Request, unreported
from eznas.tasks.importing.suite_zero import read_suite_zero


class Format(StrEnum):
    """What a file or folder of accuracies is."""

    NATS_BENCH = "nats-bench"
    NAS_BENCH_201 = "nas-bench-201"
    NDS = "nds"
    SUITE_ZERO = "nas-bench-suite-zero"
    CSV = "csv"


_READERS: Final[dict[Format, Callable[[Path, Request, Progress], Records]]] = {
    Format.NATS_BENCH: read_nats_bench,
    Format.NAS_BENCH_201: read_nas_bench_201,
    Format.NDS: read_nds,
    Format.SUITE_ZERO: read_suite_zero,
    Format.CSV: read_csv,
}


def read_records(format_: Format, path: Path, request: Request, progress: Progress | None = None) -> Records:
    """The accuracies of one key from a benchmark's file or folder.

    No code of a file is ever run.

    Args:
        format_: What it is.
        path: Where it is.
        request: Which accuracies are wanted.
        progress: What to call as files are read.

    Raises:
        TaskError: The file is missing, foreign or spoilt, or has no accuracy of this key.
        SpaceError: The space is unknown.
    """
    # The name of the file or folder is kept with the task, also where it was given as `.`.
    whole = Path(os.path.abspath(path))
    try:
        if not whole.exists():
            raise TaskError(f"there is nothing at {path}; expected a file or folder of {format_}")
        return _READERS[format_](whole, request, progress or unreported)
    except (OSError, ValueError) as error:  # a folder that may not be read, a null character in a name
        raise TaskError(f"cannot read {path}: {error}") from error
