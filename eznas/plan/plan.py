"""The plan: what the machine runs for a set of programs on layers of geometries that are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from eznas.compile import Graph, ShapeColumn
from eznas.plan.calls import Call, Place, Sizes, Value
from eznas.plan.fusion import Expression, expressions, fuse
from eznas.plan.lowering import lower
from eznas.plan.memory import Memory, lay_out
from eznas.plan.stages import Section, make_sections


@dataclass(frozen=True, slots=True)
class Plan:
    """Sections of kernel calls, and where their operands live."""

    values: tuple[Value, ...]
    sections: tuple[Section, ...]
    memory: Memory
    number_of_node: dict[int, int]
    """For each node of the graph that is one number, the value that holds it."""
    fused: frozenset[Expression]
    """The chains of elementwise operations that one kernel computes at once."""
    unfused: tuple[Section, ...]
    """The sections as they would be without any."""

    def chains(self) -> Counter[Expression]:
        """The chains of elementwise operations, and in how many numbers each results for one layer."""
        return expressions(self.unfused, self.values)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call in its order."""
        return tuple(call for section in self.sections for call in section.calls)

    @property
    def geometries(self) -> int:
        """How many geometries it is for."""
        return len(self.values[0].size)

    @property
    def terminals(self) -> dict[str, int]:
        """The statistics that are read, and their values."""
        return {value.label: i for i, value in enumerate(self.values) if value.place is Place.TERMINAL}

    @property
    def constants(self) -> dict[int, Sizes]:
        """Values that are known beforehand."""
        return {i: value.constant for i, value in enumerate(self.values) if value.constant is not None}


def make_plan(
    graph: Graph,
    shapes: Sequence[ShapeColumn],
    choose: Callable[[Counter[Expression]], Iterable[Expression]] | None = None,
) -> Plan:
    """Plan the nodes that the roots depend on.

    Args:
        graph: Programs whose roots are single numbers.
        shapes: The shapes of each node for geometries that are alike, see `ShapeTable.alike`; roots without
            shapes are left out.
        choose: Says which chains of elementwise operations have a kernel of their own; it is told how many
            numbers each results in for one layer.
    """
    lowered = lower(graph, shapes)
    unfused = sections = make_sections(lowered.calls, len(lowered.values))
    fused: frozenset[Expression] = frozenset()
    if choose is not None:
        found = expressions(unfused, lowered.values)
        fused = frozenset(choose(found)) & found.keys()
        sections = fuse(unfused, lowered.values, fused)
    numbers = {
        node: held.value
        for node, held in enumerate(lowered.held)
        if held is not None and held.shape.is_single
    }
    memory = lay_out(lowered.values, sections)
    return Plan(lowered.values, sections, memory, numbers, fused, unfused)
