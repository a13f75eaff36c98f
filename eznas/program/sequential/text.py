"""The text of sequential programs, such as `d0 = abs(T3G_D); s0 = mean(d0)`.

    program     = instruction { (";" | new line) instruction }
    instruction = address "=" operation "(" address [ "," address ] ")"

White space between names and signs means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from eznas.errors import ProgramSyntaxError
from eznas.ops import OPS
from eznas.program.sequential.instruction import Instruction
from eznas.program.sequential.memory import (
    DYNAMIC_ADDRESSES,
    SCALAR_ADDRESSES,
    STATIC_ADDRESSES,
    address_name,
    named_address,
)
from eznas.suggestion import quoted, with_nearest

_INSTRUCTION: Final = re.compile(r"\s*(\w+)\s*=\s*(\w+)\s*\(\s*(\w+)\s*(?:,\s*(\w+)\s*)?\)\s*", re.ASCII)
_NAMES: Final = tuple(address_name(address) for address in range(SCALAR_ADDRESSES.stop))


def write(instructions: Iterable[Instruction]) -> str:
    """The text, on one line."""
    return "; ".join(map(str, instructions))


def read(text: str) -> tuple[Instruction, ...]:
    """The instructions of a text; whether they are a program is not looked at.

    Raises:
        ProgramSyntaxError: Says which instruction cannot be read, what was expected and what came.
    """
    if not isinstance(text, str):
        raise ProgramSyntaxError(f"expected a program text (str), got {type(text).__name__}")
    lines = [line for line in re.split(r"[;\n]", text) if line.strip()]
    return tuple(_instruction(place, line) for place, line in enumerate(lines, 1))


def _instruction(place: int, line: str) -> Instruction:
    found = _INSTRUCTION.fullmatch(line)
    if found is None:
        raise ProgramSyntaxError(
            f"instruction {place}: expected such as 'd0 = abs(T3)', got {quoted(line.strip())}"
        )
    output, operation, *names = found.groups()
    if operation not in OPS:
        message = f"instruction {place}: expected an operation, got the unknown name {quoted(operation)}"
        raise ProgramSyntaxError(with_nearest(message, operation, OPS))
    op = OPS[operation]
    arguments = [_address(place, name) for name in names if name is not None]
    if len(arguments) != op.arity:
        plural = "argument" if op.arity == 1 else "arguments"
        raise ProgramSyntaxError(
            f"instruction {place}: {operation} takes {op.arity} {plural}, got {len(arguments)}"
        )
    return Instruction.of(_address(place, output), op, arguments)


def _address(place: int, name: str) -> int:
    address = named_address(name)
    if address is None:
        last = len(STATIC_ADDRESSES), len(DYNAMIC_ADDRESSES) - 1, len(SCALAR_ADDRESSES) - 1
        message = (
            f"instruction {place}: expected one of the {last[0]} terminals, d0 to d{last[1]} or s0 to "
            f"s{last[2]}, got the unknown name {quoted(name)}"
        )
        raise ProgramSyntaxError(with_nearest(message, name, _NAMES))
    return address
