"""Kernels that give a tensor the shape of a larger one that it is combined with.

`SHAPED` names them. An operand written out once can be read by every kernel of two arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, kernel, scalar

Array = NDArray[np.float32]
Sizes = NDArray[np.int64]

WHOLE = types.uint64


@scalar
def reach(sizes: Sizes) -> int:
    """The place of the last element of the source that is read."""
    place: int = (
        (sizes[0] - 1) * sizes[4]
        + (sizes[1] - 1) * sizes[5]
        + (sizes[2] - 1) * sizes[6]
        + (sizes[3] - 1) * sizes[7]
    )
    return place


@scalar
def innermost_run(sizes: Sizes) -> tuple[int, int, int]:
    """The last dimension that is walked by index, and the elements and step of the run of all those behind.

    Dimensions that continue each other become one, so that runs are as long as they can be.
    """
    axis, run, step = 2, sizes[3], sizes[7]
    while axis >= 0 and (sizes[axis] == 1 or run == 1 or sizes[4 + axis] == run * step):
        if run == 1:
            step = sizes[4 + axis]
        run *= sizes[axis]
        axis -= 1
    return axis, run, step


@kernel(SOURCE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, DESTINATION)
def write_runs(
    source: Array, plane_step: int, rows: int, row_step: int, run: int, step: int, destination: Array
) -> None:
    """Planes of rows, each row a run of elements of the source; the steps are from one to the next.

    The whole numbers are unsigned, since an index that may be negative stops the vectoriser.
    """
    plane = rows * run
    for first in range(np.uint64(destination.size) // plane):
        for second in range(rows):
            start = first * plane_step + second * row_step
            position = first * plane + second * run
            if step == 0:
                number = source[start]
                for i in range(run):
                    destination[position + i] = number
            elif step == 1:
                for i in range(run):
                    destination[position + i] = source[start + i]
            else:
                for i in range(run):
                    destination[position + i] = source[start + i * step]


@kernel(SOURCE, SIZES, DESTINATION)
def expand(source: Array, sizes: Sizes, destination: Array) -> None:
    """The elements of a tensor in the places of a broadcast shape.

    The sizes are the four of the destination, then for each dimension the elements of the source from one
    index to the next: 0 where they repeat. Missing dimensions have size 1.

    Raises:
        ValueError: The sizes are not that of the destination, or reach beyond the source.
    """
    if destination.size != sizes[0] * sizes[1] * sizes[2] * sizes[3]:
        raise ValueError("four sizes expected whose product is the number of elements")
    if destination.size == 0:
        return
    if reach(sizes) >= source.size or min(min(sizes[4], sizes[5]), min(sizes[6], sizes[7])) < 0:
        raise ValueError("four steps expected that stay within the source")
    axis, run, step = innermost_run(sizes)
    rows, row_step = (sizes[axis], sizes[4 + axis]) if axis >= 0 else (1, 0)
    planes, plane_step = (sizes[axis - 1], sizes[3 + axis]) if axis >= 1 else (1, 0)
    block = planes * rows * run
    for first in range(destination.size // block):
        start = first * sizes[4]
        write_runs(
            source[start:],
            plane_step,
            rows,
            row_step,
            run,
            step,
            destination[first * block : (first + 1) * block],
        )


SHAPED: Mapping[str, Callable[[Array, Sizes, Array], None]] = MappingProxyType({"expand": expand})
"""Kernels that change a shape: source, sizes, destination."""
