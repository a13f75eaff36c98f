"""What the types of a program are for a geometry, node by node, for people to read."""

from __future__ import annotations

from dataclasses import dataclass

from eznas.compile.shape_inference import Rejection, result_shape, terminal_shape
from eznas.program import Program
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
        if self.shape is not None:
            return str(self.shape)
        return "no shape: its arguments have none" if self.refusal is None else f"refused: {self.refusal}"


def explain_types(program: Program, geometry: Geometry) -> tuple[TypedNode, ...]:
    """The type of each operation and terminal, in the order of the program's text.

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
