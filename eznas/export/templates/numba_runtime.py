"""What generated Numba files are built upon: how they are compiled, and shapes of up to four dimensions.

Tensors are flat arrays beside a shape of four sizes, padded by ones in front.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels import reductions
from eznas_kernels.calling import caller

Array = NDArray[np.float32]
Shape = tuple[int, int, int, int]

SOURCE = types.Array(types.float32, 1, "C", readonly=True)
DESTINATION = types.Array(types.float32, 1, "C")
SIZES = types.Array(types.int64, 1, "C", readonly=True)
SHAPE = numba.typeof((1, 1, 1, 1))  # type: ignore[no-untyped-call]
PAIR = numba.typeof((np.float32(0.0), np.float32(0.0)))  # type: ignore[no-untyped-call]
STATISTIC = types.Array(types.float32, 4, "C", readonly=True)
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False, "fastmath": False}

ONES = (1, 1, 1, 1)
ZERO = np.float32(0.0)


def scalar(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that kernels call."""
    compiled: Callable[..., Any] = numba.njit(**OPTIONS)(function)
    return compiled


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function to become part of its callers, so that their loops vectorise."""
    compiled: Callable[..., Any] = numba.njit(**OPTIONS, forceinline=True)(function)
    return compiled


def kernel(*signature: types.Type, returns: types.Type = types.void) -> Callable[..., Any]:
    """Compile a function of arrays for one signature."""
    return compile_for(returns(*signature))


def reduction(*signature: types.Type, returns: types.Type = types.float64) -> Callable[..., Any]:
    """Compile a sum, whose additions may be reordered, which vectorising them takes."""
    return compile_for(returns(*signature), fastmath={"reassoc"})


def compile_for(signature: Any, **options: Any) -> Callable[..., Any]:
    """Compile for one signature, and keep the code beside this file where it can be written."""
    settings = {**OPTIONS, **options}

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            kept: Callable[..., Any] = numba.njit(signature, cache=True, **settings)(function)
        except (RuntimeError, OSError, ImportError):
            # No file, no room, or code kept by a process that loaded this file under no name.
            kept = numba.njit(signature, **settings)(function)
        return kept

    return compiled


@scalar
def size_of(shape: Shape) -> int:
    """The number of elements."""
    return shape[0] * shape[1] * shape[2] * shape[3]


@scalar
def check_same(a: Shape, b: Shape) -> None:
    """Refuse statistics of one kind that differ in shape."""
    if a != b:
        raise ValueError("expected one shape for the statistics of one tensor, these differ")


@scalar
def common_dimension(a: int, b: int) -> int:
    """The size of a dimension in which two tensors are combined; a 1 stretches."""
    if a != b and a != 1 and b != 1:
        raise ValueError("expected shapes that broadcast, these do not")
    return b if a == 1 else a


@scalar
def broadcast(a: Shape, b: Shape) -> Shape:
    """The common shape of two."""
    return (
        common_dimension(a[0], b[0]),
        common_dimension(a[1], b[1]),
        common_dimension(a[2], b[2]),
        common_dimension(a[3], b[3]),
    )


@scalar
def shape_of_determinants(shape: Shape) -> Shape:
    """One number for each square matrix."""
    if shape[2] != shape[3]:
        raise ValueError("expected square matrices for a determinant, these are not")
    return (1, 1, shape[0], shape[1])


@scalar
def shape_of_products(a: Shape, b: Shape) -> Shape:
    """The shape of the products of matrices."""
    if a[3] != b[2]:
        raise ValueError("expected matrices that multiply, these do not")
    return (common_dimension(a[0], b[0]), common_dimension(a[1], b[1]), a[2], b[3])


@scalar
def as_column(shape: Shape) -> Shape:
    """A vector as a matrix of one column."""
    return (1, 1, shape[3], 1)


@scalar
def without_rows(shape: Shape) -> Shape:
    """Matrices of one row as vectors."""
    return (1, shape[0], shape[1], shape[3])


@scalar
def without_columns(shape: Shape) -> Shape:
    """Matrices of one column as vectors."""
    return (1, shape[0], shape[1], shape[2])


@kernel(SOURCE, SHAPE, SHAPE, returns=SOURCE)
def stretched(source: Array, shape: Shape, wanted: Shape) -> Array:
    """The elements in the places of a shape that it broadcasts to."""
    if shape == wanted:
        return source
    destination = np.empty(size_of(wanted), np.float32)
    # From one index to the next; 0 where elements repeat.
    step_2 = shape[3] if shape[2] > 1 else 0
    step_1 = shape[2] * shape[3] if shape[1] > 1 else 0
    step_0 = shape[1] * shape[2] * shape[3] if shape[0] > 1 else 0
    length = wanted[3]
    to = 0
    for first in range(wanted[0]):
        for second in range(wanted[1]):
            for third in range(wanted[2]):
                start = first * step_0 + second * step_1 + third * step_2
                if shape[3] == 1:
                    destination[to : to + length] = source[start]
                else:
                    destination[to : to + length] = source[start : start + length]
                to += length
    return destination


@kernel(types.float32, SHAPE, returns=DESTINATION)
def filled(number: np.float32, shape: Shape) -> Array:
    """The same number everywhere."""
    return np.full(size_of(shape), number, np.float32)


@kernel(SOURCE, returns=PAIR)
def mean_and_deviation(source: Array) -> tuple[np.float32, np.float32]:
    """The mean and the unbiased standard deviation, each rounded once."""
    shift = np.float64(source[0]) if source.size > 0 and np.isfinite(source[0]) else 0.0
    total, squares = reductions.sum_of_distances(source, shift)
    distance = total / source.size
    variance = (squares - total * distance) / (source.size - 1)
    # Rounding may leave less than nothing of numbers that hardly differ.
    return np.float32(shift + distance), np.float32(np.sqrt(0.0 if variance < 0.0 else variance))


@inlined
def normalized(a: np.float32, mean: np.float32, deviation: np.float32) -> np.float32:
    """The distance from the mean in deviations; NaN becomes 0."""
    distance = np.float32(a - mean) / deviation
    return distance if distance == distance else ZERO


# Through their addresses: code that calls a matrix routine by its name would be optimised with it once more,
# which takes seconds.
call_on_one = caller(SOURCE, SIZES, DESTINATION)
call_on_two = caller(SOURCE, SOURCE, SIZES, DESTINATION)


@scalar
def softmax_over(address: int, source: Array, outer: int, length: int, inner: int) -> Array:
    """The softmax over the middle one of three dimensions."""
    destination = np.empty(source.size, np.float32)
    call_on_one(address, (source, np.array([outer, length, inner]), destination))
    return destination


@scalar
def for_each_matrix(address: int, source: Array, shape: Shape) -> Array:
    """A number for each square matrix."""
    destination = np.empty(shape[0] * shape[1], np.float32)
    call_on_one(address, (source, np.array([shape[3]]), destination))
    return destination


@scalar
def of_rows(address: int, source: Array, rows: int) -> np.float32:
    """A number for a tensor seen as rows."""
    if rows == 0:
        raise ValueError("expected a tensor with rows, this has none")
    destination = np.empty(1, np.float32)
    call_on_one(address, (source, np.array([rows]), destination))
    number: np.float32 = destination[0]
    return number


@scalar
def of_rows_of_two(
    address: int, first: Array, first_rows: int, second: Array, second_rows: int
) -> np.float32:
    """A number for two tensors seen as rows."""
    if first_rows == 0 or second_rows == 0:
        raise ValueError("expected tensors with rows, one has none")
    sizes = np.array([first_rows, first.size // first_rows, second_rows, second.size // second_rows])
    destination = np.empty(1, np.float32)
    call_on_two(address, (first, second, sizes, destination))
    number: np.float32 = destination[0]
    return number


@scalar
def products_of(
    address: int, first: Array, first_shape: Shape, second: Array, second_shape: Shape, shape: Shape
) -> Array:
    """The products of matrices; one matrix meets all those of the other."""
    rows, inner, columns = shape[2], first_shape[3], shape[3]
    first_step = 0 if first_shape[0] * first_shape[1] == 1 else rows * inner
    second_step = 0 if second_shape[0] * second_shape[1] == 1 else inner * columns
    first_wanted = (shape[0], shape[1], rows, inner) if first_step > 0 else first_shape
    second_wanted = (shape[0], shape[1], inner, columns) if second_step > 0 else second_shape
    destination = np.empty(size_of(shape), np.float32)
    sizes = np.array([rows, inner, columns, first_step, second_step])
    left = stretched(first, first_shape, first_wanted)
    right = stretched(second, second_shape, second_wanted)
    call_on_two(address, (left, right, sizes, destination))
    return destination
