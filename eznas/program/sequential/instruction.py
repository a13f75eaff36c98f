"""Instructions of four integers, and which lists of them are programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from eznas.errors import ProgramSyntaxError
from eznas.ops import OPS
from eznas.ops.table import Op
from eznas.program.sequential.memory import (
    DYNAMIC_ADDRESSES,
    SCALAR_ADDRESSES,
    STATIC_ADDRESSES,
    address_name,
    output_addresses,
)

MAX_LENGTH: Final = 1000
"""The most instructions that a program may hold."""

_OPERATIONS: Final = tuple(OPS.values())
_ADDRESSES: Final = range(STATIC_ADDRESSES.start, SCALAR_ADDRESSES.stop)


class Instruction(NamedTuple):
    """Writes to one address what an operation makes of the contents of one or two others.

    The order of the four integers is the paper's.
    """

    output: int
    """The address that is written: dynamic or scalar, see `output_addresses`."""
    operation: int
    """The paper's number of the operation, 0 to 33."""
    first: int
    """The address of the first argument."""
    second: int
    """The address of the second argument; that of the first again where the operation takes only one."""

    @classmethod
    def of(cls, output: int, op: Op, arguments: Sequence[int]) -> Instruction:
        """The instruction of an operation on the one or two addresses that it reads."""
        return cls(output, op.number, arguments[0], arguments[op.arity - 1])

    @property
    def op(self) -> Op:
        """The operation."""
        return _OPERATIONS[self.operation]

    @property
    def reads(self) -> tuple[int, ...]:
        """The addresses of the arguments that the operation takes."""
        return (self.first, self.second)[: self.op.arity]

    def __str__(self) -> str:
        arguments = ", ".join(map(address_name, self.reads))
        return f"{address_name(self.output)} = {self.op.name}({arguments})"


def check_instructions(instructions: tuple[Instruction, ...]) -> None:
    """Raise unless the instructions are a program.

    Raises:
        ProgramSyntaxError: Says which instruction is wrong, what was expected there and what came.
    """
    if not isinstance(instructions, tuple):
        raise ProgramSyntaxError(f"expected a tuple of instructions, got {type(instructions).__name__}")
    if not 1 <= len(instructions) <= MAX_LENGTH:
        raise ProgramSyntaxError(f"expected 1 to {MAX_LENGTH} instructions, got {len(instructions)}")
    written: set[int] = set()
    for place, instruction in enumerate(instructions, 1):
        problem = _problem(instruction, written)
        if problem is not None:
            raise ProgramSyntaxError(f"instruction {place}: {problem}")
        written.add(instruction.output)


def as_instructions(rows: Iterable[Sequence[int]]) -> tuple[Instruction, ...]:
    """Instructions from rows of four integers.

    Raises:
        ProgramSyntaxError: A row is not four integers.
    """
    instructions = []
    for place, row in enumerate(rows, 1):
        if len(row) != 4 or any(type(number) is not int for number in row):
            raise ProgramSyntaxError(f"instruction {place}: expected four integers, got {row!r}")
        instructions.append(Instruction(*row))
    return tuple(instructions)


def _problem(instruction: Instruction, written: set[int]) -> str | None:
    """What is wrong with an instruction after those that have written to some addresses."""
    if not isinstance(instruction, Instruction):
        return f"expected an Instruction, got {type(instruction).__name__}"
    if not 0 <= instruction.operation < len(_OPERATIONS):
        return f"expected an operation from 0 to {len(_OPERATIONS) - 1}, got {instruction.operation}"
    expected = output_addresses(instruction.op.name)
    if instruction.output not in expected:
        kind = "dynamic" if expected is DYNAMIC_ADDRESSES else "scalar"
        limits = f"{expected[0]} to {expected[-1]}"
        return f"{instruction.op.name} writes to a {kind} address ({limits}), got {instruction.output}"
    for address in (instruction.first, instruction.second):
        if address not in _ADDRESSES:
            return f"expected an address from 0 to {_ADDRESSES[-1]}, got {address}"
    for address in instruction.reads:
        if address not in STATIC_ADDRESSES and address not in written:
            return f"it reads {address_name(address)}, to which nothing was written before"
    if instruction.op.arity == 1 and instruction.second != instruction.first:
        return (
            f"{instruction.op.name} takes one argument, so that the second address must be the first "
            f"({instruction.first}) again, got {instruction.second}"
        )
    return None
