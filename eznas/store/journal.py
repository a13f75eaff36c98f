"""The journal of an unfinished store: one line for each network whose values are all written."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eznas.store.arrays import StoreArrays
from eznas.store.disk import checksum, naming
from eznas.store.layout import DIMENSIONS, FAMILIES, JOURNAL, StorePlan, data_file


@dataclass(frozen=True, slots=True, eq=False)
class NetworkRecord:
    """A line of the journal: one network that is wholly in the data files."""

    name: str
    shapes: NDArray[np.int64]
    """The padded shapes of its layers: (layers, 4 families, 4 dimensions)."""
    holders: NDArray[np.int64]
    """The layer of the network that each layer has its tensor from: (layers, terminals)."""
    checksums: tuple[int, ...]
    """CRC-32 of what the network has in each terminal's file."""

    def line(self) -> bytes:
        """The record as a line, with a checksum of itself."""
        content: dict[str, Any] = {
            "name": self.name,
            "shapes": self.shapes.tolist(),
            "holders": self.holders.tolist(),
            "checksums": self.checksums,
        }
        content["checksum"] = checksum(_compact(content))
        return _compact(content) + b"\n"

    def arrays(self, terminals: tuple[str, ...]) -> StoreArrays:
        """The arrays of a store of these terminals that holds this network alone."""
        return StoreArrays.of_networks(terminals, [self.shapes], [self.holders], [self.checksums])


def read_journal(folder: Path, plan: StorePlan) -> tuple[NetworkRecord, ...]:
    """The records of an unfinished store, up to the first line that is torn or not of the plan.

    Raises:
        StoreError: The journal cannot be read.
    """
    file = folder / JOURNAL
    if not file.exists():
        return ()
    with naming(file, "read"):
        lines = file.read_bytes().split(b"\n")[:-1]
    records = []
    for line, name in zip(lines, plan.names, strict=False):
        record = _parsed(line, plan.terminals)
        if record is None or record.name != name:
            break
        records.append(record)
    return tuple(records)


def intact_records(
    folder: Path, plan: StorePlan, records: Sequence[NetworkRecord]
) -> tuple[NetworkRecord, ...]:
    """The records, up to the first whose values are not what its checksums say.

    A process that is killed leaves none of these, a machine that loses its power may.

    Raises:
        StoreError: A data file cannot be read.
    """
    sizes = [
        [arrays.file_size(terminal) for terminal in plan.terminals]
        for arrays in (record.arrays(plan.terminals) for record in records)
    ]
    intact = len(records)
    for column, terminal in enumerate(plan.terminals):
        file = data_file(folder, terminal)
        if not file.exists():
            return ()
        with naming(file, "read"), file.open("rb") as values:
            left = os.fstat(values.fileno()).st_size
            for index, record in enumerate(records[:intact]):
                left -= sizes[index][column]
                if left < 0 or checksum(values.read(sizes[index][column])) != record.checksums[column]:
                    intact = index
                    break
    return tuple(records[:intact])


def _parsed(line: bytes, terminals: tuple[str, ...]) -> NetworkRecord | None:
    """The record of a line, unless it is torn, altered, or says what cannot be."""
    try:
        content: Any = json.loads(line)
        shapes, holders = (np.array(content[name], np.int64) for name in ("shapes", "holders"))
        record = NetworkRecord(content["name"], shapes, holders, tuple(content["checksums"]))
        # Written anew it is the same line only if the checksum in it is right, and all sizes are integers.
        trusted = (
            record.line() == line + b"\n"
            and shapes.shape[1:] == (len(FAMILIES), DIMENSIONS)
            and holders.shape == (len(shapes), len(terminals))
            and len(record.checksums) == len(terminals)
            and record.arrays(terminals).contradiction() is None
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return record if trusted else None


def _compact(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
