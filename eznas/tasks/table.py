"""Accuracy tables: the architectures of a task with their test accuracy, and what is known of their cost."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from eznas.errors import TaskError
from eznas.files import write_whole

_ACCURACY_COLUMN: Final = "accuracy"
_SEED_COLUMN: Final = "accuracy_seed_{}"

_COSTS: Final[dict[str, Callable[[str], int | float]]] = {
    "parameters": int,
    "flops": int,
    "training_seconds": float,
}
"""The columns that a table may have between the architecture and its accuracies, and how each is read."""


@dataclass(frozen=True, slots=True, eq=False)
class AccuracyTable:
    """One row an architecture; what its source does not tell is None."""

    architectures: tuple[str, ...]
    accuracies: NDArray[np.float64]
    """(architectures,) test accuracy in per cent, the mean over the seeds."""
    parameters: NDArray[np.int64] | None = None
    """(architectures,) trainable parameters."""
    flops: NDArray[np.int64] | None = None
    """(architectures,) multiply-adds of one forward pass."""
    training_seconds: NDArray[np.float64] | None = None
    """(architectures,) processor seconds of all seeds together."""
    seed_accuracies: NDArray[np.float64] | None = None
    """(architectures, seeds) test accuracy in per cent, where every architecture was trained as often."""

    @classmethod
    def of_seeds(
        cls, architectures: Sequence[str], seed_accuracies: NDArray[np.float64], **costs: Any
    ) -> Self:
        """A table from the accuracy of every seed; the costs are the other fields by name."""
        means = np.asarray(seed_accuracies.mean(axis=1))
        return cls(tuple(architectures), means, seed_accuracies=seed_accuracies, **costs)

    def write(self, path: Path) -> None:
        """Write as CSV, whole or not at all; every number is read back as it was."""
        columns = {name: getattr(self, name) for name in _COSTS if getattr(self, name) is not None}
        if self.seed_accuracies is None:
            columns[_ACCURACY_COLUMN] = self.accuracies
        else:
            columns |= {
                _SEED_COLUMN.format(seed): column for seed, column in enumerate(self.seed_accuracies.T)
            }
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["architecture", *columns])
        writer.writerows(
            zip(self.architectures, *(column.tolist() for column in columns.values()), strict=True)
        )
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
    costs = [name for name in _COSTS if name in header]
    accuracies = header[1 + len(costs) :]
    by_seed = [_SEED_COLUMN.format(seed) for seed in range(len(accuracies))]
    if (
        not accuracies
        or header[: 1 + len(costs)] != ["architecture", *costs]
        or (accuracies not in ([_ACCURACY_COLUMN], by_seed))
    ):
        raise TaskError(f"{path} is not an accuracy table: its first line is {','.join(header)[:200]!r}")
    if len(rows) < 2:
        raise TaskError(f"{path} holds no architecture")
    numbers = [
        _numbers(f"{path}, line {line}", row, costs, len(header))
        for line, row in enumerate(rows[1:], start=2)
    ]
    architectures = _distinct(path, [row[0] for row in rows[1:]])
    of_costs: dict[str, Any] = {
        name: np.array([row[column] for row in numbers], np.int64 if _COSTS[name] is int else np.float64)
        for column, name in enumerate(costs)
    }
    measured = np.array([row[len(costs) :] for row in numbers], dtype=np.float64)
    if accuracies == [_ACCURACY_COLUMN]:
        return AccuracyTable(architectures, measured[:, 0], **of_costs)
    return AccuracyTable.of_seeds(architectures, measured, **of_costs)


def _numbers(where: str, row: list[str], costs: list[str], columns: int) -> list[int | float]:
    """The costs and the accuracies of a row."""
    if len(row) != columns:
        raise TaskError(f"{where}: expected {columns} columns, got {len(row)}")
    first = 1 + len(costs)
    try:
        of_costs = [_COSTS[name](field) for name, field in zip(costs, row[1:first], strict=True)]
        accuracies = [float(field) for field in row[first:]]
    except ValueError as error:
        raise TaskError(f"{where}: {error}") from error
    # Written so that a NaN is refused too; what is more does not fit into 64 bits.
    if not all(0 <= cost < 2**63 for cost in of_costs):
        raise TaskError(f"{where}: expected costs from 0 up, got {','.join(row[1:first])}")
    if not all(0 <= accuracy <= 100 for accuracy in accuracies):
        raise TaskError(f"{where}: expected accuracies from 0 to 100 per cent, got {','.join(row[first:])}")
    return [*of_costs, *accuracies]


def _distinct(path: Path, architectures: list[str]) -> tuple[str, ...]:
    name, count = Counter(architectures).most_common(1)[0]
    if count > 1:
        raise TaskError(f"{path} holds the architecture {name!r} {count} times")
    return tuple(architectures)
