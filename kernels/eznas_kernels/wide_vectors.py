"""Vectors that fill four registers, for loops of many operations each of which waits for the one before.

An operation becomes four instructions that do not wait for each other. The compiler would put whole
vectors one after the other, and a processor does not look that far ahead. `vectors.add` and its like work on
these vectors too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from eznas_kernels.vectors import (
    LANES,
    Vector,
    VectorType,
    address_of,
    all_lanes,
    call_intrinsic,
    read,
    shuffled,
)

WIDTH: Final = 4 * LANES
"""Numbers in a wide vector."""

AHEAD: Final = 1024
"""Numbers by which memory is fetched ahead of a load: a page, at whose end processors stop doing so."""

_LINE: Final = 16
"""Numbers in a line of the cache."""

_NUMBERS = ir.VectorType(ir.FloatType(), WIDTH)
_BITS = ir.VectorType(ir.IntType(32), WIDTH)
_STRAIN = ir.VectorType(ir.IntType(32), LANES)

_WIDE = VectorType(types.float32, WIDTH)
_DOUBLES = VectorType(types.float64, WIDTH // 2)
# Bits are kept as numbers, which the processor does not look at.
_LARGEST = VectorType(types.float32, LANES)

Array = NDArray[np.float32]


def _load_and_fetch(_typing: Any, array: Any, _offset: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = address_of(context, builder, signature.args[0], *arguments)
        for line in range(0, WIDTH, _LINE):
            _fetch(builder, builder.gep(address, [ir.IntType(64)(AHEAD + line)]))
        return read(builder, address, WIDTH)

    return _WIDE(array, types.intp), generate


def _fetch(builder: Any, address: Any) -> None:
    """Bring a line into the caches; an address of no memory does no harm."""
    pointer, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
    function_type = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
    function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], function_type)
    to_read, into_all_caches, of_data = flag(0), flag(3), flag(1)
    builder.call(function, [builder.bitcast(address, pointer), to_read, into_all_caches, of_data])


def _spread(_typing: Any, number: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return all_lanes(builder, builder.bitcast(arguments[0], ir.FloatType()), _WIDE)

    return _WIDE(number), generate


def _spread_double(_typing: Any, number: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return all_lanes(builder, arguments[0], _DOUBLES)

    return _DOUBLES(number), generate


def _from_whole(_typing: Any, vector: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.sitofp(builder.bitcast(arguments[0], _BITS), _NUMBERS)

    return vector(vector), generate


def _nothing(_typing: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        return builder.bitcast(ir.Constant(_STRAIN, [0] * LANES), ir.VectorType(ir.FloatType(), LANES))

    return _LARGEST(), generate


def _larger_bits(_typing: Any, largest: Any, vector: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def larger(first: Any, second: Any) -> Any:
            return builder.select(builder.icmp_unsigned(">", first, second), first, second)

        known, bits = builder.bitcast(arguments[0], _STRAIN), builder.bitcast(arguments[1], _BITS)
        # By halves, so that but one register holds what is known.
        parts = [shuffled(builder, bits, bits, range(i, i + LANES)) for i in range(0, WIDTH, LANES)]
        while len(parts) > 1:
            parts = [larger(*parts[i : i + 2]) for i in range(0, len(parts), 2)]
        return builder.bitcast(larger(parts[0], known), ir.VectorType(ir.FloatType(), LANES))

    return largest(largest, vector), generate


def _largest_bits(_typing: Any, largest: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        name = f"llvm.vector.reduce.umax.v{LANES}i32"
        return call_intrinsic(builder, name, ir.IntType(32), [builder.bitcast(arguments[0], _STRAIN)])

    return types.uint32(largest), generate


load = cast("Callable[[Array, int], Vector]", intrinsic(_load_and_fetch))
"""The elements of an array from an offset on; those `AHEAD` of them are fetched from memory."""

spread = cast("Callable[[np.float32 | np.int32], Vector]", intrinsic(_spread))
"""A float32 number in every lane, or the bits of an int32 number."""

doubles = cast("Callable[[float], Vector]", intrinsic(_spread_double))
"""A float64 number in each of half as many lanes, which fill four registers too."""

from_whole = cast("Callable[[Vector], Vector]", intrinsic(_from_whole))
"""The bits of each lane as a whole number, as float32."""

nothing = cast("Callable[[], Vector]", intrinsic(_nothing))
"""What `larger_bits` begins with."""

larger_bits = cast("Callable[[Vector, Vector], Vector]", intrinsic(_larger_bits))
"""The largest bits met before, and those of a wide vector."""

largest_bits = cast("Callable[[Vector], np.uint32]", intrinsic(_largest_bits))
"""The largest bits of all that were met."""
