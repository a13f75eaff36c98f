"""The arrays of a store: the shapes of each layer, where it has its tensors from, and the checksums."""

from __future__ import annotations

import io
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from eznas.errors import StoreError
from eznas.files import write_whole
from eznas.store.disk import checksum, naming
from eznas.store.layout import (
    ARRAYS,
    CHECKSUMS,
    DIMENSIONS,
    FAMILIES,
    FIRST_LAYERS,
    FLOAT,
    HOLDERS,
    OFFSETS,
    SHAPES,
    VERSION,
    FileMark,
    Manifest,
    family_index,
)
from eznas.terminals import Geometry, Shape

PaddedShape = tuple[int, ...]
"""Four numbers: a shape filled up with -1, or all -1 for an absent tensor."""

_MOST_VALUES: Final = 2**53
"""Of all tensors together, 32 PiB; so few are counted exactly by integers and floating-point numbers."""


@dataclass(frozen=True, eq=False)
class StoreArrays:
    """The arrays of a store of some terminals, as `eznas.store.layout` describes them."""

    terminals: tuple[str, ...]
    shapes: NDArray[np.int64]
    holders: NDArray[np.int64]
    first_layers: NDArray[np.int64]
    checksums: NDArray[np.uint32]

    @classmethod
    def of_networks(
        cls,
        terminals: tuple[str, ...],
        shapes: Sequence[NDArray[np.int64]],
        holders: Sequence[NDArray[np.int64]],
        checksums: Sequence[Sequence[int]],
    ) -> Self:
        """The arrays for networks, of which each is given by its shapes, holders and checksums."""
        first_layers = np.cumsum([0, *map(len, shapes)], dtype=np.int64)
        counted = [network + first for network, first in zip(holders, first_layers[:-1], strict=True)]
        numbers = np.array(checksums, np.uint32)
        return cls(terminals, np.concatenate(shapes), np.concatenate(counted), first_layers, numbers)

    def save(self, folder: Path) -> dict[str, FileMark]:
        """Write the arrays and give the marks of their files.

        Raises:
            StoreError: A file cannot be written.
        """
        marks = {}
        arrays: tuple[NDArray[Any], ...] = (self.shapes, self.holders, self.first_layers, self.checksums)
        for name, array in zip(ARRAYS, arrays, strict=True):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            with naming(folder / name, "write"):
                write_whole(folder / name, buffer.getvalue())
            marks[name] = FileMark(len(buffer.getvalue()), checksum(buffer.getvalue()))
        return marks

    @classmethod
    def load(cls, folder: Path, manifest: Manifest) -> Self:
        """Read the arrays of a finished store, of either version.

        Raises:
            StoreError: A file is missing, truncated, altered or not the array that it should be, or names
                layers or sizes that cannot be.
        """
        terminals, networks = manifest.plan.terminals, len(manifest.plan.names)

        def array(name: str, dtype: type[Any], *shape: int) -> NDArray[Any]:
            return _load(folder / name, manifest.files[name], np.dtype(dtype), shape)

        first_layers = array(FIRST_LAYERS, np.int64, networks + 1)
        layers = int(first_layers[-1])
        shapes = array(SHAPES, np.int64, layers, len(FAMILIES), DIMENSIONS)
        checksums = array(CHECKSUMS, np.uint32, networks, len(terminals))
        if manifest.version == VERSION:
            holders = array(HOLDERS, np.int64, layers, len(terminals))
        else:
            holders = np.repeat(np.arange(layers)[:, None], len(terminals), axis=1)
        arrays = cls(terminals, shapes, holders, first_layers, checksums)
        wrong = arrays.contradiction()
        if wrong is not None:
            raise StoreError(f"{folder / wrong[0]} is damaged: {wrong[1]}")
        if manifest.version != VERSION:
            offsets = array(OFFSETS, np.int64, layers + 1, len(FAMILIES))
            if offsets[0].any() or not np.array_equal(np.diff(offsets, axis=0), value_counts(shapes)):
                raise StoreError(
                    f"{folder / OFFSETS} is damaged: it parts layers elsewhere than {SHAPES} does"
                )
        return arrays

    def contradiction(self) -> tuple[str, str] | None:
        """The first file that holds what cannot be, and what that is; None for arrays that can be trusted.

        Then every tensor lies within its network's part of a file, and layers that share one have its shape.
        """
        # Compared, for differences may wrap around.
        if self.first_layers[0] != 0 or (self.first_layers[1:] < self.first_layers[:-1]).any():
            return FIRST_LAYERS, "expected layers counted from 0 upwards"
        if (self.shapes < -1).any():
            return SHAPES, "expected sizes of at least 0, and -1 where there is none"
        kept = np.isin(np.arange(len(FAMILIES)), self._families)
        if ((self.shapes[:, :, 0] >= 0) != kept).any():
            return SHAPES, f"expected the shapes of what {', '.join(self.terminals)} need, and no others"
        # Products of integers may wrap around.
        if _counted(self.shapes, np.float64).sum() >= _MOST_VALUES:
            return SHAPES, "expected tensors that a file can hold"
        # Four times as fast as `nonzero` of two dimensions.
        layers, columns = np.divmod(np.flatnonzero(~self._stored), len(self.terminals))
        holders = self.holders[layers, columns]
        firsts = np.repeat(self.first_layers[:-1], np.diff(self.first_layers))
        if ((holders < firsts[layers]) | (holders > layers)).any():
            return HOLDERS, "expected layers to share the tensors of earlier layers of their network"
        if (self.holders[holders, columns] != holders).any():
            return HOLDERS, "expected layers to share tensors that are stored"
        families = self._families[columns]
        if (self.shapes[holders, families] != self.shapes[layers, families]).any():
            return HOLDERS, "expected layers to share tensors of one shape"
        return None

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """How many values each terminal's file holds before those of each layer, and at the end of all.

        Of shape (layers + 1, terminals). Layers that share another's tensor have none of their own.
        """
        counts = value_counts(self.shapes)[:, self._families] * self._stored
        starts = np.zeros((len(counts) + 1, len(self.terminals)), np.int64)
        np.cumsum(counts, axis=0, out=starts[1:])
        return starts

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Where each layer's tensor begins in each terminal's file, in values; (layers, terminals)."""
        return np.take_along_axis(self.starts, self.holders, axis=0)

    def file_size(self, terminal: str) -> int:
        """How many bytes the file of a terminal has."""
        return FLOAT.itemsize * int(self.starts[-1, self.terminals.index(terminal)])

    @cached_property
    def _stored(self) -> NDArray[np.bool_]:
        return are_stored(self.holders)

    @cached_property
    def _families(self) -> NDArray[np.int64]:
        return np.array([family_index(terminal) for terminal in self.terminals], np.int64)

    @cached_property
    def geometries(self) -> tuple[Geometry, ...]:
        """The geometry of every layer; equal ones are one object."""
        known: dict[PaddedShape, Geometry] = {}
        return tuple(
            known.setdefault(tuple(layer.ravel().tolist()), Geometry(*map(_shape, layer.tolist())))
            for layer in self.shapes
        )


def padded_shapes(geometries: Sequence[Geometry], terminals: Sequence[str]) -> NDArray[np.int64]:
    """The shapes of a network's layers as a store of these terminals keeps them: (layers, 4 families, 4).

    Raises:
        StoreError: A shape with no or with more than four dimensions.
    """
    kept = {family_index(terminal) for terminal in terminals}
    known = {geometry: _padded_families(geometry, kept) for geometry in set(geometries)}
    shapes = np.array([known[geometry] for geometry in geometries], np.int64)
    return shapes.reshape(-1, len(FAMILIES), DIMENSIONS)


def are_stored(holders: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a layer's tensor of a terminal is stored for itself, by the holders of (layers, terminals)."""
    stored: NDArray[np.bool_] = holders == np.arange(len(holders))[:, None]
    return stored


def value_counts(shapes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many values the tensors of these padded shapes (..., 4) have: 0 where they are absent."""
    return _counted(shapes, np.int64)


def _counted(shapes: NDArray[np.int64], dtype: type[Any]) -> NDArray[Any]:
    sizes = np.where(shapes < 0, 1, shapes).astype(dtype, copy=False)
    # `prod` over so short an axis takes four times as long as this.
    counts: NDArray[Any] = sizes[..., 0] * sizes[..., 1] * sizes[..., 2] * sizes[..., 3]
    return counts * (shapes[..., 0] >= 0)


def _padded_families(geometry: Geometry, kept: Container[int]) -> tuple[PaddedShape, ...]:
    shapes = (geometry.t1, geometry.t2, geometry.t3, geometry.t4)
    return tuple(_padded(shape if index in kept else None) for index, shape in enumerate(shapes))


def _padded(shape: Shape | None) -> PaddedShape:
    if shape is None:
        return (-1,) * DIMENSIONS
    if not 1 <= len(shape) <= DIMENSIONS:
        raise StoreError(f"expected tensors of one to {DIMENSIONS} dimensions, got the shape {shape}")
    return (*shape, *(-1,) * (DIMENSIONS - len(shape)))


def _shape(padded: Sequence[int]) -> Shape | None:
    return tuple(size for size in padded if size >= 0) or None


def _load(file: Path, mark: FileMark, dtype: np.dtype[Any], shape: Shape) -> NDArray[Any]:
    with naming(file, "read"):
        content = file.read_bytes()
    if len(content) != mark.bytes:
        raise StoreError(
            f"{file} is {'truncated' if len(content) < mark.bytes else 'too long'}: "
            f"expected {mark.bytes} bytes, got {len(content)}"
        )
    if checksum(content) != mark.crc32:
        raise StoreError(f"{file} was altered: its checksum differs")
    try:
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise StoreError(f"{file} is not a plain array: {error}") from error
    if array.dtype != dtype or array.shape != shape:
        raise StoreError(f"{file}: expected {dtype} {shape}, got {array.dtype} {array.shape}")
    return array
