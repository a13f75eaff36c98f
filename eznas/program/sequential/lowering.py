"""From instructions to steps and back: what is live, what it computes, and where it can be kept."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from eznas.ops import OPS
from eznas.program.sequential.instruction import Instruction
from eznas.program.sequential.memory import (
    DYNAMIC_ADDRESSES,
    SCALAR_ADDRESSES,
    STATIC_ADDRESSES,
    output_addresses,
    terminal_address,
    terminal_at,
)
from eznas.program.steps import Steps, StepTable


def live_instructions(instructions: Sequence[Instruction]) -> tuple[bool, ...]:
    """For each instruction whether the result depends on what it writes; the last one is the result."""
    live = [False] * len(instructions)
    needed = {instructions[-1].output}
    for index in range(len(instructions) - 1, -1, -1):
        instruction = instructions[index]
        if instruction.output in needed:
            live[index] = True
            needed.remove(instruction.output)
            needed.update(instruction.reads)
    return tuple(live)


def lower(instructions: Sequence[Instruction]) -> Steps:
    """The steps of the live instructions, in a time that does not depend on the size of the tree."""
    table = StepTable()
    memory: dict[int, int] = {}
    for instruction, is_live in zip(instructions, live_instructions(instructions), strict=True):
        if is_live:
            arguments = [_read(address, memory, table) for address in instruction.reads]
            memory[instruction.output] = table.add(instruction.op.name, arguments)
    return tuple(table.steps)


def _read(address: int, memory: dict[int, int], table: StepTable) -> int:
    terminal = terminal_at(address)
    return memory[address] if terminal is None else table.add(terminal)


def keep_in_memory(steps: Steps) -> tuple[Instruction, ...] | None:
    """Instructions for steps in their order, each result at the lowest free address.

    None where more results are needed at once than there are addresses.
    """
    last_reader = {argument: index for index, step in enumerate(steps) for argument in step.arguments}
    free = {kind: list(kind) for kind in (DYNAMIC_ADDRESSES, SCALAR_ADDRESSES)}
    address_of: list[int] = []
    instructions = []
    for index, (name, arguments) in enumerate(steps):
        if name not in OPS:
            address_of.append(terminal_address(name))
            continue
        for argument in set(arguments):
            # An instruction reads before it writes, so that its result may take an argument's place.
            if last_reader[argument] == index and address_of[argument] not in STATIC_ADDRESSES:
                kind = DYNAMIC_ADDRESSES if address_of[argument] in DYNAMIC_ADDRESSES else SCALAR_ADDRESSES
                heapq.heappush(free[kind], address_of[argument])
        room = free[output_addresses(name)]
        if not room:
            return None
        address_of.append(heapq.heappop(room))
        instructions.append(
            Instruction.of(address_of[-1], OPS[name], [address_of[argument] for argument in arguments])
        )
    return tuple(instructions)
