"""Chains of elementwise operations in a section, each of which one kernel can compute at once.

Only results that nothing else reads are kept from memory, so that no operation is computed twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from eznas.plan.calls import Call, Value
from eznas.plan.stages import Section
from eznas_kernels.instructions import Form

MAXIMUM_OPERATIONS: Final = 12
MAXIMUM_OPERANDS: Final = 6
"""Before its loop, a vectorised kernel compares its destination with each operand that is an array."""

HEAVY: Final = frozenset({"log", "abs_log", "exp", "sigmoid", "information"})
"""Operations of which a loop has one at most.

With two, or with a sum in float64 beside one, registers run out. Two in one loop took 1.2 ns an element, one
after the other 0.9; three 2.2 and 1.3; the mean of a sigmoid of 16,384 elements 26 µs, in two 14 (AVX2).
"""

_FUSABLE: Final = frozenset({Form.UNARY, Form.BINARY, Form.WITH_SCALAR})


@dataclass(frozen=True, slots=True)
class Expression:
    """The structure of a chain: kernels in the order in which they run, on operands and earlier results.

    Equal chains on other tensors are equal expressions.
    """

    steps: tuple[tuple[str, tuple[int, ...]], ...]
    """For each kernel its arguments: operands are counted from 0, results of steps from -1 downwards."""
    is_number: tuple[bool, ...]
    """For each operand whether it is one number rather than an array."""

    def __str__(self) -> str:
        texts: list[str] = []
        for kernel, arguments in self.steps:
            named = [
                texts[-1 - a] if a < 0 else f"{'number' if self.is_number[a] else 'array'}_{a}"
                for a in arguments
            ]
            texts.append(f"{kernel}({', '.join(named)})")
        return texts[-1]


class _Chain(NamedTuple):
    """Calls that end in one result."""

    calls: tuple[Call, ...]

    @property
    def last(self) -> Call:
        return self.calls[-1]

    @property
    def heavy(self) -> int:
        """How many of them are heavy."""
        return sum(call.kernel in HEAVY for call in self.calls)


def fuse(
    sections: Sequence[Section], values: Sequence[Value], chosen: Container[Expression]
) -> tuple[Section, ...]:
    """Put one call in the place of each chain whose expression was chosen."""
    readers = _readers(sections)
    return tuple(
        section._replace(calls=tuple(_fused_calls(section, values, readers, chosen)))
        if section.size
        else section
        for section in sections
    )


def expressions(sections: Sequence[Section], values: Sequence[Value]) -> Counter[Expression]:
    """The chains of two operations and more, and in how many numbers each results for one layer."""
    readers = _readers(sections)
    found: Counter[Expression] = Counter()
    for section in sections:
        if section.size:
            for chain in _chains(section, readers):
                if len(chain.calls) > 1:
                    found[_expression(chain, values)[0]] += sum(section.size) // len(section.size)
    return found


def _readers(sections: Sequence[Section]) -> Counter[int]:
    return Counter(operand for section in sections for call in section.calls for operand in call.operands)


def _fused_calls(
    section: Section,
    values: Sequence[Value],
    readers: Counter[int],
    chosen: Container[Expression],
) -> Iterator[Call]:
    for chain in _chains(section, readers):
        if len(chain.calls) > 1:
            expression, operands = _expression(chain, values)
            if expression in chosen:
                last = chain.last
                yield Call(Form.FUSED, str(expression), last.result, operands[0], last.size, fused=operands)
                continue
        yield from chain.calls


def _chains(section: Section, readers: Counter[int]) -> Iterator[_Chain]:
    """The calls of a section as chains, each after those that it reads from."""
    waiting: dict[int, _Chain] = {}
    read_on = {operand for call in section.calls if call.form in _FUSABLE for operand in call.operands}
    for call in section.calls:
        parts: list[_Chain] = []
        if call.form in _FUSABLE:
            for operand in dict.fromkeys(call.operands):
                if operand in waiting:
                    joined = _joined([*parts, waiting[operand]], call)
                    if len(joined.calls) <= MAXIMUM_OPERATIONS and joined.heavy <= 1:
                        parts.append(waiting.pop(operand))
        chain = _joined(parts, call)
        if len(_operands(chain)) > MAXIMUM_OPERANDS:
            yield from parts
            chain = _Chain((call,))
        for operand in call.operands:
            if operand in waiting:
                yield waiting.pop(operand)
        if call.form in _FUSABLE and readers[call.result] == 1 and call.result in read_on:
            waiting[call.result] = chain
        else:
            yield chain
    yield from waiting.values()


def _joined(parts: Sequence[_Chain], call: Call) -> _Chain:
    return _Chain((*(each for part in parts for each in part.calls), call))


def _operands(chain: _Chain) -> tuple[int, ...]:
    results = {call.result for call in chain.calls}
    return tuple(
        dict.fromkeys(operand for call in chain.calls for operand in call.operands if operand not in results)
    )


def _expression(chain: _Chain, values: Sequence[Value]) -> tuple[Expression, tuple[int, ...]]:
    operands = _operands(chain)
    number_of = {value: index for index, value in enumerate(operands)}
    steps = []
    for index, call in enumerate(chain.calls):
        steps.append((call.kernel, tuple(number_of[operand] for operand in call.operands)))
        number_of[call.result] = -1 - index
    return Expression(tuple(steps), tuple(values[operand].is_single for operand in operands)), operands
