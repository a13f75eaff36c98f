"""Finds the subtrees that a program holds more than once."""

from __future__ import annotations

from collections import Counter

from eznas.ops import OPS
from eznas.program.tree import Tokens, argument_indices


def repeated_subtrees(tokens: Tokens) -> dict[int, int]:
    """The roots of repeated subtrees: from the token's index to a number, 1, 2, ..., that equal ones share.

    Lone terminals do not count, and neither does a subtree that is repeated only as a part of a larger
    repeated one. Arguments of commutative operations may stand in any order.
    """
    arguments = argument_indices(tokens)
    classes = _classes(tokens, arguments)
    occurrences = Counter(identity for name, identity in zip(tokens, classes, strict=True) if name in OPS)
    inside_larger = {
        child
        for index, its_arguments in enumerate(arguments)
        if occurrences[classes[index]] > 1
        for child in its_arguments
    }
    numbers: dict[int, int] = {}
    for index, identity in enumerate(classes):
        if occurrences[identity] > 1 and index not in inside_larger:
            numbers.setdefault(identity, len(numbers) + 1)
    return {index: numbers[identity] for index, identity in enumerate(classes) if identity in numbers}


def _classes(tokens: Tokens, arguments: list[tuple[int, ...]]) -> list[int]:
    """For every token the number of its subtree's class; equal subtrees share it."""
    known: dict[tuple[str | int, ...], int] = {}
    classes = [0] * len(tokens)
    for index in range(len(tokens) - 1, -1, -1):
        name = tokens[index]
        inner = [classes[argument] for argument in arguments[index]]
        if name in OPS and OPS[name].commutative:
            inner.sort()
        classes[index] = known.setdefault((name, *inner), len(known))
    return classes
