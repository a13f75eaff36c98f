"""The backend that decides by itself which chains are worth a kernel of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from eznas.backends.fused.backend import FusedBackend, saved
from eznas.backends.fused.costs import FusionCosts
from eznas.backends.tile.running import RunnablePlan
from eznas.compile import Graph, ShapeColumn
from eznas.plan import Expression, Plan, make_plan


class AutoBackend(FusedBackend):
    """The tile backend, which compiles a chain once it would have saved the time that compiling takes.

    So whatever comes later, the time lost by deciding wrongly is at most about that of deciding well. Plans
    that run for less time than compiling takes are not looked at. The results do not depend on the decision:
    all kernels of a program round alike.
    """

    name = "auto"

    def __init__(self) -> None:
        super().__init__()
        self._costs = FusionCosts.of_this_machine()
        self._seconds_missed: defaultdict[Expression, float] = defaultdict(float)
        self._chosen: set[Expression] = set()

    def plan(self, graph: Graph, shapes: Sequence[ShapeColumn]) -> Plan:
        """See `TileBackend.plan`."""
        # Looking for chains takes a fifth of planning.
        return make_plan(graph, shapes, (lambda _found: self._chosen) if self._chosen else None)

    def has_better_plan(self, plan: RunnablePlan) -> bool:
        """Count what fusing would have saved, once that can be much; whether a chain has become worth it."""
        if plan.seconds < self._costs.compile_seconds:
            return False
        layers, plan.seconds, plan.layers = plan.layers, 0.0, 0
        found = plan.chains
        for expression, numbers in found.items():
            if expression not in self._chosen:
                seconds = saved(expression, numbers) * layers * self._costs.seconds_per_number
                self._seconds_missed[expression] += seconds
                if self._seconds_missed[expression] > self._costs.compile_seconds and self.take(expression):
                    self._chosen.add(expression)
        return bool(self._chosen & found.keys() - plan.plan.fused)
