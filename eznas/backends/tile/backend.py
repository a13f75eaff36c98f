"""The tile backend."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends.backend import SubtreeBackend, ToScalar, Work
from eznas.backends.tile.asked import Asked
from eznas.backends.tile.kernels import KernelTable
from eznas.backends.tile.running import RunnablePlan
from eznas.compile import Graph, GrowingTable, ShapeColumn, ShapeTable, fold_roots, simplify
from eznas.plan import Plan, make_plan
from eznas.statistics import LayerTable, NetworkStatistics
from eznas.terminals import number_of_geometry, numbered_geometry

GRAPHS_KEPT: Final = 4
"""How many graphs' plans are kept; evaluations of many networks come back to one graph."""


class TileBackend(SubtreeBackend):
    """Plans for geometries that are alike, run by precompiled kernels; see `eznas.plan`."""

    name = "tile"

    def __init__(self) -> None:
        self.kernels = KernelTable()
        self.shapes = GrowingTable()
        self._graphs: OrderedDict[tuple[int, ToScalar | None], _GraphPlans] = OrderedDict()
        self._lock = threading.Lock()

    def layer_scalars(
        self, graph: Graph, network: NetworkStatistics, to_scalar: ToScalar
    ) -> NDArray[np.float64]:
        """See `Backend.layer_scalars`."""
        plans = self._plans_of(graph, to_scalar)
        return self._run(plans, [network], plans.graph.roots, [Work((0,), plans.graph.roots, {})])

    def work_scalars(
        self,
        graph: Graph,
        networks: Sequence[NetworkStatistics],
        nodes: Sequence[int],
        works: Sequence[Work],
    ) -> NDArray[np.float64]:
        """See `SubtreeBackend.work_scalars`."""
        return self._run(self._plans_of(graph, None), networks, nodes, works)

    def plan(self, graph: Graph, shapes: Sequence[ShapeColumn]) -> Plan:
        """The plan that this backend runs for a graph whose roots are numbers."""
        return make_plan(graph, shapes)

    def has_better_plan(self, plan: RunnablePlan) -> bool:  # noqa: ARG002 - for others
        """Whether to make a plan that has run anew."""
        return False

    def _plans_of(self, graph: Graph, to_scalar: ToScalar | None) -> _GraphPlans:
        key = id(graph), to_scalar
        with self._lock:
            found = self._graphs.get(key)
            if found is None:
                found = self._graphs[key] = _GraphPlans(graph, to_scalar)
                if len(self._graphs) > GRAPHS_KEPT:
                    self._graphs.popitem(last=False)
            return found

    def _run(
        self,
        plans: _GraphPlans,
        networks: Sequence[NetworkStatistics],
        nodes: Sequence[int],
        works: Sequence[Work],
    ) -> NDArray[np.float64]:
        """Run each plan on all layers that it is for, of all networks."""
        table = LayerTable.of(networks)
        asked = Asked.of(nodes, works, table)
        scalars = np.empty((len(nodes), len(table.geometries)))
        placement = self._placement(plans, table.distinct_geometries)
        for plan, layers, geometries in placement.layers_of_plans(table):
            plan.run(layers, geometries, table, asked, scalars)
            if self.has_better_plan(plan):
                plans.forget(plan)
        return scalars

    def _placement(self, plans: _GraphPlans, numbers: Sequence[int]) -> _Placement:
        """The plans for the geometries of these numbers, which are made where there are none."""
        # Threads that planned at the same time would only wait for each other at the interpreter lock.
        with plans.lock:
            if missing := plans.missing(numbers):
                self._plan_for(plans, missing)
            return plans.placement

    def _plan_for(self, plans: _GraphPlans, numbers: Sequence[int]) -> None:
        """Plan for geometries of these numbers, and for all met before, those that are alike together."""
        table = self.shapes.covering(map(numbered_geometry, numbers))
        columns = table.infer(plans.graph)
        made: dict[int, tuple[RunnablePlan, int]] = {}
        for rows in table.alike(plans.graph, columns):
            alike = [table.geometries[row] for row in rows]
            # Mostly all are alike, and columns know their sizes from earlier graphs.
            is_whole = len(rows) == len(table.geometries)
            shapes = columns if is_whole else ShapeTable(alike).of_rows(columns, rows)
            plan = RunnablePlan(self.plan(plans.graph, shapes), self.kernels, plans.terminals)
            made |= {number_of_geometry(geometry): (plan, place) for place, geometry in enumerate(alike)}
        plans.place(made)


@dataclass(frozen=True, slots=True)
class _Placement:
    """Which plan is for which geometry, for many layers at once."""

    plans: tuple[RunnablePlan, ...]
    plan_of: NDArray[np.int64]
    """For the number of a geometry the index of its plan, -1 where none was made."""
    place_of: NDArray[np.int64]
    """For the number of a geometry which of the geometries of its plan it is."""

    @classmethod
    def of(cls, plan_and_place: Mapping[int, tuple[RunnablePlan, int]]) -> _Placement:
        """The placement of geometries, given by their numbers."""
        plans = tuple(dict.fromkeys(plan for plan, _ in plan_and_place.values()))
        index_of = {plan: index for index, plan in enumerate(plans)}
        plan_of = np.full(max(plan_and_place, default=-1) + 1, -1, np.int64)
        place_of = np.zeros_like(plan_of)
        for number, (plan, place) in plan_and_place.items():
            plan_of[number], place_of[number] = index_of[plan], place
        return cls(plans, plan_of, place_of)

    def layers_of_plans(
        self, table: LayerTable
    ) -> Iterator[tuple[RunnablePlan, NDArray[np.int64], NDArray[np.int64]]]:
        """The plans for the layers of a table, the geometries of which are all placed.

        Yields:
            For each plan the layers that it is for, and for each of these which of its geometries it has.
        """
        places = self.place_of[table.geometries]
        met = dict.fromkeys(self.plan_of[table.distinct_geometries].tolist())
        if len(met) == 1:
            (index,) = met
            yield self.plans[index], table.layers, places
            return
        plans = self.plan_of[table.geometries]
        for index in met:
            layers = np.flatnonzero(plans == index)
            yield self.plans[index], layers, places[layers]


_NO_PLACEMENT: Final = _Placement.of({})


class _GraphPlans:
    """The plans of one graph, made when a geometry is first met."""

    def __init__(self, graph: Graph, to_scalar: ToScalar | None) -> None:
        self.given = graph  # Held, so that no other graph gets its identity.
        self.graph = graph if to_scalar is None else simplify(fold_roots(graph, to_scalar.op))
        self._plan_and_place: dict[int, tuple[RunnablePlan, int]] = {}
        """For the number of a geometry its plan, and which of the plan's geometries it is."""
        self.placement = _NO_PLACEMENT
        """The same in arrays."""
        self.lock = threading.Lock()
        """Held while the placement is changed."""
        self.terminals = sorted(self.graph.terminals)

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """The numbers of geometries that have no plan, among some."""
        return [number for number in numbers if number not in self._plan_and_place]

    def place(self, plan_and_place: Mapping[int, tuple[RunnablePlan, int]]) -> None:
        """Take in plans for geometries of these numbers, instead of those that they had."""
        self._plan_and_place |= plan_and_place
        self.placement = _Placement.of(self._plan_and_place)

    def forget(self, plan: RunnablePlan) -> None:
        """Have a plan made anew when it is needed next."""
        with self.lock:
            kept = {number: found for number, found in self._plan_and_place.items() if found[0] is not plan}
            self._plan_and_place = kept
            self.placement = _Placement.of(kept)
