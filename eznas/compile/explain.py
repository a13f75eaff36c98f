"""What the types of a program are for a geometry, part by part, for people to read."""

from __future__ import annotations

from dataclasses import dataclass

from eznas.compile.shape_inference import Rejection, result_shape, terminal_shape
from eznas.program import Program, SequentialProgram
from eznas.terminals import TERMINALS, Geometry, Shape


@dataclass(frozen=True, slots=True)
class TypedNode:
    """One operation or terminal of a program, and its type."""

    name: str
    depth: int
    """The number of operations around it."""
    shape: Shape | None
    """None where it, or an operation below it, refuses its arguments."""
    refusal: str | None
    """Why this operation refuses its arguments; None where it does not, or never got them."""

    @property
    def type_text(self) -> str:
        """The shape or the refusal in words."""
        return _type_text(self.shape, self.refusal)


@dataclass(frozen=True, slots=True)
class TypedInstruction:
    """One instruction of a sequential program, and the type of what it writes."""

    text: str
    live: bool
    """Whether the result depends on it; dead ones have no type."""
    shape: Shape | None
    """None where it, or an instruction whose result it reads, refuses its arguments."""
    refusal: str | None
    """Why it refuses its arguments; None where it does not, or never got them."""

    @property
    def type_text(self) -> str:
        """The shape or the refusal in words."""
        return _type_text(self.shape, self.refusal) if self.live else "dead"


def explain_types(program: Program, geometry: Geometry) -> tuple[TypedNode, ...]:
    """The type of each operation and terminal of a tree, in the order of its text.

    Raises:
        StatisticsError: The layer does not hold a terminal that the program reads.
    """
    arguments_of = program.argument_indices()
    typed: list[Shape | Rejection] = [()] * program.size
    refusals: dict[int, str] = {}
    for index in range(program.size - 1, -1, -1):
        name = program.tokens[index]
        if name in TERMINALS:
            typed[index] = terminal_shape(name, geometry)
            continue
        arguments = [typed[argument] for argument in arguments_of[index]]
        found = typed[index] = result_shape(name, arguments)
        inherited = any(isinstance(argument, Rejection) for argument in arguments)
        if isinstance(found, Rejection) and not inherited:
            refusals[index] = found.message
    depths = [0] * program.size
    for index, arguments_here in enumerate(arguments_of):
        for argument in arguments_here:
            depths[argument] = depths[index] + 1
    return tuple(
        TypedNode(name, depth, None if isinstance(found, Rejection) else found, refusals.get(index))
        for index, (name, depth, found) in enumerate(zip(program.tokens, depths, typed, strict=True))
    )


def explain_instructions(program: SequentialProgram, geometry: Geometry) -> tuple[TypedInstruction, ...]:
    """The type of what each instruction writes, in their order.

    Raises:
        StatisticsError: The layer does not hold a terminal that the program reads.
    """
    memory: dict[int, Shape | Rejection] = {
        address: terminal_shape(name, geometry)
        for address, name in enumerate(TERMINALS)
        if name in program.terminals
    }
    typed = []
    for instruction, is_live in zip(program.instructions, program.live, strict=True):
        shape, refusal = None, None
        if is_live:
            arguments = [memory[address] for address in instruction.reads]
            found = memory[instruction.output] = result_shape(instruction.op.name, arguments)
            if not isinstance(found, Rejection):
                shape = found
            elif not any(isinstance(argument, Rejection) for argument in arguments):
                refusal = found.message
        typed.append(TypedInstruction(str(instruction), is_live, shape, refusal))
    return tuple(typed)


def _type_text(shape: Shape | None, refusal: str | None) -> str:
    if shape is not None:
        return str(shape)
    return "no shape: its arguments have none" if refusal is None else f"refused: {refusal}"
