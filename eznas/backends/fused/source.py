"""Numba source of one kernel for a chain of elementwise operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from eznas.plan import Expression
from eznas_kernels import elementwise

FUNCTION: Final = "fused"
"""The name of the kernel in its source."""

_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **elementwise.UNARY,
    **elementwise.PARTS,
    **elementwise.BINARY,
}

_HEAD: Final = '''"""{expression}"""

from numba import types

from eznas_kernels import elementwise, transcendental
from eznas_kernels.calling import OPERANDS, destination_at, source_at
from eznas_kernels.policy import kernel


@kernel(OPERANDS, types.int64)
def {function}(operands, count):
    destination = destination_at(operands[0], count)
'''


def kernel_source(expression: Expression) -> str:
    """The source of a module whose function `fused` computes an expression on `count` numbers.

    It takes the addresses of its destination and of its operands. Every operation rounds as its own kernel
    does, so that results are the same to the bit.
    """
    lines = [_HEAD.format(expression=expression, function=FUNCTION)]
    names = []
    for operand, is_number in enumerate(expression.is_number):
        kind, what = ("number", "1)[0]") if is_number else ("array", "count)")
        lines.append(f"    {kind}_{operand} = source_at(operands[{operand + 1}], {what}\n")
        names.append(f"number_{operand}" if is_number else f"array_{operand}[i]")
    lines.append("    for i in range(count):\n")
    last = len(expression.steps) - 1
    for index, (kernel, arguments) in enumerate(expression.steps):
        result = "destination[i]" if index == last else f"step_{index}"
        texts = [f"step_{-1 - argument}" if argument < 0 else names[argument] for argument in arguments]
        lines.append(f"        {result} = {_call(kernel, texts)}\n")
    return "".join(lines)


def _call(kernel: str, arguments: list[str]) -> str:
    """The call of the function on single numbers that a kernel is made from."""
    if kernel.startswith("scalar_"):
        kernel, arguments = kernel.removeprefix("scalar_"), arguments[::-1]
    kernel = kernel.removesuffix("_scalar")
    function: Any = _FUNCTIONS[kernel]
    module = function.__module__.rpartition(".")[2]
    return f"{module}.{function.__name__}({', '.join(arguments)})"
