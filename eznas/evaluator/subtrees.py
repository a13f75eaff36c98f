"""Which numbers of a population are computed for a network, and which are known from earlier calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.compile import Graph
from eznas.evaluator.memo import Memo, Row, subtree_code
from eznas.ops import OPS
from eznas.plan import arguments_read
from eznas.terminals import Shape

_EXAMPLE: Final[Shape] = (2, 2, 2, 2)
_GIVE_ONE_NUMBER: Final = frozenset(op.name for op in OPS.values() if op.shape(*[_EXAMPLE] * op.arity) == ())


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one network."""

    nodes: tuple[int, ...]
    """The nodes to compute: the roots first, then subtrees whose numbers are worth keeping."""
    known: dict[int, Row]
    """For nodes that the others need, what was kept."""

    def positions(self, nodes: Sequence[int]) -> list[int]:
        """Where some of the nodes stand among them."""
        position = {node: index for index, node in enumerate(self.nodes)}
        return [position[node] for node in nodes]


class Subtrees:
    """The nodes of a graph that are one number a layer, whatever the shapes, and what they are kept under."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._reads = [arguments_read(graph, index) for index in range(len(graph.nodes))]
        self._is_number = [node.name in _GIVE_ONE_NUMBER for node in graph.nodes]
        self._codes: list[bytes] = []
        for node in graph.nodes:
            self._codes.append(subtree_code(node.name, [self._codes[a] for a in node.arguments]))
        self._without_memo: dict[tuple[int, ...], Work] = {}

    def work(self, roots: Sequence[int], network: int, memo: Memo[Row]) -> Work:
        """The work for some roots on a network; those kept in the memo are known rather than computed."""
        wanted = tuple(dict.fromkeys(roots))
        if memo.budget == 0:
            return self._without_memo.setdefault(wanted, Work(wanted, {}))
        needed = bytearray(len(self.graph.nodes))
        for root in wanted:
            needed[root] = True
        known: dict[int, Row] = {}
        inner = []
        is_root = set(wanted)
        for node in range(len(needed) - 1, -1, -1):
            if not needed[node]:
                continue
            if self._is_number[node] and node not in is_root:
                row = memo.get((self._codes[node], network))
                if row is not None:
                    known[node] = row
                    continue
                inner.append(node)
            for argument in self._reads[node]:
                needed[argument] = True
        return Work(wanted + tuple(inner), known)

    def keep(self, work: Work, network: int, rows: NDArray[np.float64], memo: Memo[Row]) -> None:
        """Keep the numbers of the nodes that were computed."""
        if memo.budget == 0:
            return
        for node, row in zip(work.nodes, rows.astype(np.float32), strict=True):
            memo.put((self._codes[node], network), row.copy())
