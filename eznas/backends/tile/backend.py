"""The tile backend."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends.backend import SubtreeBackend, ToScalar
from eznas.backends.tile.kernels import KernelTable
from eznas.backends.tile.running import RunnablePlan
from eznas.compile import Graph, Rejection, fold_roots, infer_shapes, simplify
from eznas.plan import Plan, make_plan
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry, Shape

GRAPHS_KEPT: Final = 4
"""How many graphs' plans are kept; evaluations of many networks come back to one graph."""


class TileBackend(SubtreeBackend):
    """Plans for each geometry, run by precompiled kernels; see `eznas.plan`."""

    name = "tile"

    def __init__(self) -> None:
        self.kernels = KernelTable()
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

    def plan(self, graph: Graph, shapes: Sequence[Shape | Rejection]) -> Plan:
        """The plan that this backend runs for a graph whose roots are numbers."""
        return make_plan(graph, shapes)

    def has_better_plan(self, plan: RunnablePlan, layers: int) -> bool:  # noqa: ARG002 - for others
        """Whether to plan anew, after a plan has run on so many layers."""
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
        """Run the plan of each geometry on all layers that have it, of all networks."""
        ends = list(accumulate(len(network) for network in networks))
        layers_of: dict[Geometry, list[NDArray[np.int64]]] = {}
        for network, end in zip(networks, ends, strict=True):
            for geometry, layers in network.layers_of_geometry.items():
                layers_of.setdefault(geometry, []).append(layers + (end - len(network)))
        scalars = np.empty((len(nodes), ends[-1]))
        terminals = plans.addresses(networks)
        rows = {node: np.concatenate(parts) for node, parts in known.items()}
        for geometry, parts in layers_of.items():
            layers = np.concatenate(parts)
            plan = self._runnable(plans, geometry)
            plan.run(layers, terminals, tuple(nodes), rows, scalars)
            if self.has_better_plan(plan, len(layers)):
                with plans.lock:
                    plans.of_geometry.pop(geometry, None)
        return np.split(scalars, ends[:-1], axis=1)

    def _runnable(self, plans: _GraphPlans, geometry: Geometry) -> RunnablePlan:
        # Threads that planned at the same time would only wait for each other at the interpreter lock.
        with plans.lock:
            found = plans.of_geometry.get(geometry)
            if found is None:
                plan = self.plan(plans.graph, infer_shapes(plans.graph, geometry))
                found = plans.of_geometry[geometry] = RunnablePlan(plan, self.kernels)
            return found


class _GraphPlans:
    """The plans of one graph, made when a geometry is first met."""

    def __init__(self, graph: Graph, to_scalar: ToScalar | None) -> None:
        self.given = graph  # Held, so that no other graph gets its identity.
        self.graph = graph if to_scalar is None else simplify(fold_roots(graph, to_scalar.op))
        self.of_geometry: dict[Geometry, RunnablePlan] = {}
        self.lock = threading.Lock()
        self._terminals = sorted(self.graph.terminals)

    def addresses(self, networks: Sequence[NetworkStatistics]) -> dict[str, NDArray[np.int64]]:
        """For each terminal that is read the address of its numbers in each layer of all networks."""
        found = [network.addresses(self._terminals) for network in networks]
        return {name: np.concatenate([each[name] for each in found]) for name in self._terminals}
