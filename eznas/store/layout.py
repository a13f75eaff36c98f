"""What lies in the folder of a store.

A finished store holds

- `T1_D.f32` and so on: for each terminal its tensors, little-endian float32; layers of a network one after
  the other, networks in the order of their names. A tensor of the same shape and the same bytes as one of an
  earlier layer of the same network is not stored again: the layers share it;
- `shapes.npy`: (layers, 4 families, 4 dimensions) int64, filled up with -1; all -1 where a family is absent;
- `holders.npy`: (layers, terminals) int64, the layer that each layer has its tensor from, counted over the
  whole store: itself where it is stored, else the first layer of its network with an equal one;
- `first_layers.npy`: (networks + 1,) int64, the first layer of each network;
- `checksums.npy`: (networks, terminals) uint32, CRC-32 of what each file holds of each network;
- `manifest.json`: format, version, settings, names, terminals, torch, and by what each file is known to be
  whole.

Where a tensor begins is nowhere written, so that nothing can point outside of a file: it is the sum of the
sizes of what is stored before its holder's.

An unfinished store has no manifest but `plan.json`, which says what it is to hold, and `journal.jsonl`, one
line for each network that is wholly written: its name, shapes and checksums, and the holders of its tensors,
counted within the network. Both documents and each line carry a checksum of themselves. Nothing is ever
unpickled.

That is version 2. Version 1, which is read and no longer written, stored every tensor. In place of
`holders.npy` it has `offsets.npy`: (layers + 1, 4 families) int64, where each layer begins, in values from
the start of a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from eznas.errors import StoreError
from eznas.files import write_whole
from eznas.store.disk import checksum, naming
from eznas.terminals import TERMINALS, Family

FORMAT: Final = "eznas-statistics"
VERSION: Final = 2
"""What is written."""
WITHOUT_SHARING: Final = 1
"""What is still read."""
FLOAT: Final = np.dtype("<f4")
DIMENSIONS: Final = 4
FAMILIES: Final = tuple(Family)

MANIFEST: Final = "manifest.json"
PLAN: Final = "plan.json"
JOURNAL: Final = "journal.jsonl"
SHAPES: Final = "shapes.npy"
HOLDERS: Final = "holders.npy"
OFFSETS: Final = "offsets.npy"
FIRST_LAYERS: Final = "first_layers.npy"
CHECKSUMS: Final = "checksums.npy"
ARRAYS: Final = (SHAPES, HOLDERS, FIRST_LAYERS, CHECKSUMS)
ARRAYS_WITHOUT_SHARING: Final = (SHAPES, OFFSETS, FIRST_LAYERS, CHECKSUMS)


def data_file(folder: Path, terminal: str) -> Path:
    """Where the values of a terminal lie."""
    return folder / f"{terminal}.f32"


def family_index(terminal: str) -> int:
    """The place of a terminal's family in the arrays."""
    return FAMILIES.index(TERMINALS[terminal].family)


@dataclass(frozen=True, slots=True)
class StorePlan:
    """What a store is to hold, fixed before its first network is written."""

    names: tuple[str, ...]
    """The networks, in order; architecture texts in the stores of a task."""
    terminals: tuple[str, ...]
    settings: Mapping[str, Any]
    """How the statistics were taken: seeds, inputs, structure and so on; JSON."""
    torch: str
    """The version of torch that computed the statistics."""

    @classmethod
    def checked(
        cls, names: tuple[str, ...], terminals: tuple[str, ...], settings: Mapping[str, Any], torch: str
    ) -> Self:
        """A plan whose parts can be stored.

        Raises:
            StoreError: No or equal names, no, equal or unknown terminals, or settings that are not JSON.
        """
        if not names or len(set(names)) < len(names):
            raise StoreError(f"expected distinct names of networks, at least one, got {len(names)}")
        unknown = [name for name in terminals if name not in TERMINALS]
        if unknown:
            raise StoreError(f"unknown terminal {unknown[0]!r}; the terminals are {', '.join(TERMINALS)}")
        if not terminals or len(set(terminals)) < len(terminals):
            raise StoreError(
                f"expected distinct terminals, at least one, got {', '.join(terminals) or 'none'}"
            )
        ordered = tuple(name for name in TERMINALS if name in terminals)
        try:
            restored = json.loads(json.dumps(dict(settings), allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise StoreError(f"expected settings that JSON can hold: {error}") from error
        return cls(names, ordered, restored, torch)

    def save(self, folder: Path) -> None:
        """Write the plan of an unfinished store."""
        _write_document(folder / PLAN, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the plan of an unfinished store.

        Raises:
            StoreError: It is foreign, damaged or not of the version that is written.
        """
        document = _read_document(folder / PLAN)
        if document["version"] != VERSION:
            raise StoreError(
                f"the unfinished store {folder} has format version {document['version']}, which is read when "
                f"finished and no longer written: finish it with the eznas that began it, or remove the "
                f"folder and collect into version {VERSION}, which takes less disk"
            )
        return cls.from_document(document, folder / PLAN)

    @classmethod
    def from_document(cls, document: Mapping[str, Any], file: Path) -> Self:
        """The plan in a document that was read from a file, which errors name."""
        try:
            plan = cls(
                tuple(document["names"]),
                tuple(document["terminals"]),
                dict(document["settings"]),
                str(document["torch"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{file} is damaged: {error!r}") from error
        unknown = [name for name in plan.terminals if name not in tuple(TERMINALS)]
        if unknown:
            raise StoreError(f"{file} is damaged: unknown terminal {unknown[0]!r}")
        if not plan.terminals or len(set(plan.terminals)) < len(plan.terminals):
            raise StoreError(f"{file} is damaged: expected distinct terminals, at least one")
        return plan

    def difference(self, asked: StorePlan) -> str | None:
        """The first thing in which another plan differs from this one, for messages; None if nothing does."""
        pairs: list[tuple[str, object, object]] = [
            ("number of networks", len(self.names), len(asked.names)),
            *(("network", was, now) for was, now in zip(self.names, asked.names, strict=False)),
            ("list of terminals", ", ".join(self.terminals), ", ".join(asked.terminals)),
            *(
                (f"setting {key!r}", self.settings.get(key), asked.settings.get(key))
                for key in sorted({*self.settings, *asked.settings})
            ),
            ("version of torch", self.torch, asked.torch),
        ]
        for what, was, now in pairs:
            if was != now:
                return f"another {what}: {_short(was)} there, {_short(now)} asked for"
        return None


@dataclass(frozen=True, slots=True)
class FileMark:
    """By what a file is known to be whole."""

    bytes: int
    crc32: int | None = None
    """None for data files: their checksums are kept for each network, so that opening need not read them."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A finished store."""

    plan: StorePlan
    files: Mapping[str, FileMark]
    version: int = VERSION

    def save(self, folder: Path) -> None:
        """Write the manifest, which makes a folder a finished store."""
        marks = {name: asdict(mark) for name, mark in self.files.items()}
        _write_document(folder / MANIFEST, {**asdict(self.plan), "files": marks})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the manifest of a finished store.

        Raises:
            StoreError: There is none, or it is foreign, damaged or of a newer version.
        """
        file = folder / MANIFEST
        document = _read_document(file)
        plan = StorePlan.from_document(document, file)
        try:
            files = {name: FileMark(**mark) for name, mark in document["files"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{file} is damaged: {error!r}") from error
        version = document["version"]
        arrays = ARRAYS if version == VERSION else ARRAYS_WITHOUT_SHARING
        if set(files) != {data_file(folder, terminal).name for terminal in plan.terminals} | set(arrays):
            raise StoreError(f"{file} is damaged: it names other files than its terminals need")
        return cls(plan, files, version)


def _write_document(file: Path, content: Mapping[str, Any]) -> None:
    document = {"format": FORMAT, "version": VERSION, **content}
    document["checksum"] = checksum(_canonical(document))
    with naming(file, "write"):
        write_whole(file, json.dumps(document, indent=1).encode())


def _read_document(file: Path) -> Mapping[str, Any]:
    with naming(file, "read"):
        content = file.read_bytes()
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StoreError(f"{file} is not part of a statistics store: expected the format {FORMAT!r}")
    if document.get("version") not in (WITHOUT_SHARING, VERSION):
        raise StoreError(
            f"{file} has format version {document.get('version')}, "
            f"this eznas reads versions {WITHOUT_SHARING} and {VERSION}"
        )
    if document.pop("checksum", None) != checksum(_canonical(document)):
        raise StoreError(f"{file} was altered: its checksum differs")
    return document


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
