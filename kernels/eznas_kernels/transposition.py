"""Copies columns of float32 matrices into lanes, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from eznas_kernels.vectors import (
    DOUBLE_LANES,
    DOUBLES,
    LANES,
    Array,
    address_of,
    machine_type,
    read,
    shuffled,
    write,
)

BLOCK = 4
"""Rows and columns that are transposed together: instructions take numbers of two registers in any order only
within blocks of 128 bits."""


def _read_blocks(builder: Any, start: Any, step: Any, rows: int, last: Any) -> list[Any]:
    """Four numbers of each row, as four vectors of every fourth row; those after the last are the last."""
    row_numbers = [
        builder.select(builder.icmp_signed("<", i, last), i, last) for i in map(ir.IntType(64), range(rows))
    ]
    blocks = [read(builder, builder.gep(start, [builder.mul(row, step)]), BLOCK) for row in row_numbers]
    return [_joined(builder, blocks[i::BLOCK]) for i in range(BLOCK)]


def _columns_to_lanes(
    _typing: Any, source: Any, _start: Any, _step: Any, _rows: Any, workspace: Any, _to: Any
) -> Any:
    lanes = LANES if workspace.dtype == types.float32 else DOUBLE_LANES

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, step, rows, to_array, to = arguments
        address = address_of(context, builder, signature.args[0], array, start)
        to_address = address_of(context, builder, signature.args[4], to_array, to)
        last = builder.sub(rows, ir.IntType(64)(1))
        for column in _transposed(builder, _read_blocks(builder, address, step, lanes, last)):
            if workspace.dtype == types.float64:
                column = builder.fpext(column, machine_type(DOUBLES))
            write(builder, to_address, column)
            to_address = builder.gep(to_address, [ir.IntType(64)(lanes)])
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, types.intp, workspace, types.intp), generate


def _lanes_to_columns(
    _typing: Any, workspace: Any, _start: Any, destination: Any, _to: Any, _step: Any
) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, to_array, to, step = arguments
        address = address_of(context, builder, signature.args[0], array, start)
        to_address = address_of(context, builder, signature.args[2], to_array, to)
        columns = [
            read(builder, builder.gep(address, [ir.IntType(64)(i * LANES)]), LANES) for i in range(BLOCK)
        ]
        vectors = _transposed(builder, columns)
        for row in range(LANES):
            vector, first = vectors[row % BLOCK], row // BLOCK * BLOCK
            write(builder, to_address, shuffled(builder, vector, vector, range(first, first + BLOCK)))
            to_address = builder.gep(to_address, [step])
        return context.get_dummy_value()

    return types.void(workspace, types.intp, destination, types.intp, types.intp), generate


def _transposed(builder: Any, vectors: Sequence[Any]) -> list[Any]:
    """Exchange neighbours, then pairs, within the blocks of four vectors."""
    count = vectors[0].type.count
    blocks = range(0, count, BLOCK)
    low = [lane for i in blocks for lane in (i, count + i, i + 1, count + i + 1)]
    high = [lane + 2 for lane in low]
    pairs = [shuffled(builder, vectors[i], vectors[i + 1], order) for i in (0, 2) for order in (low, high)]
    low = [lane for i in blocks for lane in (i, i + 1, count + i, count + i + 1)]
    high = [lane + 2 for lane in low]
    return [shuffled(builder, pairs[i], pairs[i + 2], order) for i in (0, 1) for order in (low, high)]


def _joined(builder: Any, parts: Sequence[Any]) -> Any:
    """Vectors of one size as one vector, of twice as many or four times as many numbers."""
    while len(parts) > 1:
        whole = range(2 * parts[0].type.count)
        parts = [shuffled(builder, parts[i], parts[i + 1], whole) for i in range(0, len(parts), 2)]
    return parts[0]


columns_to_lanes = cast(
    "Callable[[NDArray[np.float32], int, int, int, Array, int], None]", intrinsic(_columns_to_lanes)
)
"""Copy the first 4 numbers of as many rows as there are lanes, each column as a vector.

The source, its start, the step between rows, and their number; lanes beyond it repeat the last row. Then the
workspace, of float32 or float64, and the place of the first column in it.
"""

lanes_to_columns = cast(
    "Callable[[NDArray[np.float32], int, NDArray[np.float32], int, int], None]", intrinsic(_lanes_to_columns)
)
"""Copy 4 vectors of float32 back as columns of rows: the workspace, the place of the first vector, the
destination, its start, and the step between rows."""
