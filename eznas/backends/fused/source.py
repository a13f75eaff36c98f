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

import numpy as np
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
    strained = [elementwise.QUICK[kernel] for kernel, _ in expression.steps if kernel in elementwise.QUICK]
    if not strained:
        return "".join([*lines, *_loop(expression, names, indent=4)])
    limit = min(int(quick.largest_strain) for quick in strained)
    return "".join(
        [
            *lines,
            "    worst = np.uint32(0)\n",
            *_loop(expression, names, indent=4, is_quick=True),
            f"    if worst > np.uint32({limit}):\n",
            *_loop(expression, names, indent=8),
        ]
    )


def _loop(expression: Expression, names: list[str], indent: int, *, is_quick: bool = False) -> list[str]:
    """The loop over all numbers, by the quick forms of operations where they have one."""
    margin = " " * indent
    lines = [f"{margin}for i in range(count):\n"]
    last = len(expression.steps) - 1
    for index, (kernel, arguments) in enumerate(expression.steps):
        result = "destination[i]" if index == last else f"step_{index}"
        texts = [f"step_{-1 - argument}" if argument < 0 else names[argument] for argument in arguments]
        if is_quick and kernel in elementwise.QUICK:
            call = _call(elementwise.QUICK[kernel].function, texts)
            lines.append(f"{margin}    {result}, strain = {call}\n")
            lines.append(f"{margin}    worst = strain if strain > worst else worst\n")
        else:
            lines.append(f"{margin}    {result} = {_call_of_kernel(kernel, texts)}\n")
    return lines


def _call_of_kernel(kernel: str, arguments: list[str]) -> str:
    """The call of the function on single numbers that a kernel is made from."""
    if kernel.startswith("scalar_"):
        kernel, arguments = kernel.removeprefix("scalar_"), arguments[::-1]
    return _call(_FUNCTIONS[kernel.removesuffix("_scalar")], arguments)


def _call(function: Any, arguments: list[str]) -> str:
    module = function.__module__.rpartition(".")[2]
    return f"{module}.{function.__name__}({', '.join(arguments)})"
