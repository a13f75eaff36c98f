"""Writing a store: one network after the other, each wholly there or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from eznas.errors import StoreError
from eznas.files import locked
from eznas.statistics import NetworkStatistics
from eznas.store.arrays import StoreArrays, are_stored, padded_shapes
from eznas.store.disk import checksum, naming, write_at
from eznas.store.journal import NetworkRecord, intact_records, read_journal
from eznas.store.layout import ARRAYS, JOURNAL, MANIFEST, PLAN, FileMark, Manifest, StorePlan, data_file
from eznas.store.sharing import holders, stored_form


class StoreWriter:
    """Writes a store; made by `StoreWriter.open`.

    The values of a network are written before its line in the journal is, so that a kill at any moment loses
    at most the network in work. They are synchronised with the disk at the end only (22 calls a network would
    take longer than the statistics); what a power cut spoils is found when the store is gone on with.
    """

    def __init__(self, folder: Path, plan: StorePlan, records: list[NetworkRecord]) -> None:
        self._folder = folder
        self._plan = plan
        self._records = records
        self._descriptors: dict[Path, int] = {}
        self._ends = {data_file(folder, terminal): 0 for terminal in plan.terminals} | {folder / JOURNAL: 0}
        for record in records:
            self._move_ends(record)

    @classmethod
    @contextmanager
    def open(cls, folder: Path, plan: StorePlan) -> Iterator[Self]:
        """Begin a store, or go on with an unfinished one of the same plan.

        Raises:
            StoreError: The folder holds something else or another plan, is finished, is damaged, cannot be
                written, or another process writes to it.
        """
        with ExitStack() as stack:
            with naming(folder, "write the store"):
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(
                    locked(folder, StoreError(f"another process is writing to the store {folder}"))
                )
            writer = cls(folder, plan, _begin_or_resume(folder, plan))
            writer._open_files(stack)
            yield writer

    @property
    def completed(self) -> tuple[str, ...]:
        """The names of the networks that are written, in order."""
        return self._plan.names[: len(self._records)]

    @property
    def remaining(self) -> tuple[str, ...]:
        """The names of the networks that are still to be written, in order."""
        return self._plan.names[len(self._records) :]

    def append(self, name: str, statistics: NetworkStatistics) -> None:
        """Write the next network; if that fails, the store is as it was before.

        Args:
            name: The first of `remaining`.
            statistics: Hold the store's terminals, or more.

        Raises:
            StoreError: It is not the next one, lacks a terminal, or cannot be written.
        """
        if not self.remaining or name != self.remaining[0]:
            expected = repr(self.remaining[0]) if self.remaining else "no network"
            raise StoreError(f"expected {expected} next in the store {self._folder}, got {name!r}")
        missing = [each for each in self._plan.terminals if each not in statistics.terminals]
        if missing:
            raise StoreError(
                f"the statistics of {name} lack {', '.join(missing)}; "
                f"they hold {', '.join(statistics.terminals)}"
            )
        shapes = padded_shapes(statistics.geometries, self._plan.terminals)
        held = holders(statistics, self._plan.terminals)
        try:
            checksums = [
                self._write_values(terminal, statistics, np.flatnonzero(stored))
                for terminal, stored in zip(self._plan.terminals, are_stored(held).T, strict=True)
            ]
            record = NetworkRecord(name, shapes, held, tuple(checksums))
            journal = self._folder / JOURNAL
            write_at(self._descriptors[journal], record.line(), self._ends[journal])
        except OSError as error:
            self._cut_tails()
            raise StoreError(
                f"cannot write {name} to the store {self._folder}: {error.strerror or error}; "
                f"the {len(self._records)} networks before it are kept"
            ) from error
        self._records.append(record)
        self._move_ends(record)

    def finish(self) -> None:
        """Turn the whole of the networks into a finished store.

        Raises:
            StoreError: Networks are missing, or the folder cannot be written.
        """
        if self.remaining:
            raise StoreError(
                f"{len(self.remaining)} networks of the store {self._folder} are not written yet"
            )
        marks = {}
        for terminal in self._plan.terminals:
            file = data_file(self._folder, terminal)
            with naming(file, "write"):
                os.fsync(self._descriptors[file])
            marks[file.name] = FileMark(self._ends[file])
        arrays = StoreArrays.of_networks(
            self._plan.terminals,
            [record.shapes for record in self._records],
            [record.holders for record in self._records],
            [record.checksums for record in self._records],
        )
        Manifest(self._plan, marks | arrays.save(self._folder)).save(self._folder)
        for leftover in (PLAN, JOURNAL):
            # The manifest stands: whether these two go or stay makes no difference to a reader.
            with suppress(OSError):
                (self._folder / leftover).unlink()

    def _open_files(self, stack: ExitStack) -> None:
        for file in self._ends:
            with naming(file, "open"):
                self._descriptors[file] = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
            stack.callback(os.close, self._descriptors[file])
        self._cut_tails()

    def _write_values(self, terminal: str, statistics: NetworkStatistics, layers: NDArray[np.int64]) -> int:
        file = data_file(self._folder, terminal)
        written, found = 0, 0
        for layer in layers.tolist():
            content = stored_form(statistics, layer, terminal)
            write_at(self._descriptors[file], content.data, self._ends[file] + written)
            found, written = checksum(content, found), written + content.size
        return found

    def _move_ends(self, record: NetworkRecord) -> None:
        self._ends[self._folder / JOURNAL] += len(record.line())
        arrays = record.arrays(self._plan.terminals)
        for terminal in self._plan.terminals:
            self._ends[data_file(self._folder, terminal)] += arrays.file_size(terminal)

    def _cut_tails(self) -> None:
        # The next network overwrites what stands behind the last whole one; cutting it frees a full disk.
        for file, descriptor in self._descriptors.items():
            with suppress(OSError):
                os.ftruncate(descriptor, self._ends[file])


def _begin_or_resume(folder: Path, plan: StorePlan) -> list[NetworkRecord]:
    with naming(folder, "read"):
        _remove_leftovers(folder)
        held = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    if MANIFEST in held:
        raise StoreError(f"the store {folder} is finished; choose another folder for a new one")
    if PLAN not in held:
        if held:
            raise StoreError(f"{folder} is no store and not empty: it holds {', '.join(held[:3])}")
        plan.save(folder)
    difference = StorePlan.load(folder).difference(plan)
    if difference is not None:
        raise StoreError(f"the unfinished store {folder} has {difference}; choose another folder")
    return list(intact_records(folder, plan, read_journal(folder, plan)))


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of documents and arrays in whose writing a process was killed."""
    for name in (PLAN, MANIFEST, *ARRAYS):
        for leftover in folder.glob(f".{name}.*"):
            leftover.unlink()
