"""Lowers a program to the body of one Numba function: fused loops, sums and calls of matrix routines.

A region is a loop over tensors of one shape: elementwise operations whose results nothing else reads are
computed within the loop of what reads them, be it another elementwise operation or a sum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from eznas.compile import READS_SHAPE_ONLY, Graph
from eznas.errors import ExportError
from eznas.ops import OPS, OpKind
from eznas.ops.rescaling import softmax_dimension
from eznas.plan import HEAVY
from eznas.terminals import TERMINALS

SUMS: Final = frozenset({"mean", "l1_norm", "frobenius_norm", "hamming_distance", "kl_divergence"})
"""Operations that are a sum over all elements of a tensor, or of two that are combined."""

_ONE: Final = "ONES"
_CONSTANTS: Final = {"ones_like": "np.float32(1.0)", "zeros_like": "np.float32(0.0)"}


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a node's tensor before anything runs.

    Attributes:
        rank: The number of its dimensions.
        shape: The variable of its shape of four sizes, padded by ones in front.
        is_uniform: Whether one number stands for all its elements.
    """

    rank: int
    shape: str
    is_uniform: bool


@dataclass(slots=True)
class Types:
    """The tensors of all nodes, and the statements that work out their shapes."""

    held: list[Held] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    families: dict[str, str] = field(default_factory=dict)
    """For each family the terminal whose shape stands for all of it."""
    _known: dict[str, str] = field(default_factory=dict)

    def shape(self, expression: str) -> str:
        """The variable of a shape; one expression is worked out once."""
        if expression not in self._known:
            self._known[expression] = f"shape_{len(self._known)}"
            self.lines.append(f"{self._known[expression]} = {expression}")
        return self._known[expression]

    def broadcast(self, first: Held, second: Held) -> Held:
        """The tensor that two are combined to."""
        rank = max(first.rank, second.rank)
        is_uniform = first.is_uniform and second.is_uniform
        if second.shape in (first.shape, _ONE):
            return Held(rank, first.shape, is_uniform)
        if first.shape == _ONE:
            return Held(rank, second.shape, is_uniform)
        return Held(rank, self.shape(f"broadcast({first.shape}, {second.shape})"), is_uniform)


def infer(graph: Graph) -> Types:
    """The types of the nodes of a graph.

    Raises:
        ExportError: An operation that needs more dimensions than its argument ever has.
    """
    types = Types()
    for node in graph.nodes:
        arguments = [types.held[argument] for argument in node.arguments]
        types.held.append(_held(types, node.name, arguments))
    return types


def _held(types: Types, name: str, arguments: list[Held]) -> Held:
    if name in TERMINALS:
        first = types.families.setdefault(TERMINALS[name].family, name)
        shape = types.shape(f"{first}.shape")
        if first != name:
            types.lines.append(f"check_same({shape}, {name}.shape)")
        return Held(4, shape, False)
    if name == "numel":
        return Held(1, _ONE, True)
    if name in _CONSTANTS:
        return Held(arguments[0].rank, arguments[0].shape, True)
    if OPS[name].kind is OpKind.MAP:
        return arguments[0] if len(arguments) == 1 else types.broadcast(*arguments)
    if name == "normalize":
        return arguments[0]
    if name == "softmax":
        return Held(arguments[0].rank, arguments[0].shape, arguments[0].rank == 0)
    if name in ("hamming_distance", "kl_divergence"):
        types.broadcast(*arguments)
    if name in ("cosine_similarity", "eig_ratio", "sym_eig_ratio"):
        _need(name, 1, arguments)
    if name in ("det", "logdet"):
        _need(name, 2, arguments)
        shape = types.shape(f"shape_of_determinants({arguments[0].shape})")
        return Held(arguments[0].rank - 2, shape, arguments[0].rank == 2)
    return _product(types, *arguments) if name == "matmul" else Held(0, _ONE, True)


def _product(types: Types, first: Held, second: Held) -> Held:
    _need("matmul", 1, [first, second])
    right = types.shape(f"as_column({second.shape})") if second.rank == 1 else second.shape
    shape = types.shape(f"shape_of_products({first.shape}, {right})")
    rank = max(first.rank, second.rank, 2)
    if second.rank == 1:
        rank, shape = rank - 1, types.shape(f"without_columns({shape})")
    if first.rank == 1:
        rank, shape = rank - 1, types.shape(f"without_rows({shape})") if second.rank > 1 else _ONE
    return Held(rank, shape, rank == 0)


def _need(name: str, dimensions: int, arguments: list[Held]) -> None:
    fewest = min(held.rank for held in arguments)
    if fewest < dimensions:
        raise ExportError(f"{name} takes at least {dimensions} dimensions, here it always gets {fewest}")


def nodes_read(graph: Graph) -> set[int]:
    """The nodes whose numbers, not shapes alone, the result depends on."""
    read = {graph.roots[0]}
    for index in range(len(graph.nodes) - 1, -1, -1):
        if index in read and graph.nodes[index].name not in READS_SHAPE_ONLY:
            read.update(graph.nodes[index].arguments)
    return read


def loops(graph: Graph, held: list[Held], read: set[int]) -> dict[int, int]:
    """For each node that is computed within the loop of another one, that one.

    What a heavy operation reads may be computed in its loop, what reads its result may not.
    """
    readers: dict[int, list[int]] = {}
    for index in sorted(read):
        if graph.nodes[index].name not in READS_SHAPE_ONLY:
            for argument in graph.nodes[index].arguments:
                readers.setdefault(argument, []).append(index)
    home: dict[int, int] = {}
    for index in sorted(read, reverse=True):
        node = graph.nodes[index]
        is_elementwise = not node.is_terminal and (
            OPS[node.name].kind is OpKind.MAP or node.name == "normalize"
        )
        if not is_elementwise or held[index].is_uniform or node.name in HEAVY:
            continue
        homes = {
            home.get(reader, reader) if _loops_over(graph, held, reader) == held[index].shape else None
            for reader in readers.get(index, [])
        }
        if len(homes) == 1 and None not in homes:
            home[index] = next(each for each in homes if each is not None)
    return home


def _loops_over(graph: Graph, held: list[Held], reader: int) -> str | None:
    """The shape of the loop in which a node reads its arguments; None where it needs them as tensors."""
    node = graph.nodes[reader]
    if node.name in SUMS:
        first = held[node.arguments[0]]
        shapes = {held[argument].shape for argument in node.arguments} - {_ONE}
        return first.shape if not shapes else shapes.pop() if len(shapes) == 1 else None
    if OPS[node.name].kind is OpKind.MAP:
        return held[reader].shape
    return None


def softmax_sizes(held: Held) -> tuple[str, str, str]:
    """The number of elements before, along and behind the dimension that a softmax runs over, as source."""
    axis = 4 - held.rank + softmax_dimension(held.rank) if held.rank else 3
    sizes = [f"{held.shape}[{dimension}]" for dimension in range(4)]
    return " * ".join(sizes[:axis]) or "1", sizes[axis], " * ".join(sizes[axis + 1 :]) or "1"
