"""Whether a plan can be run: everything is written before it is read, and nothing overwritten that is needed.

It runs a plan on names instead of numbers, and knows nothing of how the plan was made.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from eznas.errors import PlanError
from eznas.plan.calls import Call, Place
from eznas.plan.plan import Plan
from eznas.plan.stages import Section
from eznas_kernels.instructions import TILE, Form

_TOTALS: Final = {
    Form.SUM: 1,
    Form.SUM_OF_TWO: 1,
    Form.SUM_WITH_SCALAR: 1,
    Form.MOMENTS: 3,
    Form.TOTAL_PRODUCT: 1,
    Form.TOTAL_QUOTIENT: 1,
}
"""How many totals the forms write that write any."""

_ONE_NUMBER: Final = {
    Form.WITH_SCALAR: ("second",),
    Form.SUM_WITH_SCALAR: ("second",),
    Form.NORMALIZE: ("second", "third"),
    Form.FILL: ("first",),
}
"""The operands that are single numbers, of the forms whose other operands are arrays."""

Span = tuple[int, int]


def verify(plan: Plan) -> None:
    """Check every call of a plan.

    Raises:
        PlanError: What is wrong, and with which call.
    """
    checker = _Checker(plan)
    for section in plan.sections:
        checker.run_section(section)
    for node, value in plan.number_of_node.items():
        if not checker.is_there(value):
            raise PlanError(f"expected a number for node {node}, value {value} is not there at the end")


class _Checker:
    """The memory of a plan, with the value that each part of it holds."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._holders: dict[int, Span] = {}
        self._totals: set[int] = set()
        for value in plan.constants:
            self._write(value)

    def run_section(self, section: Section) -> None:
        """Run the calls of a section on their first tile, and look for conflicts with later tiles."""
        for call in section.calls:
            if section.size and (call.size != section.size or not call.is_tiled):
                raise PlanError(f"expected tiled calls on {section.size} numbers, got {call}")
            self._check_operands(call)
            self._check_results(call)
        if section.size:
            self._check_between_tiles(section)
            self._holders = {v: span for v, span in self._holders.items() if not self.plan.memory.is_tile[v]}

    def is_there(self, value: int) -> bool:
        """Whether the numbers of a value can be read now."""
        place = self.plan.values[value].place
        return place is Place.TERMINAL or value in self._totals or value in self._holders

    def _check_operands(self, call: Call) -> None:
        for operand in call.operands:
            if not self.is_there(operand):
                raise PlanError(f"expected operand {operand} to be there, it is not; {call}")
        if call.form >= Form.TOTAL_PRODUCT:
            return
        if call.form is Form.FUSED:
            numbers = [value for value in call.operands if self.plan.values[value].is_single]
        else:
            numbers = [getattr(call, name) for name in _ONE_NUMBER.get(call.form, ())]
        for operand in call.operands:
            expected = (1,) * len(call.size) if operand in numbers else call.size
            found = self.plan.values[operand].size
            if found != expected:
                raise PlanError(f"expected {expected} numbers in operand {operand}, got {found}; {call}")

    def _check_results(self, call: Call) -> None:
        if call.form in _TOTALS:
            results = range(call.result, call.result + _TOTALS[call.form])
            if any(self.plan.values[result].place is not Place.TOTAL for result in results):
                raise PlanError(f"expected totals as results; {call}")
            if not self._totals.isdisjoint(results):
                raise PlanError(f"expected each total to be summed once; {call}")
            self._totals.update(results)
            return
        results = range(call.result, call.result + 1 + (call.form is Form.FINISH_MOMENTS))
        for result in results:
            if self.plan.values[result].place not in (Place.NUMBER, Place.TENSOR) or result in self._holders:
                raise PlanError(f"expected a result that was not written before; {call}")
            span = self._span(result)
            for operand in call.operands:
                if operand in self._holders and _overlap(span, self._holders[operand]):
                    raise PlanError(f"expected the result to overlap no operand; {call}")
            self._write(result)

    def _check_between_tiles(self, section: Section) -> None:
        """What one tile writes must not be what a later tile still reads, or an earlier one has written."""
        touched = {value for call in section.calls for value in (call.result, *call.operands)}
        tensors = [value for value in touched if self.plan.values[value].place is Place.TENSOR]
        whole = [self._span(value) for value in tensors if not self.plan.memory.is_tile[value]]
        whole.append((0, max((self._span(v)[1] for v in tensors if self.plan.memory.is_tile[v]), default=0)))
        if _any_overlap(whole):
            raise PlanError(f"expected tensors of a section apart from each other and from tiles; {section}")

    def _span(self, value: int) -> Span:
        begin = self.plan.memory.offsets[value]
        size = max(self.plan.values[value].size)
        end = begin + (min(size, TILE) if self.plan.memory.is_tile[value] else size)
        if end > self.plan.memory.size:
            raise PlanError(
                f"expected value {value} within {self.plan.memory.size} numbers, it ends at {end}"
            )
        return begin, end

    def _write(self, value: int) -> None:
        span = self._span(value)
        self._holders = {v: other for v, other in self._holders.items() if not _overlap(span, other)}
        self._holders[value] = span


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _any_overlap(spans: Iterable[Span]) -> bool:
    ordered = sorted(spans)
    return any(_overlap(one, other) for one, other in itertools.pairwise(ordered))
