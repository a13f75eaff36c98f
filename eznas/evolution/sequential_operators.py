"""The operators of sequential programs: Mate, InsertOP, RemoveOP, MutateOP, MutateOpArg (EZNAS, appendix).

The paper names them; what exactly they do is defined here. Each gives a program: an argument that reads an
address to which nothing is written any more is drawn anew.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eznas.ops import OPS
from eznas.ops.table import Op
from eznas.program import SequentialProgram
from eznas.program.sequential import STATIC_ADDRESSES, Instruction, output_addresses
from eznas.terminals import TERMINALS


@dataclass(frozen=True, slots=True)
class Choices:
    """What programs are made of."""

    operations: tuple[Op, ...]
    statics: tuple[int, ...]
    """The addresses of the statistics that may be read."""
    reuse: float
    """The probability that an argument reads what was written before, where there is such."""
    length_limit: int
    """The most instructions that an operator may leave."""

    @classmethod
    def of(
        cls, operations: Iterable[str], terminals: Iterable[str], reuse: float, length_limit: int
    ) -> Choices:
        """The choices of these operations and terminals by name."""
        addresses = dict(zip(TERMINALS, STATIC_ADDRESSES, strict=True))
        statics = tuple(addresses[name] for name in terminals)
        return cls(tuple(OPS[name] for name in operations), statics, reuse, length_limit)

    def other_operations(self, old: Op) -> list[Op]:
        """The operations that may take the place of one, since they write to the same addresses."""
        outputs = output_addresses(old.name)
        return [op for op in self.operations if op is not old and output_addresses(op.name) is outputs]

    def address(self, before: Iterable[Instruction], generator: random.Random) -> int:
        """An address to read after some instructions."""
        return self._drawn(self.statics, _written(before), generator)

    def other_address(self, old: int, before: Iterable[Instruction], generator: random.Random) -> int | None:
        """An address to read in the place of an old one; None where there is no other."""
        statics = [address for address in self.statics if address != old]
        written = [address for address in _written(before) if address != old]
        return self._drawn(statics, written, generator) if statics or written else None

    def instruction(self, before: Sequence[Instruction], generator: random.Random) -> Instruction:
        """A random instruction to follow some others: any operation, any address that it may write to."""
        op = generator.choice(self.operations)
        output = generator.choice(output_addresses(op.name))
        return Instruction.of(output, op, [self.address(before, generator) for _ in range(op.arity)])

    def _drawn(self, statics: Sequence[int], written: Sequence[int], generator: random.Random) -> int:
        reuses = not statics or (written and generator.random() < self.reuse)
        return generator.choice(written if reuses else statics)


def random_program(length: int, choices: Choices, generator: random.Random) -> SequentialProgram:
    """A program of so many random instructions."""
    instructions: list[Instruction] = []
    for _ in range(length):
        instructions.append(choices.instruction(instructions, generator))
    return SequentialProgram(tuple(instructions))


def mate(
    first: SequentialProgram, second: SequentialProgram, choices: Choices, generator: random.Random
) -> SequentialProgram:
    """Mate: the beginning of one program and the end of another, cut at the same place (one-point crossover).

    The child is as long as the second program, so that lengths do not grow.
    """
    cut = generator.randint(1, max(1, min(first.length, second.length) - 1))
    return _mended(first.instructions[:cut] + second.instructions[cut:], choices, generator)


def insert(
    program: SequentialProgram, choices: Choices, generator: random.Random
) -> SequentialProgram | None:
    """InsertOP: a random instruction at a random place; None at the limit of lengths."""
    if program.length >= choices.length_limit:
        return None
    place = generator.randint(0, program.length)
    before, after = program.instructions[:place], program.instructions[place:]
    return SequentialProgram((*before, choices.instruction(before, generator), *after))


def remove(
    program: SequentialProgram, choices: Choices, generator: random.Random
) -> SequentialProgram | None:
    """RemoveOP: without a random instruction; None where there is only one."""
    if program.length == 1:
        return None
    place = generator.randrange(program.length)
    return _mended(program.instructions[:place] + program.instructions[place + 1 :], choices, generator)


def mutate_operation(
    program: SequentialProgram, choices: Choices, generator: random.Random
) -> SequentialProgram | None:
    """MutateOP: another operation in a random instruction; None where the choices hold no other.

    It is one that writes to addresses of the same kind, so that what reads the result still does. Arguments
    stay; a second one that was not there is drawn.
    """
    places = [place for place, old in enumerate(program.instructions) if choices.other_operations(old.op)]
    if not places:
        return None
    place = generator.choice(places)
    old = program.instructions[place]
    op = generator.choice(choices.other_operations(old.op))
    arguments = list(old.reads)
    if len(arguments) < op.arity:
        arguments.append(choices.address(program.instructions[:place], generator))
    return _with(program, place, Instruction.of(old.output, op, arguments))


def mutate_argument(
    program: SequentialProgram, choices: Choices, generator: random.Random
) -> SequentialProgram | None:
    """MutateOpArg: another address in a random argument; None where no other can be read."""
    found = [(place, slot) for place, old in enumerate(program.instructions) for slot in range(old.op.arity)]
    for place, slot in generator.sample(found, len(found)):
        old = program.instructions[place]
        other = choices.other_address(old.reads[slot], program.instructions[:place], generator)
        if other is not None:
            arguments = [*old.reads[:slot], other, *old.reads[slot + 1 :]]
            return _with(program, place, Instruction.of(old.output, old.op, arguments))
    return None


Mutation = Callable[[SequentialProgram, Choices, random.Random], SequentialProgram | None]


def mutate(
    program: SequentialProgram,
    weights: Mapping[Mutation, float],
    choices: Choices,
    generator: random.Random,
) -> SequentialProgram:
    """A mutation drawn by its weight among those that are possible; the program itself where none is."""
    possible = {mutation: weight for mutation, weight in weights.items() if weight > 0}
    while possible:
        (mutation,) = generator.choices(list(possible), list(possible.values()))
        child = mutation(program, choices, generator)
        if child is not None:
            return child
        del possible[mutation]
    return program


def _written(instructions: Iterable[Instruction]) -> list[int]:
    # In order: that of a set is no part of what Python promises, and the draws depend on it.
    return sorted({instruction.output for instruction in instructions})


def _with(program: SequentialProgram, place: int, instruction: Instruction) -> SequentialProgram:
    instructions = program.instructions
    return SequentialProgram((*instructions[:place], instruction, *instructions[place + 1 :]))


def _mended(
    instructions: Sequence[Instruction], choices: Choices, generator: random.Random
) -> SequentialProgram:
    """The program in which arguments that nothing was written to are drawn anew among what can be read."""
    mended: list[Instruction] = []
    written: set[int] = set()
    for instruction in instructions:
        arguments = [
            address
            if address in STATIC_ADDRESSES or address in written
            else choices.address(mended, generator)
            for address in instruction.reads
        ]
        mended.append(Instruction.of(instruction.output, instruction.op, arguments))
        written.add(instruction.output)
    return SequentialProgram(tuple(mended))
