"""Static types: the shape of every node for a geometry, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from eznas.compile.graph import Graph
from eznas.errors import ShapeError, StatisticsError
from eznas.ops import OPS
from eznas.terminals import Geometry, Shape

RESULTS_KEPT: Final = 2**15
"""Of how many different arguments the results are kept; an evolution asks for 15,000, eight times each."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a node has no shape: this operation, in it or below it, refuses its arguments."""

    op: str
    arguments: tuple[Shape, ...]
    """The shapes that the operation refuses."""
    message: str


def infer_shapes(graph: Graph, geometry: Geometry) -> tuple[Shape | Rejection, ...]:
    """For each node its shape, or the rejection that it inherits from the first operation that refuses.

    Raises:
        StatisticsError: The layer does not hold a terminal that the graph reads.
    """
    typed: list[Shape | Rejection] = []
    for node in graph.nodes:
        if node.is_terminal:
            typed.append(terminal_shape(node.name, geometry))
        else:
            typed.append(result_shape(node.name, [typed[argument] for argument in node.arguments]))
    return tuple(typed)


def terminal_shape(name: str, geometry: Geometry) -> Shape:
    """The shape of a terminal in a layer.

    Raises:
        StatisticsError: The layer does not hold it.
    """
    shape = geometry.shape(name)
    if shape is None:
        raise StatisticsError(f"a program reads {name}, which the layer of geometry {geometry} does not hold")
    return shape


def result_shape(op: str, arguments: Iterable[Shape | Rejection]) -> Shape | Rejection:
    """The shape that an operation gives, the first of its arguments' rejections, or its own."""
    shapes: list[Shape] = []
    for argument in arguments:
        if isinstance(argument, Rejection):
            return argument
        shapes.append(argument)
    return _shape_of(op, *shapes)


@lru_cache(RESULTS_KEPT)
def _shape_of(op: str, *shapes: Shape) -> Shape | Rejection:
    try:
        return OPS[op].shape(*shapes)
    except ShapeError as error:
        return Rejection(op, shapes, str(error))
