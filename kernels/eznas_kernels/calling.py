"""Calls of compiled kernels by address, and arrays over memory by address, from within compiled code.

A call by address takes about 7 ns, and code that calls by address need not be compiled anew for each kernel.
Nobody checks what an address means: callers keep the memory alive, and its size right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray

from eznas_kernels.instructions import FLOAT_BYTES
from eznas_kernels.policy import DESTINATION, SOURCE

OPERANDS = types.Array(types.int64, 1, "C")
"""The addresses of a fused kernel's destination and of what it reads."""


def address_of(kernel: Any) -> int:
    """The address of the machine code of a kernel, which is compiled for one signature."""
    (compiled,) = kernel.overloads.values()
    address: int = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    return address


def caller(*arguments: types.Type, returns: types.Type = types.void) -> Callable[..., Any]:
    """A function `call(address, (argument, ...))` for kernels of one signature.

    It passes on what the kernel returns, and the exceptions that it raises.
    """

    def call(_typing: Any, _address: Any, _arguments: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            address, packed = values
            convention = context.call_conv
            kernel = builder.inttoptr(address, convention.get_function_type(returns, arguments).as_pointer())
            unpacked = [builder.extract_value(packed, i) for i in range(len(arguments))]
            status, result = convention.call_function(builder, kernel, returns, arguments, unpacked)
            with cgutils.if_unlikely(builder, status.is_error):  # type: ignore[no-untyped-call]
                convention.return_status_propagate(builder, status)
            return context.get_dummy_value() if returns == types.void else result

        packed = types.Tuple(arguments)  # type: ignore[no-untyped-call]
        return returns(types.int64, packed), generate

    return cast("Callable[..., Any]", intrinsic(call))


def _array_at(array: types.Array) -> Callable[[int, int], NDArray[np.float32]]:
    def make(_typing: Any, _address: Any, _size: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            address, size = values
            made = context.make_array(array)(context, builder)
            item_bytes = context.get_constant(types.intp, FLOAT_BYTES)
            arrayobj.populate_array(  # type: ignore[no-untyped-call]
                made,
                data=builder.inttoptr(address, ir.FloatType().as_pointer()),
                shape=[size],
                strides=[item_bytes],
                itemsize=item_bytes,
                meminfo=None,
            )
            return made._getvalue()

        return array(types.int64, types.int64), generate

    return cast("Callable[[int, int], NDArray[np.float32]]", intrinsic(make))


source_at = _array_at(SOURCE)
"""The array of `size` numbers at an address, to be read."""

destination_at = _array_at(DESTINATION)
"""The array of `size` numbers at an address, to be written."""
