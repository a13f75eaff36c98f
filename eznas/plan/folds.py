"""Operations that end in a sum, and which other operations the kernel of the sum takes in."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from eznas.compile import READS_SHAPE_ONLY, STEPS, Graph
from eznas.ops import OPS
from eznas_kernels.instructions import Form

FOLDS: Final = MappingProxyType(
    {
        "mean": ("sum_of_values", Form.FINISH_MEAN),
        "l1_norm": ("sum_of_absolutes", Form.FINISH_MEAN),
        "frobenius_norm": ("sum_of_squares", Form.FINISH_ROOT),
    }
)
"""The kernel that sums, and what is made of the sum."""

SUMMED: Final = frozenset({"relu", "reciprocal", "heaviside", "less_than_zero", "sign"})
"""Operations on one tensor whose results are summed without being written."""

SUMMED_OF_TWO: Final = frozenset({"add", "sub", "mul", "less", "equal"})
"""Such operations on two tensors."""

SUMMED_WITH_NUMBER: Final = frozenset({"mul", "less", "equal"})
"""Such operations on a tensor and a number; for others the number is written out."""

# The numbers summed are the same; 0 and 1 are their own squares.
_INSTEAD: Final = MappingProxyType(
    {
        ("sum_of_values", "abs"): "sum_of_absolutes",
        ("sum_of_values", "square"): "sum_of_squares",
        ("sum_of_absolutes", "abs"): "sum_of_absolutes",
        ("sum_of_absolutes", "square"): "sum_of_squares",
        ("sum_of_squares", "abs"): "sum_of_squares",
        **{("sum_of_values", op): f"sum_of_{op}" for op in SUMMED},
        **{("sum_of_squares", op): f"sum_of_{op}" for op in SUMMED & STEPS},
    }
)
"""The kernel that sums what an operation would have written first."""

_INSTEAD_OF_TWO: Final = MappingProxyType(
    {"sum_of_values": SUMMED_OF_TWO, "sum_of_squares": SUMMED_OF_TWO & STEPS}
)
"""The operations on two tensors that a kernel is told to sum, rather than to sum what they have written."""

SUMS_OF_DIFFERENCES: Final = MappingProxyType(
    {
        "sum_of_absolutes": ("sum_of_absolute_differences", 1),
        "sum_of_squares": ("sum_of_squared_differences", 2),
    }
)
"""For sums of normalized numbers the kernel that sums before the division, and how often the sum is divided.

Where the deviation is zero, the sum of the differences is zero if all are, and they count as 0; otherwise it
is infinite, as some of them are. Where it is NaN, as of tensors with NaN or infinity, all count as 0.
"""

_SIGN_TESTS: Final = frozenset({"heaviside", "less_than_zero", "sign", "hamming_distance"})
_SUMS_OF_SIGN_TESTS: Final = frozenset(f"sum_of_{op}" for op in _SIGN_TESTS & SUMMED)


_EXAMPLE: Final = (2, 2, 2, 2)

GIVE_ONE_NUMBER: Final = frozenset(op.name for op in OPS.values() if op.shape(*[_EXAMPLE] * op.arity) == ())
"""Operations that give one number, whatever the shapes."""

_COUNTED: Final = (SUMMED | SUMMED_OF_TWO) & STEPS
"""Operations whose ones are counted without being written."""


def folded(graph: Graph, index: int) -> tuple[str, int]:
    """For a node that ends in a sum the kernel that sums, and the node whose numbers it sums."""
    kernel, _ = FOLDS[graph.nodes[index].name]
    return folded_into(kernel, graph, graph.nodes[index].arguments[0])


def counted_ones(graph: Graph, index: int) -> tuple[str, int] | None:
    """For a divergence of one number from zeros and ones, as `folded` the kernel that counts the ones.

    Nothing for other nodes.
    """
    node = graph.nodes[index]
    if node.name != "kl_divergence":
        return None
    first, second = (graph.nodes[argument].name for argument in node.arguments)
    if first not in GIVE_ONE_NUMBER or second not in _COUNTED:
        return None
    return folded_into("sum_of_values", graph, node.arguments[1])


def folded_into(kernel: str, graph: Graph, argument: int) -> tuple[str, int]:
    """The kernel that gives the same sum from the furthest node below, and that node."""
    inner = graph.nodes[argument]
    while (kernel, inner.name) in _INSTEAD:
        kernel = _INSTEAD[kernel, inner.name]
        (argument,) = inner.arguments
        inner = graph.nodes[argument]
    return kernel, argument


def sums_two(graph: Graph, kernel: str, node: int) -> bool:
    """Whether the kernel reads the operands of a node, which is not written itself."""
    return graph.nodes[node].name in _INSTEAD_OF_TWO.get(kernel, ())


def sums_differences(graph: Graph, kernel: str, node: int) -> bool:
    """Whether a kernel reads the argument of a normalization, which is not written itself."""
    return graph.nodes[node].name == "normalize" and kernel in SUMS_OF_DIFFERENCES


def asked_for_sign(graph: Graph, nodes: Iterable[int]) -> set[int]:
    """Nodes of which all readers among the given nodes look at the sign of each number alone, or at NaN."""
    asked: set[int] = set()
    needed: set[int] = set()
    for index in nodes:
        name = graph.nodes[index].name
        looks_at_sign = name in _SIGN_TESTS
        if name in FOLDS:
            kernel, _ = folded(graph, index)
            looks_at_sign = kernel in _SUMS_OF_SIGN_TESTS
        elif counted := counted_ones(graph, index):
            needed.add(graph.nodes[index].arguments[0])
            looks_at_sign = counted[0] in _SUMS_OF_SIGN_TESTS
        (asked if looks_at_sign else needed).update(arguments_read(graph, index))
    return asked - needed


def arguments_read(graph: Graph, index: int) -> tuple[int, ...]:
    """The nodes whose numbers, not shapes alone, the lowered node depends on."""
    name, arguments = graph.nodes[index].name, graph.nodes[index].arguments
    if name in READS_SHAPE_ONLY:
        return ()
    if name in FOLDS:
        return _read_by_sum(graph, *folded(graph, index))
    if counted := counted_ones(graph, index):
        return arguments[0], *_read_by_sum(graph, *counted)
    return arguments


def _read_by_sum(graph: Graph, kernel: str, node: int) -> tuple[int, ...]:
    if sums_two(graph, kernel, node) or sums_differences(graph, kernel, node):
        return graph.nodes[node].arguments
    return (node,)


def terminals_below(graph: Graph) -> list[frozenset[str]]:
    """For each node the terminals that it depends on, by their numbers or by their shapes alone."""
    below: list[frozenset[str]] = []
    for node in graph.nodes:
        if node.is_terminal:
            below.append(frozenset([node.name]))
        else:
            first, *others = [below[argument] for argument in node.arguments]
            below.append(first.union(*others) if others else first)
    return below
