"""Rewrites of a graph that change no bit of any result, NaN, infinities and signed zeros included.

Each looks at a subtree alone, so that a program becomes the same whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from eznas.compile.graph import Graph, Node, graph_below
from eznas.ops import OPS, OpKind
from eznas.program.steps import precedes
from eznas.program.tree import COMMUTATIVE

STEPS: Final = frozenset(
    {
        "heaviside",
        "greater_than_zero",
        "less_than_zero",
        "less",
        "greater",
        "equal",
        "ones_like",
        "zeros_like",
    }
)
"""Operations whose results are all 0.0 or 1.0."""

SIGNS: Final = STEPS | {"sign"}
"""Operations whose results are all -1, 0 or 1."""

KEEP_SIGNS: Final = frozenset({"abs", "square", "relu", "mul"})
"""Operations that make such numbers from such numbers; the zeros may be -0.0."""

_NOT_NEGATIVE: Final = STEPS | {
    "abs", "square", "exp", "sigmoid", "softmax", "numel", "l1_norm", "frobenius_norm", "hamming_distance",
}  # fmt: skip
"""Operations whose results are never below zero, nor -0.0; NaN may occur."""

_KEEP_NOT_NEGATIVE: Final = frozenset({"add", "mul", "mean", "reciprocal"})
"""Operations that make no negative number, nor -0.0, from such arguments."""

_OF_NONE_BELOW_ZERO: Final = MappingProxyType(
    {"less_than_zero": "zeros_like", "sign": "heaviside", "abs_log": "log"}
)
"""Operations that are others, where no number is below zero; -0.0 makes no difference to them."""

_SAME_NAME: Final = MappingProxyType({"greater_than_zero": "heaviside"})

_IGNORED_BY: Final = MappingProxyType(
    {
        # Whether a number is above zero does not change with its size, nor with what happens below zero. Of
        # what is not above zero, the logarithm is 0.
        "heaviside": ("relu", "sign"),
        "hamming_distance": ("relu", "sign", "heaviside"),
        "less_than_zero": ("sign",),
        "sign": ("sign",),
        "relu": ("relu",),
        "log": ("relu",),
        "square": ("abs",),
        "abs": ("abs",),
        "abs_log": ("abs",),
        "frobenius_norm": ("abs",),
        "l1_norm": ("abs",),
    }
)
"""For each operation those that, applied to its arguments before, make no difference to it."""

READS_SHAPE_ONLY: Final = frozenset({"ones_like", "zeros_like", "numel"})
"""Operations whose results depend on the shape of the argument alone."""

_IGNORE_SOME: Final = READS_SHAPE_ONLY | _IGNORED_BY.keys()

# The result is the argument itself, where that is of the kind.
_KEEPS_STEPS: Final = frozenset({"heaviside", "sign", "relu", "abs", "square"})
_KEEPS_NOT_NEGATIVE: Final = frozenset({"relu", "abs"})


def simplify(graph: Graph) -> Graph:
    """The graph after all rewrites, with the same roots and without what they no longer read."""
    simplifier = _Simplifier()
    moved: list[int] = []
    for name, arguments in graph.nodes:
        moved.append(simplifier.add(name, tuple([moved[argument] for argument in arguments])))
    return graph_below(simplifier.nodes, [moved[root] for root in graph.roots])


class _Simplifier:
    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._is_step: list[bool] = []
        self._is_sign: list[bool] = []
        self._is_not_negative: list[bool] = []
        self._index_of: dict[tuple[str, tuple[int, ...]], int] = {}

    def add(self, name: str, arguments: tuple[int, ...]) -> int:
        """The node of an operation on nodes, or of a terminal, after the rewrites that apply to it."""
        name = _SAME_NAME.get(name, name)
        if name in _IGNORE_SOME:
            arguments = tuple([self._without_ignored(name, argument) for argument in arguments])
        if name == "greater":
            name, arguments = "less", arguments[::-1]
        first = arguments[0] if arguments else -1
        if name in _KEEPS_STEPS and self._is_step[first]:
            return first
        if name in _KEEPS_NOT_NEGATIVE and self._is_not_negative[first]:
            return first
        if name in ("log", "abs_log") and self._is_sign[first]:
            return self.add("zeros_like", arguments)  # The logarithm of 1, as which 0 counts, and -1 too.
        if name == "relu" and self.nodes[first].name == "sign":
            return self.add("heaviside", self.nodes[first].arguments)
        if name == "less" and first == arguments[1]:
            return self.add("zeros_like", (first,))
        if name in _OF_NONE_BELOW_ZERO and (self._is_not_negative[first] or self.nodes[first].name == "relu"):
            return self.add(_OF_NONE_BELOW_ZERO[name], arguments)
        if name == "log" and self.nodes[first].name == "abs":
            return self.add("abs_log", self.nodes[first].arguments)
        if name == "l1_norm" and self._is_not_negative[first]:
            return self.add("mean", arguments)
        return self._node(name, arguments)

    def _without_ignored(self, name: str, argument: int) -> int:
        while self._is_ignored_by(name, argument):
            (argument,) = self.nodes[argument].arguments
        return argument

    def _is_ignored_by(self, name: str, argument: int) -> bool:
        node = self.nodes[argument]
        if name in READS_SHAPE_ONLY:
            return node.name in OPS and OPS[node.name].kind is OpKind.MAP and OPS[node.name].arity == 1
        return node.name in _IGNORED_BY.get(name, ())

    def _node(self, name: str, arguments: tuple[int, ...]) -> int:
        if name in COMMUTATIVE and precedes(self.nodes, arguments[1], arguments[0]):
            arguments = arguments[::-1]
        key = name, arguments
        if key not in self._index_of:
            self._index_of[key] = len(self.nodes)
            self.nodes.append(Node(name, arguments))
            self._is_step.append(name in STEPS or (name == "mul" and _hold(self._is_step, arguments)))
            self._is_sign.append(name in SIGNS or (name in KEEP_SIGNS and _hold(self._is_sign, arguments)))
            self._is_not_negative.append(
                name in _NOT_NEGATIVE
                or self._is_step[-1]
                or (name in _KEEP_NOT_NEGATIVE and _hold(self._is_not_negative, arguments))
            )
        return self._index_of[key]


def _hold(facts: Sequence[bool], nodes: tuple[int, ...]) -> bool:
    return all(facts[node] for node in nodes)
