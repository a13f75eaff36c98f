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

    So whatever comes later, the time lost by deciding wrongly is at most about that of deciding well. The
    results do not depend on the decision: all kernels of a program round alike.
    """

    name = "auto"

    def __init__(self) -> None:
        super().__init__()
        self._costs = FusionCosts.of_this_machine()
        self._seconds_missed: defaultdict[Expression, float] = defaultdict(float)

    def plan(self, graph: Graph, shapes: Sequence[ShapeColumn]) -> Plan:
        """See `TileBackend.plan`."""
        return make_plan(graph, shapes, lambda found: {each for each in found if self._is_worthwhile(each)})

    def has_better_plan(self, plan: RunnablePlan, layers: int) -> bool:
        """Count what fusing would have saved; whether a chain has become worth a kernel."""
        for expression, numbers in plan.plan.unfused.items():
            seconds = saved(expression, numbers) * layers * self._costs.seconds_per_number
            self._seconds_missed[expression] += seconds
        return any(self._is_worthwhile(expression) for expression in plan.plan.unfused)

    def _is_worthwhile(self, expression: Expression) -> bool:
        return self._seconds_missed[expression] > self._costs.compile_seconds and self.take(expression)
