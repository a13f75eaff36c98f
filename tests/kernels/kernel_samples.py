"""Arrays that kernels must get right, and places in memory to put them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from strategies import SPECIALS

Array = NDArray[np.float32]

SIZES = (0, 1, 7, 8, 9, 31, 33, 64, 257)
"""None, one, and around the widths of vectors and of unrolled loops."""

STARTS = (0, 1, 3)
"""Places in a buffer; all but the first are unaligned."""


def awkward(size: int, seed: int) -> Array:
    """Numbers of all magnitudes, numbers around one, and NaN, infinities, signed zeros and subnormals."""
    generator = np.random.default_rng([size, seed])
    any_bits = generator.integers(0, 2**32, size, np.uint32).view(np.float32)
    near_one = generator.normal(size=size).astype(np.float32)
    special = generator.choice(np.array(SPECIALS, np.float32), size)
    return np.choose(generator.integers(0, 3, size), [any_bits, near_one, special])


def ordinary(size: int, seed: int) -> Array:
    """Numbers around one."""
    return np.random.default_rng([size, seed]).normal(1.0, 2.0, size).astype(np.float32)


def placed(values: Array, start: int) -> Array:
    """The values at a start within a larger buffer."""
    buffer = np.full(values.size + start + 8, 12345.0, np.float32)
    view = buffer[start : start + values.size]
    view[:] = values
    return view


def places() -> Iterator[tuple[int, int]]:
    """All pairs of a size and a start."""
    return ((size, start) for size in SIZES for start in STARTS)


class Destination:
    """Memory to write to, with guarded surroundings."""

    def __init__(self, size: int, start: int) -> None:
        self._buffer = np.full(size + start + 40, 12345.0, np.float32)
        self.array = self._buffer[start : start + size]
        self._outside = np.ones(self._buffer.size, bool)
        self._outside[start : start + size] = False

    def assert_surroundings_untouched(self) -> None:
        assert (self._buffer[self._outside] == 12345.0).all()


def units_in_the_last_place(found: Array, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distance in units of the expected float32 number; 0 where both are one infinity or both NaN."""
    with np.errstate(all="ignore"):
        rounded = expected.astype(np.float32)
        same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
        distance = np.abs(found - expected) / np.spacing(np.abs(rounded)).astype(np.float64)
    distance[~np.isfinite(found) | ~np.isfinite(rounded)] = np.inf
    distance[same & ~np.isfinite(rounded)] = 0.0
    return distance
