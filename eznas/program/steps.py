"""A program as steps: operations on the results of earlier steps, so that what is shared stands once.

A tree doubles with each `add(x, x)`; its steps grow by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from eznas.program.tree import ARITY, COMMUTATIVE, Tokens


class Step(NamedTuple):
    """An operation on earlier steps, or a terminal."""

    name: str
    arguments: tuple[int, ...] = ()


Steps = tuple[Step, ...]
"""Each after its arguments; no two are equal, and the last one is the program's result."""


class _Node(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> tuple[int, ...]: ...


class StepTable:
    """Steps in the making; one that is equal to an earlier one, up to commutativity, becomes that."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._index_of: dict[Step, int] = {}

    def add(self, name: str, arguments: Sequence[int] = ()) -> int:
        """The index of the step."""
        key = Step(name, tuple(sorted(arguments) if name in COMMUTATIVE else arguments))
        index = self._index_of.setdefault(key, len(self.steps))
        if index == len(self.steps):
            self.steps.append(Step(name, tuple(arguments)))
        return index


def precedes(nodes: Sequence[_Node], first: int, second: int) -> bool:
    """Whether the tree of one node comes before that of another, by their names in prefix order.

    Equal trees must be one node. It takes a comparison for each level, however large the trees are: the
    first arguments that are not the same node decide.
    """
    while first != second:
        one, other = nodes[first], nodes[second]
        if one.name != other.name:
            return one.name < other.name
        pairs = zip(one.arguments, other.arguments, strict=True)
        first, second = next(pair for pair in pairs if pair[0] != pair[1])
    return False


def canonical_steps(steps: Steps) -> Steps:
    """The same formula in the one order that depends on nothing but the formula.

    Arguments of commutative operations are ordered as in `Program.canonical`, and steps as they are met
    first in the text of the tree, arguments before what reads them.
    """
    ordered: list[Step] = []
    for name, arguments in steps:
        if name in COMMUTATIVE and precedes(ordered, arguments[1], arguments[0]):
            arguments = arguments[::-1]
        ordered.append(Step(name, arguments))
    table = StepTable()
    moved: dict[int, int] = {}
    waiting = [len(ordered) - 1]
    while waiting:
        name, arguments = ordered[waiting[-1]]
        missing = [argument for argument in reversed(arguments) if argument not in moved]
        if missing:
            waiting.extend(missing)
            continue
        moved[waiting.pop()] = table.add(name, [moved[argument] for argument in arguments])
    return tuple(table.steps)


def tree_sizes(steps: Iterable[Step]) -> list[int]:
    """For each step the operations and terminals of its tree."""
    sizes: list[int] = []
    for step in steps:
        sizes.append(1 + sum(sizes[argument] for argument in step.arguments))
    return sizes


def tree_heights(steps: Iterable[Step]) -> list[int]:
    """For each step the operations around the most deeply nested terminal of its tree."""
    heights: list[int] = []
    for step in steps:
        heights.append(1 + max(heights[argument] for argument in step.arguments) if step.arguments else 0)
    return heights


def tree_tokens(steps: Steps) -> Tokens:
    """The tree in prefix order; look at its size first."""
    tokens: list[str] = []
    waiting = [len(steps) - 1]
    while waiting:
        name, arguments = steps[waiting.pop()]
        tokens.append(name)
        waiting.extend(reversed(arguments))
    return tuple(tokens)


def tree_steps(tokens: Tokens) -> Steps:
    """The steps of a tree in prefix order."""
    table = StepTable()
    waiting: list[int] = []
    for name in reversed(tokens):
        waiting.append(table.add(name, [waiting.pop() for _ in range(ARITY[name])]))
    return tuple(table.steps)
