"""Accuracy tables: the architectures of a task with the test accuracy of every seed, and what each costs."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eznas.errors import TaskError
from eznas.files import write_whole

_FIXED_COLUMNS = ["architecture", "parameters", "flops", "training_seconds"]
_SEED_COLUMN = "accuracy_seed_{}"


@dataclass(frozen=True, slots=True, eq=False)
class AccuracyTable:
    """One row an architecture."""

    architectures: tuple[str, ...]
    parameters: NDArray[np.int64]
    """(architectures,) trainable parameters."""
    flops: NDArray[np.int64]
    """(architectures,) multiply-adds of one forward pass."""
    training_seconds: NDArray[np.float64]
    """(architectures,) processor seconds of all seeds together."""
    seed_accuracies: NDArray[np.float64]
    """(architectures, seeds) test accuracy in per cent."""

    @property
    def accuracies(self) -> NDArray[np.float64]:
        """(architectures,) the mean over the seeds, in per cent."""
        return np.asarray(self.seed_accuracies.mean(axis=1))

    def write(self, path: Path) -> None:
        """Write as CSV, whole or not at all; every number is read back as it was."""
        seeds = self.seed_accuracies.shape[1]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*_FIXED_COLUMNS, *(_SEED_COLUMN.format(seed) for seed in range(seeds))])
        columns = (self.parameters, self.flops, self.training_seconds, self.seed_accuracies)
        rows = zip(self.architectures, *(column.tolist() for column in columns), strict=True)
        writer.writerows([name, *costs, *accuracies] for name, *costs, accuracies in rows)
        write_whole(path, out.getvalue().encode())


def read_table(path: Path) -> AccuracyTable:
    """Read what `AccuracyTable.write` wrote.

    Raises:
        TaskError: The file is missing, or a row or column is not as expected.
    """
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TaskError(f"cannot read the accuracy table {path}: {error}") from error
    header = rows[0] if rows else []
    seeds = len(header) - len(_FIXED_COLUMNS)
    if seeds < 1 or header != [*_FIXED_COLUMNS, *(_SEED_COLUMN.format(seed) for seed in range(seeds))]:
        raise TaskError(f"{path} is not an accuracy table: its first line is {','.join(header)[:200]!r}")
    if len(rows) < 2:
        raise TaskError(f"{path} holds no architecture")
    costs, accuracies = zip(
        *(_numbers(f"{path}, line {line}", row, header) for line, row in enumerate(rows[1:], start=2)),
        strict=True,
    )
    parameters, flops, seconds = zip(*costs, strict=True)
    return AccuracyTable(
        architectures=_distinct(path, [row[0] for row in rows[1:]]),
        parameters=np.array(parameters, dtype=np.int64),
        flops=np.array(flops, dtype=np.int64),
        training_seconds=np.array(seconds, dtype=np.float64),
        seed_accuracies=np.array(accuracies, dtype=np.float64),
    )


def _numbers(where: str, row: list[str], header: list[str]) -> tuple[tuple[int, int, float], list[float]]:
    if len(row) != len(header):
        raise TaskError(f"{where}: expected {len(header)} columns, got {len(row)}")
    try:
        parameters, flops, seconds = int(row[1]), int(row[2]), float(row[3])
        accuracies = [float(field) for field in row[4:]]
    except ValueError as error:
        raise TaskError(f"{where}: {error}") from error
    # Written so that a NaN is refused too.
    if not (0 <= parameters < 2**63 and 0 <= flops < 2**63 and 0 <= seconds < float("inf")):
        raise TaskError(f"{where}: expected costs from 0 up, got {','.join(row[1:4])}")
    if not all(0 <= accuracy <= 100 for accuracy in accuracies):
        raise TaskError(f"{where}: expected accuracies from 0 to 100 per cent, got {','.join(row[4:])}")
    return (parameters, flops, seconds), accuracies


def _distinct(path: Path, architectures: list[str]) -> tuple[str, ...]:
    name, count = Counter(architectures).most_common(1)[0]
    if count > 1:
        raise TaskError(f"{path} holds the architecture {name!r} {count} times")
    return tuple(architectures)
