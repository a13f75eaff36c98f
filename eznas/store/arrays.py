"""The arrays of a store: where each layer of each network begins, its shapes, and the checksums."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

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
    OFFSETS,
    SHAPES,
    FileMark,
)
from eznas.terminals import Geometry, Shape

PaddedShape = tuple[int, ...]
"""Four numbers: a shape filled up with -1, or all -1 for an absent tensor."""


@dataclass(frozen=True, eq=False)
class StoreArrays:
    """The arrays of a store, as `eznas.store.layout` describes them."""

    shapes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    first_layers: NDArray[np.int64]
    checksums: NDArray[np.uint32]

    @classmethod
    def of_networks(
        cls, networks: Sequence[Sequence[Sequence[PaddedShape]]], checksums: Sequence[Sequence[int]]
    ) -> Self:
        """The arrays for networks, each given by its layers, each of these by the shapes of its families."""
        shapes = np.array([layer for network in networks for layer in network], np.int64)
        offsets = np.zeros((len(shapes) + 1, len(FAMILIES)), np.int64)
        np.cumsum(value_counts(shapes), axis=0, out=offsets[1:])
        first_layers = np.cumsum([0, *(len(network) for network in networks)], dtype=np.int64)
        return cls(shapes, offsets, first_layers, np.array(checksums, np.uint32))

    def save(self, folder: Path) -> dict[str, FileMark]:
        """Write the arrays and give the marks of their files.

        Raises:
            StoreError: A file cannot be written.
        """
        marks = {}
        arrays: tuple[NDArray[Any], ...] = (self.shapes, self.offsets, self.first_layers, self.checksums)
        for name, array in zip(ARRAYS, arrays, strict=True):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            with naming(folder / name, "write"):
                write_whole(folder / name, buffer.getvalue())
            marks[name] = FileMark(len(buffer.getvalue()), checksum(buffer.getvalue()))
        return marks

    @classmethod
    def load(cls, folder: Path, marks: Mapping[str, FileMark], networks: int, terminals: int) -> Self:
        """Read the arrays of a store with so many networks and terminals.

        Raises:
            StoreError: A file is missing, truncated, altered or not the array that it should be.
        """

        def array(name: str, dtype: type[Any], *shape: int) -> NDArray[Any]:
            return _load(folder / name, marks[name], np.dtype(dtype), shape)

        first_layers = array(FIRST_LAYERS, np.int64, networks + 1)
        layers = int(first_layers[-1])
        return cls(
            array(SHAPES, np.int64, layers, len(FAMILIES), DIMENSIONS),
            array(OFFSETS, np.int64, layers + 1, len(FAMILIES)),
            first_layers,
            array(CHECKSUMS, np.uint32, networks, terminals),
        )

    @cached_property
    def geometries(self) -> tuple[Geometry, ...]:
        """The geometry of every layer; equal ones are one object."""
        known: dict[PaddedShape, Geometry] = {}
        return tuple(
            known.setdefault(tuple(layer.ravel().tolist()), Geometry(*map(_shape, layer.tolist())))
            for layer in self.shapes
        )


def padded_shapes(geometry: Geometry, kept: Sequence[int]) -> tuple[PaddedShape, ...]:
    """The shapes of a layer's families as a store keeps them; of other families than these, none.

    Raises:
        StoreError: A shape with no or with more than four dimensions.
    """
    shapes = (geometry.t1, geometry.t2, geometry.t3, geometry.t4)
    return tuple(_padded(shape if index in kept else None) for index, shape in enumerate(shapes))


def value_counts(shapes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many values the tensors of these padded shapes (..., 4) have: 0 where they are absent."""
    counts: NDArray[np.int64] = np.where(shapes < 0, 1, shapes).prod(axis=-1) * (shapes[..., 0] >= 0)
    return counts


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
