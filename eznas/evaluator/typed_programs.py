"""Programs as one graph, with their types for each geometry and the graph of those that have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eznas.compile import Graph, Rejection, build_graph, infer_shapes
from eznas.program import Program
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

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = tuple(programs)
        self.graph = build_graph(programs)
        self._rejections: dict[Geometry, dict[int, Rejection]] = {}
        self._graphs: dict[tuple[int, ...], Graph] = {}

    def refusals(self, geometries: Sequence[Geometry]) -> dict[int, Refusal]:
        """For each program without a shape on some layer of these geometries, by index, the first one."""
        found: dict[int, Refusal] = {}
        first_layers: dict[Geometry, int] = {}
        for layer, geometry in enumerate(geometries):
            first_layers.setdefault(geometry, layer)
        for geometry, layer in first_layers.items():
            for row, rejection in self._rejected(geometry).items():
                found.setdefault(row, Refusal(layer, rejection))
        return found

    def graph_of(self, rows: tuple[int, ...]) -> Graph:
        """The graph of the programs of these indices."""
        if rows not in self._graphs:
            self._graphs[rows] = self.graph.select(rows)
        return self._graphs[rows]

    def _rejected(self, geometry: Geometry) -> dict[int, Rejection]:
        if geometry not in self._rejections:
            shapes = infer_shapes(self.graph, geometry)
            self._rejections[geometry] = {
                row: rejection
                for row, root in enumerate(self.graph.roots)
                if isinstance(rejection := shapes[root], Rejection)
            }
        return self._rejections[geometry]
