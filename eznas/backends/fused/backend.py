"""The fused backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from eznas.backends.fused.compiling import GENERATED
from eznas.backends.tile import TileBackend
from eznas.compile import Graph, ShapeColumn
from eznas.plan import Expression, Plan, make_plan


class FusedBackend(TileBackend):
    """The tile backend with generated kernels, for as many chains as a process may hold.

    Those that save most come first. Results are those of the tile backend to the bit.
    """

    name = "fused"

    def plan(self, graph: Graph, shapes: Sequence[ShapeColumn]) -> Plan:
        """See `TileBackend.plan`."""
        return make_plan(graph, shapes, self._choose)

    def _choose(self, found: Counter[Expression]) -> set[Expression]:
        ordered = sorted(found, key=lambda expression: -saved(expression, found[expression]))
        return {expression for expression in ordered if self.take(expression)}

    def take(self, expression: Expression) -> bool:
        """Whether there is a kernel for an expression, which may be compiled for it."""
        name = str(expression)
        if name not in self.kernels.number_of:
            address = GENERATED.address(expression)
            if address is None:
                return False
            self.kernels.add(name, address)
        return True


def saved(expression: Expression, numbers: int) -> int:
    """How many numbers need not be written and read again when a chain runs at once."""
    return (len(expression.steps) - 1) * numbers
