"""Instructions that Python has no word for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic


def _multiply_add(kind: types.Type, number: Any) -> Any:
    def typed(_typing: Any, _first: Any, _second: Any, _third: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            function_type = ir.FunctionType(number, [number] * 3)
            return builder.call(
                builder.module.declare_intrinsic("llvm.fmuladd", [number], function_type), arguments
            )

        return kind(kind, kind, kind), generate

    return intrinsic(typed)


multiply_add = cast(
    "Callable[[np.float32, np.float32, np.float32], np.float32]",
    _multiply_add(types.float32, ir.FloatType()),
)
"""The first times the second plus the third, rounded once where the processor does so at no cost."""

multiply_add_doubles = cast(
    "Callable[[float, float, float], float]", _multiply_add(types.float64, ir.DoubleType())
)
"""The same of float64 numbers."""
