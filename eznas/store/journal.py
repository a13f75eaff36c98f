"""The journal of an unfinished store: one line for each network whose values are all written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eznas.store.arrays import PaddedShape, value_counts
from eznas.store.disk import checksum, naming
from eznas.store.layout import DIMENSIONS, FAMILIES, FLOAT, JOURNAL, StorePlan, data_file, family_index


@dataclass(frozen=True, slots=True)
class NetworkRecord:
    """A line of the journal: one network that is wholly in the data files."""

    name: str
    shapes: tuple[tuple[PaddedShape, ...], ...]
    """For each layer the padded shapes of its families."""
    checksums: tuple[int, ...]
    """CRC-32 of the network's values, one a terminal."""

    def line(self) -> bytes:
        """The record as a line."""
        content = {"name": self.name, "shapes": self.shapes, "checksums": self.checksums}
        return json.dumps(content, separators=(",", ":")).encode() + b"\n"

    def bytes_of(self, terminal: str) -> int:
        """How many bytes the network has in the file of a terminal."""
        shapes = np.array([layer[family_index(terminal)] for layer in self.shapes], np.int64)
        return FLOAT.itemsize * int(value_counts(shapes).sum())


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
        record = _parsed(line)
        if record is None or record.name != name or len(record.checksums) != len(plan.terminals):
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
    intact = len(records)
    for column, terminal in enumerate(plan.terminals):
        file = data_file(folder, terminal)
        if not file.exists():
            return ()
        with naming(file, "read"), file.open("rb") as values:
            for index, record in enumerate(records[:intact]):
                if checksum(values.read(record.bytes_of(terminal))) != record.checksums[column]:
                    intact = index
                    break
    return tuple(records[:intact])


def _parsed(line: bytes) -> NetworkRecord | None:
    try:
        content: Any = json.loads(line)
        if np.array(content["shapes"], np.int64).shape[1:] != (len(FAMILIES), DIMENSIONS):
            return None
        shapes = tuple(tuple(tuple(shape) for shape in layer) for layer in content["shapes"])
        return NetworkRecord(content["name"], shapes, tuple(content["checksums"]))
    except (ValueError, KeyError, TypeError):
        return None
