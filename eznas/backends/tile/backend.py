"""The tile backend."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends.backend import SubtreeBackend, ToScalar
from eznas.backends.tile.kernels import KernelTable
from eznas.backends.tile.running import RunnablePlan
from eznas.compile import Graph, GrowingTable, ShapeColumn, ShapeTable, fold_roots, simplify
from eznas.plan import Plan, make_plan
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry

GRAPHS_KEPT: Final = 4
"""How many graphs' plans are kept; evaluations of many networks come back to one graph."""


class TileBackend(SubtreeBackend):
    """Plans for geometries that are alike, run by precompiled kernels; see `eznas.plan`."""

    name = "tile"

    def __init__(self) -> None:
        self.kernels = KernelTable()
        self._shapes = GrowingTable()
        self._graphs: OrderedDict[tuple[int, ToScalar | None], _GraphPlans] = OrderedDict()
        self._lock = threading.Lock()

    def layer_scalars(
        self, graph: Graph, network: NetworkStatistics, to_scalar: ToScalar
    ) -> NDArray[np.float64]:
        """See `Backend.layer_scalars`."""
        plans = self._plans_of(graph, to_scalar)
        return self._run(plans, [network], plans.graph.roots, {})[0]

    def node_scalars(
        self,
        graph: Graph,
        networks: Sequence[NetworkStatistics],
        nodes: Sequence[int],
        known: Mapping[int, Sequence[NDArray[np.float32]]],
    ) -> list[NDArray[np.float64]]:
        """See `SubtreeBackend.node_scalars`."""
        return self._run(self._plans_of(graph, None), networks, nodes, known)

    def plan(self, graph: Graph, shapes: Sequence[ShapeColumn]) -> Plan:
        """The plan that this backend runs for a graph whose roots are numbers."""
        return make_plan(graph, shapes)

    def has_better_plan(self, plan: RunnablePlan, graph: Graph) -> bool:  # noqa: ARG002 - for others
        """Whether to plan a graph anew, of which a plan has run."""
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
        known: Mapping[int, Sequence[NDArray[np.float32]]],
    ) -> list[NDArray[np.float64]]:
        """Run each plan on all layers that it is for, of all networks."""
        ends = list(accumulate(len(network) for network in networks))
        layers_of: dict[Geometry, list[NDArray[np.int64]]] = {}
        for network, end in zip(networks, ends, strict=True):
            for geometry, layers in network.layers_of_geometry.items():
                layers_of.setdefault(geometry, []).append(layers + (end - len(network)))
        scalars = np.empty((len(nodes), ends[-1]))
        terminals = plans.addresses(networks)
        rows = {node: np.concatenate(parts) for node, parts in known.items()}
        for plan, geometries in self._runnable(plans, layers_of).items():
            parts = [np.concatenate(layers_of[geometry]) for geometry, _ in geometries]
            layers = np.concatenate(parts)
            numbers = np.repeat([number for _, number in geometries], [len(part) for part in parts])
            plan.run(layers, numbers, terminals, tuple(nodes), rows, scalars)
            if self.has_better_plan(plan, plans.graph):
                plans.forget(plan)
        return np.split(scalars, ends[:-1], axis=1)

    def _runnable(
        self, plans: _GraphPlans, geometries: Iterable[Geometry]
    ) -> dict[RunnablePlan, list[tuple[Geometry, int]]]:
        """The plans for geometries, and for each of these its number in the plan."""
        # Threads that planned at the same time would only wait for each other at the interpreter lock.
        with plans.lock:
            missing = [geometry for geometry in geometries if geometry not in plans.of_geometry]
            if missing:
                self._plan_for(plans, missing)
            found: dict[RunnablePlan, list[tuple[Geometry, int]]] = {}
            for geometry in geometries:
                plan, number = plans.of_geometry[geometry]
                found.setdefault(plan, []).append((geometry, number))
            return found

    def _plan_for(self, plans: _GraphPlans, geometries: Sequence[Geometry]) -> None:
        """Plan for geometries, and for all met before, those that are alike together."""
        table = self._shapes.covering(geometries)
        columns = table.infer(plans.graph)
        for rows in table.alike(plans.graph, columns):
            alike = [table.geometries[row] for row in rows]
            shapes = ShapeTable(alike).of_rows(columns, rows)
            plan = RunnablePlan(self.plan(plans.graph, shapes), shapes, self.kernels)
            plans.of_geometry.update({geometry: (plan, number) for number, geometry in enumerate(alike)})


class _GraphPlans:
    """The plans of one graph, made when a geometry is first met."""

    def __init__(self, graph: Graph, to_scalar: ToScalar | None) -> None:
        self.given = graph  # Held, so that no other graph gets its identity.
        self.graph = graph if to_scalar is None else simplify(fold_roots(graph, to_scalar.op))
        self.of_geometry: dict[Geometry, tuple[RunnablePlan, int]] = {}
        """The plan for each geometry, and the number of the geometry in it."""
        self.lock = threading.Lock()
        self._terminals = sorted(self.graph.terminals)

    def forget(self, plan: RunnablePlan) -> None:
        """Have a plan made anew when it is needed next."""
        with self.lock:
            kept = {geometry: found for geometry, found in self.of_geometry.items() if found[0] is not plan}
            self.of_geometry = kept

    def addresses(self, networks: Sequence[NetworkStatistics]) -> dict[str, NDArray[np.int64]]:
        """For each terminal that is read the address of its numbers in each layer of all networks."""
        found = [network.addresses(self._terminals) for network in networks]
        return {name: np.concatenate([each[name] for each in found]) for name in self._terminals}
