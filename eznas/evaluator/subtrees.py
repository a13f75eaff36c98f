"""Which numbers of a population are computed for a network, and which are known from earlier calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eznas.backends import Work
from eznas.compile import Graph
from eznas.evaluator.memo import Code, Memo, Row, subtree_code
from eznas.plan import GIVE_ONE_NUMBER, arguments_read


class Subtrees:
    """The nodes of a graph that are one number a layer, whatever the shapes, and what they are kept under."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._numbers = [index for index, node in enumerate(graph.nodes) if node.name in GIVE_ONE_NUMBER]

    @cached_property
    def _reads(self) -> list[tuple[int, ...]]:
        """The nodes whose numbers each node depends on."""
        return [arguments_read(self.graph, index) for index in range(len(self.graph.nodes))]

    @cached_property
    def _codes(self) -> list[Code]:
        """What each node is kept under."""
        codes: list[Code] = []
        for node in self.graph.nodes:
            codes.append(subtree_code(node.name, [codes[argument] for argument in node.arguments]))
        return codes

    def works(self, roots: Iterable[int], networks: Sequence[int], memo: Memo[Row]) -> list[Work]:
        """The work for some roots on networks; subtrees kept in the memo are known rather than computed.

        What is computed are the roots first, each once, then subtrees whose numbers are worth keeping.
        """
        wanted = tuple(dict.fromkeys(roots))
        if memo.is_off:
            return [Work(tuple(range(len(networks))), wanted, {})]
        codes = [self._codes[node] for node in self._numbers]
        places_of: dict[tuple[bool, ...], list[int]] = {}
        for place, network in enumerate(networks):
            places_of.setdefault(memo.holds(codes, network), []).append(place)
        works = []
        for held, places in places_of.items():
            inner, known = self._below(wanted, held)
            memo.misses += len(inner) * len(places)
            rows = {}
            for node in known:
                # These alone are used, not what is kept of subtrees below them.
                kept = b"".join([memo.take((self._codes[node], networks[place])) for place in places])
                rows[node] = np.frombuffer(kept, np.float32)
            works.append(Work(tuple(places), wanted + inner, rows))
        return works

    def _below(self, roots: tuple[int, ...], held: tuple[bool, ...]) -> tuple[tuple[int, ...], list[int]]:
        """The numbers below some roots that are to be computed, and those held that are needed instead."""
        wanted = set(roots)
        given = {node for node, is_held in zip(self._numbers, held, strict=True) if is_held} - wanted
        met = set(roots)
        waiting = list(met)
        while waiting:
            for argument in self._reads[waiting.pop()]:
                if argument not in met:
                    met.add(argument)
                    if argument not in given:
                        waiting.append(argument)
        numbers = [node for node in self._numbers if node in met]
        inner = tuple([node for node in numbers if node not in given and node not in wanted])
        return inner, [node for node in numbers if node in given]

    def keep(self, nodes: Sequence[int], network: int, numbers: NDArray[np.float64], memo: Memo[Row]) -> None:
        """Keep the numbers of nodes in the layers of a network, (nodes, layers)."""
        rows = numbers.astype(np.float32).tobytes()
        size = len(rows) // len(nodes)
        codes = [self._codes[node] for node in nodes]
        memo.put_all(codes, network, [rows[begin : begin + size] for begin in range(0, len(rows), size)])
