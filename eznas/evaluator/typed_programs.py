"""Programs as one graph, with their types for each geometry and the graph of those that have them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from eznas.backends import ToScalar
from eznas.compile import Graph, GrowingTable, Rejection, build_graph, fold_roots, simplify
from eznas.evaluator.subtrees import Subtrees
from eznas.program import AnyProgram
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first layer of a network on which a program has no shape, and why."""

    layer: int
    rejection: Rejection


class TypedPrograms:
    """The programs of a call; types and graphs are made once, whichever network needs them first.

    Threads may share it: at worst two of them make the same thing.
    """

    def __init__(self, programs: Sequence[AnyProgram], to_scalar: ToScalar, shapes: GrowingTable) -> None:
        self.programs = tuple(programs)
        self.graph = build_graph(programs)
        self.terminals = self.graph.terminals
        self._to_scalar = to_scalar
        self._shapes = shapes
        self._rejections: dict[Geometry, dict[int, Rejection]] = {}
        self._graphs: dict[tuple[int, ...], Graph] = {}

    def meet(self, networks: Sequence[NetworkStatistics]) -> None:
        """Find the types for the geometries of some networks, which takes less time together."""
        met = self._rejections
        missing = list(
            dict.fromkeys(g for network in networks for g in network.layers_of_geometry if g not in met)
        )
        if not missing:
            return
        table = self._shapes.covering(missing)
        columns = table.infer(self.graph)
        found: list[dict[int, Rejection]] = [{} for _ in table.geometries]
        for row, root in enumerate(self.graph.roots):
            if not columns[root].has_shapes:
                for rejections, entry in zip(found, columns[root].entries, strict=True):
                    if isinstance(entry, Rejection):
                        rejections[row] = entry
        met.update(zip(table.geometries, found, strict=True))

    def refusals(self, network: NetworkStatistics) -> dict[int, Refusal]:
        """For each program without a shape on some layer of a network, by index, the first one."""
        self.meet([network])
        found: dict[int, Refusal] = {}
        for geometry, layers in network.layers_of_geometry.items():
            for row, rejection in self._rejections[geometry].items():
                found.setdefault(row, Refusal(int(layers[0]), rejection))
        return found

    def graph_of(self, rows: tuple[int, ...]) -> Graph:
        """The graph of the programs of these indices."""
        if rows not in self._graphs:
            self._graphs[rows] = self.graph.select(rows)
        return self._graphs[rows]

    @functools.cached_property
    def subtrees(self) -> Subtrees:
        """The graph whose roots are the scalars of the programs, and its subtrees that are numbers."""
        return Subtrees(simplify(fold_roots(self.graph, self._to_scalar.op)))
