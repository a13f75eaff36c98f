"""Vectors of which only the first lanes count, for what is left at the end of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from eznas_kernels.vectors import FLOATS, LANES, Vector, address_of, call_intrinsic, in_lanes, machine_type


def _load_some(_typing: Any, array: Any, _offset: Any, _count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = machine_type(FLOATS)
        address = address_of(context, builder, signature.args[0], *arguments[:2])
        return _call_on_some(builder, "load", vector, [], address, arguments[2])

    return FLOATS(array, types.intp, types.intp), generate


def _store_some(_typing: Any, array: Any, _offset: Any, vector: Any, _count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = address_of(context, builder, signature.args[0], *arguments[:2])
        _call_on_some(builder, "store", ir.VoidType(), [arguments[2]], address, arguments[3])
        return context.get_dummy_value()

    return types.void(array, types.intp, vector, types.intp), generate


def _only_some(_typing: Any, vector: Any, _count: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        numbers, count = arguments
        lanes = numbers.type.count
        places = ir.Constant(ir.VectorType(ir.IntType(64), lanes), [ir.IntType(64)(i) for i in range(lanes)])
        counts = in_lanes(builder, count, lanes)
        nothing = ir.Constant(numbers.type, None)
        return builder.select(builder.icmp_signed("<", places, counts), numbers, nothing)

    return vector(vector, types.intp), generate


def _call_on_some(builder: Any, name: str, returned: Any, given: list[Any], address: Any, count: Any) -> Any:
    """Load or store the first lanes of a vector by LLVM's intrinsic, whatever lies behind them."""
    vector = machine_type(FLOATS)
    pointer = builder.bitcast(address, vector.as_pointer())
    every_lane = ir.Constant(ir.VectorType(ir.IntType(1), LANES), [1] * LANES)
    arguments = [*given, pointer, every_lane, builder.trunc(count, ir.IntType(32))]
    return call_intrinsic(builder, f"llvm.vp.{name}.v{LANES}f32.p0", returned, arguments)


load_some = cast("Callable[[NDArray[np.float32], int | np.uint64, int], Vector]", intrinsic(_load_some))
"""The elements of a float32 array from an offset on, not more than a count; anything in the lanes beyond."""

only_some = cast("Callable[[Vector, int], Vector]", intrinsic(_only_some))
"""The first lanes, as many as a count; zero, or that nothing holds, in the others."""

store_some = cast("Callable[[NDArray[np.float32], int, Vector, int], None]", intrinsic(_store_some))
"""Write lanes to a float32 array from an offset on, not more than a count."""
