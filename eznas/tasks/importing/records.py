"""What the readers of all formats give: architectures of one space with their accuracies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eznas import spaces
from eznas.errors import SpaceError, TaskError
from eznas.suggestion import quoted
from eznas.tasks.imported_plan import AccuracyKey
from eznas.tasks.importing.membership import membership
from eznas.tasks.table import AccuracyTable


@dataclass(frozen=True, slots=True)
class Measured:
    """An architecture with the accuracy of each of its trainings, in per cent, and its recorded cost."""

    architecture: str
    accuracies: tuple[float, ...]
    parameters: int | None = None
    flops: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The accuracies of one key, checked: every architecture is of the space and stands there once."""

    benchmark: str
    """The format, such as `nats-bench`."""
    source: str
    """The name of the file or folder."""
    space: str
    """A space by name or import path."""
    key: AccuracyKey
    table: AccuracyTable
    """In the benchmark's order; parameters and FLOPs where the benchmark records them."""
    notes: tuple[str, ...]
    """What was left out, merged or averaged, in sentences."""


def gathered(
    benchmark: str,
    source: str,
    space: str,
    key: AccuracyKey,
    measured: Iterable[Measured],
    notes: Sequence[str] = (),
) -> Records:
    """The records of what was measured; what cannot be used is left out and counted in the notes.

    Trainings of one architecture are put together, wherever they stand, and averaged.

    Raises:
        SpaceError: The space is unknown.
        TaskError: No architecture is left, or the accuracies are fractions instead of per cent.
    """
    rows, found = _by_architecture(measured)
    finite = [row for row in rows if row.accuracies and all(map(math.isfinite, row.accuracies))]
    _check_per_cent(source, finite)
    kept, stranger = _of_space(space, finite)
    if not kept:
        reason = f"; the first says: {stranger}" if stranger else ""
        raise TaskError(
            f"{source} holds no architecture of the space {space} with an accuracy, "
            f"of {len(rows):,} architectures found{reason}"
        )
    left_out = [
        f"left out: {count:,} of {len(rows):,} architectures {why}"
        for count, why in (
            (len(rows) - len(finite), "without this accuracy"),
            (len(finite) - len(kept), f"that are not of the space {space}"),
        )
        if count
    ]
    repeated = [
        f"accuracies of repeated architectures are averaged: {found - len(rows):,} of {found:,} records"
    ]
    every_note = (*notes, *left_out, *(repeated if found > len(rows) else ()), _seeds_note(kept))
    return Records(benchmark, source, space, key, _table(kept), every_note)


def _by_architecture(measured: Iterable[Measured]) -> tuple[list[Measured], int]:
    """One row an architecture, in the order in which each came first, and how many rows there were."""
    rows: dict[str, Measured] = {}
    found = 0
    for found, row in enumerate(measured, start=1):  # noqa: B007 - the last number counts them
        before = rows.get(row.architecture)
        if before is not None:
            accuracies = (*before.accuracies, *row.accuracies)
            row = Measured(row.architecture, accuracies, before.parameters, before.flops)
        rows[row.architecture] = row
    return list(rows.values()), found


def _check_per_cent(source: str, rows: Sequence[Measured]) -> None:
    every = [accuracy for row in rows for accuracy in row.accuracies]
    if every and not (min(every) >= 0 and 1 < max(every) <= 100):
        raise TaskError(
            f"{source}: expected accuracies in per cent, from 0 to 100, got {min(every):g} to {max(every):g}"
        )


def _of_space(space: str, rows: Sequence[Measured]) -> tuple[list[Measured], SpaceError | None]:
    """The rows of the space, and what is wrong with the first other one."""
    check = membership(spaces.get(space))
    kept, first = [], None
    for row in rows:
        try:
            check(row.architecture)
        except SpaceError as error:
            first = first or error
        else:
            kept.append(row)
    return kept, first


def _seeds_note(rows: Sequence[Measured]) -> str:
    counts = sorted({len(row.accuracies) for row in rows})
    if counts == [1]:
        return "one accuracy an architecture"
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"the mean of {each} accuracies an architecture"


def _table(rows: Sequence[Measured]) -> AccuracyTable:
    costs: dict[str, Any] = {
        "parameters": _column([row.parameters for row in rows]),
        "flops": _column([row.flops for row in rows]),
    }
    architectures = tuple(row.architecture for row in rows)
    trainings = {len(row.accuracies) for row in rows}
    if len(trainings) == 1 and trainings != {1}:
        return AccuracyTable.of_seeds(architectures, np.array([row.accuracies for row in rows]), **costs)
    means = np.array([math.fsum(row.accuracies) / len(row.accuracies) for row in rows])
    return AccuracyTable(architectures, means, **costs)


def _column(costs: list[int | None]) -> NDArray[np.int64] | None:
    """The cost of every architecture, or None where one of them is not recorded."""
    known = [cost for cost in costs if cost is not None]
    return np.array(known, dtype=np.int64) if len(known) == len(costs) else None


def whole_number(value: object, unit: float, what: str) -> int | None:
    """A recorded cost as a whole number of ones; None where it is absent.

    Raises:
        TaskError: It is no number from 0 up.
    """
    if value is None:
        return None
    if not isinstance(value, (int, float, np.number)) or not 0 <= float(value) * unit < 2**63:
        raise TaskError(f"expected {what} as a number from 0 up, got {quoted(repr(value))}")
    return round(float(value) * unit)
