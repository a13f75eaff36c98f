"""What an NDS architecture is: width, depth and two cells; and the text that says all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from eznas.errors import SpaceError
from eznas.spaces.nds.operations import OPERATIONS
from eznas.suggestion import quoted, with_nearest

INPUTS: Final = 2
"""A cell reads the outputs of the two cells before it, numbered 0 and 1; its own nodes follow."""

_EXAMPLE: Final = "16x8:sep_conv_3x3~0+skip_connect~1/conv_1x1~2+none~0@2.3:max_pool_3x3~0+skip_connect~1@2"
_EDGE: Final = r"\w+~\d{1,3}"
_NODE: Final = rf"{_EDGE}\+{_EDGE}"
_CELL: Final = rf"({_NODE}(?:/{_NODE})*)@(\d{{1,3}}(?:\.\d{{1,3}})*)"
_TEXT: Final = re.compile(rf"(\d{{1,9}})x(\d{{1,9}}):{_CELL}:{_CELL}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Edge:
    """An operation on an edge of a cell, and the number of the input or node that it reads."""

    operation: str
    source: int


@dataclass(frozen=True, slots=True)
class CellDesign:
    """A cell: each node sums two edges; the concatenated nodes are the output.

    Attributes:
        edges: two for each node in turn; nodes count from 2, and a node reads what comes before it.
        concatenation: the numbers of the nodes (or inputs) whose maps are concatenated, in this order.

    Raises:
        SpaceError: an unknown operation, or a number that is none of an input or an earlier node.
    """

    edges: tuple[Edge, ...]
    concatenation: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.edges or len(self.edges) % 2:
            raise SpaceError(f"expected two edges for each node of a cell, got {len(self.edges)} edges")
        for position, edge in enumerate(self.edges):
            node = INPUTS + position // 2
            if edge.operation not in OPERATIONS:
                raise SpaceError(_unknown_operation(edge.operation))
            if not 0 <= edge.source < node:
                raise SpaceError(f"expected node {node} to read one of 0 to {node - 1}, got {edge.source}")
        chosen, last = self.concatenation, INPUTS + self.nodes - 1
        if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(last + 1)):
            raise SpaceError(f"expected to concatenate different ones of 0 to {last}, got {list(chosen)}")

    @property
    def nodes(self) -> int:
        """How many nodes sum edges."""
        return len(self.edges) // 2


@dataclass(frozen=True, slots=True)
class Design:
    """Everything that decides an NDS network, but for its stem.

    Attributes:
        width: the channels of the operations in the cells before the first reduction.
        depth: the number of cells.
        normal: the cell that keeps the size of the map.
        reduce: the cell that halves it.

    Raises:
        SpaceError: a width that cannot be split in halves, no cell at all, or a reduction cell that
            concatenates an input, whose map is larger than those of its nodes.
    """

    width: int
    depth: int
    normal: CellDesign
    reduce: CellDesign

    def __post_init__(self) -> None:
        if self.width < 2 or self.width % 2:
            raise SpaceError(f"expected an even width of at least 2 channels, got {self.width}")
        if self.depth < 1:
            raise SpaceError(f"expected a depth of at least one cell, got {self.depth}")
        if min(self.reduce.concatenation) < INPUTS:
            raise SpaceError(
                f"expected a reduction cell to concatenate nodes from {INPUTS} on, "
                f"got {list(self.reduce.concatenation)}"
            )


def format_design(design: Design) -> str:
    """The text of an architecture: `{width}x{depth}:{normal cell}:{reduction cell}`.

    The nodes of a cell are separated by `/`, the two edges of a node by `+`; an edge is
    `{operation}~{what it reads}`. Behind `@` stand the concatenated nodes, separated by dots.
    """
    cells = ":".join(_format_cell(cell) for cell in (design.normal, design.reduce))
    return f"{design.width}x{design.depth}:{cells}"


def parse_design(architecture: str) -> Design:
    """The architecture of a text as `format_design` writes it.

    Raises:
        SpaceError: The text is not an NDS architecture.
    """
    found = _TEXT.fullmatch(architecture)
    if found is None:
        raise SpaceError(_not_an_architecture(architecture))
    width, depth, *cells = found.groups()
    design = Design(int(width), int(depth), _parse_cell(*cells[:2]), _parse_cell(*cells[2:]))
    if format_design(design) != architecture:  # leading zeros: each architecture has one text
        raise SpaceError(_not_an_architecture(architecture))
    return design


def _format_cell(cell: CellDesign) -> str:
    edges = [f"{edge.operation}~{edge.source}" for edge in cell.edges]
    nodes = "/".join(f"{first}+{second}" for first, second in zip(edges[::2], edges[1::2], strict=True))
    return f"{nodes}@{'.'.join(map(str, cell.concatenation))}"


def _parse_cell(nodes: str, concatenation: str) -> CellDesign:
    pairs = (edge.split("~") for edge in re.split(r"[/+]", nodes))
    edges = tuple(Edge(operation, int(source)) for operation, source in pairs)
    return CellDesign(edges, tuple(int(node) for node in concatenation.split(".")))


def _unknown_operation(name: str) -> str:
    message = f"unknown operation {quoted(name)}; expected one of {', '.join(OPERATIONS)}"
    return with_nearest(message, name, OPERATIONS)


def _not_an_architecture(text: str) -> str:
    return (
        f"not an NDS architecture: {quoted(text)}; expected width x depth, normal cell and reduction cell "
        f"such as {_EXAMPLE!r}"
    )
