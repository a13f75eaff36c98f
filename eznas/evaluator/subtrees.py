"""Which numbers of a population are computed for a network, and which are known from earlier calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain, compress

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
            # These alone are used, not what is kept of subtrees below them.
            used = [self._codes[node] for node in known]
            kept = [memo.take_all(used, networks[place]) for place in places] if known else ()
            rows = map(b"".join, zip(*kept, strict=True))
            numbers = {node: np.frombuffer(row, np.float32) for node, row in zip(known, rows, strict=True)}
            works.append(Work(tuple(places), wanted + inner, numbers))
        return works

    def _below(self, roots: Iterable[int], held: tuple[bool, ...]) -> tuple[tuple[int, ...], list[int]]:
        """The numbers below some roots that are to be computed, and those held that are needed instead."""
        wanted = set(roots)
        uses = self._uses.copy()
        given = {node for node in compress(self._numbers, held) if uses[node]} - wanted
        # As a garbage collector would: what nothing uses any more uses nothing itself. Networks lack nearly
        # all programs, and few numbers are held, so that this takes half as long as walking down from roots.
        dropped = [*(self._roots - wanted), *chain.from_iterable(self._reads[node] for node in given)]
        while dropped:
            node = dropped.pop()
            uses[node] -= 1
            if uses[node] == 0 and node not in given:
                dropped += self._reads[node]
        inner = [node for node in self._numbers if uses[node] and node not in given and node not in wanted]
        return tuple(inner), [node for node in self._numbers if node in given and uses[node]]

    @cached_property
    def _roots(self) -> frozenset[int]:
        return frozenset(self.graph.roots)

    @cached_property
    def _uses(self) -> list[int]:
        """For each node that some root depends on how many of these read its number; one more for a root."""
        uses = [0] * len(self.graph.nodes)
        used = list(self._roots)
        while used:
            node = used.pop()
            uses[node] += 1
            if uses[node] == 1:
                used += self._reads[node]
        return uses

    def keep(self, nodes: Sequence[int], network: int, numbers: NDArray[np.float32], memo: Memo[Row]) -> None:
        """Keep the numbers of nodes in the layers of a network, (nodes, layers)."""
        rows = numbers.tobytes()
        size = len(rows) // len(nodes)
        codes = [self._codes[node] for node in nodes]
        memo.put_all(codes, network, [rows[begin : begin + size] for begin in range(0, len(rows), size)])
