"""Programs as one graph, with their types for each geometry and the graph of those that have them."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends import ToScalar
from eznas.compile import Graph, GrowingTable, Rejection, build_graph, fold_roots, simplify
from eznas.evaluator.memo import Code
from eznas.evaluator.subtrees import Subtrees
from eznas.program import AnyProgram
from eznas.statistics import LayerTable
from eznas.terminals import numbered_geometry

CALLS_KEPT: Final = 4
"""Of how many calls the programs are kept: a generation is scored on so many tasks, one after the other."""


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
        self._rejections: dict[int, dict[int, Rejection]] = {}
        """For the number of a geometry the programs without a shape, by index."""
        self._graphs: dict[tuple[int, ...], Graph] = {}

    def refusals(self, table: LayerTable) -> dict[int, dict[int, Refusal]]:
        """The programs without a shape on some layer of a network, by index, each with the first such layer.

        Networks are given by their places in the table, without those on which every program has a shape.
        """
        missing = [number for number in table.distinct_geometries if number not in self._rejections]
        if missing:
            self._meet(missing)
        refusing = {
            number: found for number in table.distinct_geometries if (found := self._rejections[number])
        }
        if not refusing:
            return {}
        geometries = np.split(table.geometries, table.bounds[1:-1])
        of_networks = {place: _first_refusals(each, refusing) for place, each in enumerate(geometries)}
        return {place: refused for place, refused in of_networks.items() if refused}

    def _meet(self, numbers: Sequence[int]) -> None:
        """Find the types for geometries of these numbers, which takes less time together."""
        geometries = [numbered_geometry(number) for number in numbers]
        table = self._shapes.covering(geometries)
        columns = table.infer(self.graph)
        refused = [row for row, root in enumerate(self.graph.roots) if not columns[root].has_shapes]
        for number, geometry in zip(numbers, geometries, strict=True):
            entries = {row: columns[self.graph.roots[row]].entries[table.rows[geometry]] for row in refused}
            self._rejections[number] = {
                row: entry for row, entry in entries.items() if isinstance(entry, Rejection)
            }

    def graph_of(self, rows: tuple[int, ...]) -> Graph:
        """The graph of the programs of these indices."""
        if rows not in self._graphs:
            self._graphs[rows] = self.graph.select(rows)
        return self._graphs[rows]

    @functools.cached_property
    def subtrees(self) -> Subtrees:
        """The graph whose roots are the scalars of the programs, and its subtrees that are numbers."""
        return Subtrees(simplify(fold_roots(self.graph, self._to_scalar.op)))


def _first_refusals(
    geometries: NDArray[np.int64], refusing: Mapping[int, Mapping[int, Rejection]]
) -> dict[int, Refusal]:
    """For each program that some geometry refuses, given by their numbers, the first layer of such a one."""
    found: dict[int, Refusal] = {}
    met, layers = np.unique(geometries, return_index=True)
    for layer, number in sorted(zip(layers.tolist(), met.tolist(), strict=True)):
        for row, rejection in refusing.get(number, {}).items():
            found.setdefault(row, Refusal(layer, rejection))
    return found


_recent: Final[OrderedDict[tuple[object, ...], TypedPrograms]] = OrderedDict()
"""Of all evaluators, since each task of an evolution has its own; those with one backend share them."""

_changing_recent: Final = threading.Lock()


def typed_programs(
    programs: Mapping[Code, AnyProgram], to_scalar: ToScalar, shapes: GrowingTable
) -> TypedPrograms:
    """The programs of these codes, typed now or by one of the last calls with the same shapes.

    A backend that plans a graph once finds it again.
    """
    key = tuple(programs), to_scalar, shapes
    with _changing_recent:
        found = _recent.get(key)
        if found is None:
            found = _recent[key] = TypedPrograms(tuple(programs.values()), to_scalar, shapes)
            if len(_recent) > CALLS_KEPT:
                _recent.popitem(last=False)
        else:
            _recent.move_to_end(key)
        return found
