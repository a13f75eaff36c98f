"""Walks over a program's tokens, the prefix order of a tree, with explicit stacks instead of recursion."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from eznas.errors import ProgramSyntaxError
from eznas.ops import OPS
from eznas.suggestion import quoted, with_nearest
from eznas.terminals import TERMINALS

Tokens = tuple[str, ...]

MAX_SIZE: Final = 10_000
"""The most operations and terminals that a program may hold."""

MAX_HEIGHT: Final = 200
"""The most operations that may stand around a terminal."""

ARITY: Final[dict[str, int]] = {name: op.arity for name, op in OPS.items()} | dict.fromkeys(TERMINALS, 0)
"""How many arguments each name takes; none for a terminal."""

COMMUTATIVE: Final = frozenset(name for name, op in OPS.items() if op.commutative)
"""The operations whose arguments may be swapped."""


def check_tokens(tokens: Tokens) -> None:
    """Raise unless the tokens are one whole tree of known names within the limits.

    Raises:
        ProgramSyntaxError: Says which token is wrong, what was expected there and what came.
    """
    if not isinstance(tokens, tuple):
        raise ProgramSyntaxError(f"expected a tuple of names, got {type(tokens).__name__}")
    if not tokens:
        raise ProgramSyntaxError("expected at least one name, got an empty tuple")
    if len(tokens) > MAX_SIZE:
        raise ProgramSyntaxError(size_message(len(tokens)))
    missing: list[int] = []
    for index, name in enumerate(tokens):
        if index and not missing:
            raise ProgramSyntaxError(f"the program is complete before token {index}, {name!r}")
        if not isinstance(name, str):
            raise ProgramSyntaxError(f"expected a name as token {index}, got {type(name).__name__}")
        if name not in ARITY:
            raise ProgramSyntaxError(f"{unknown_token(name)} (token {index})")
        if len(missing) > MAX_HEIGHT:
            raise ProgramSyntaxError(height_message())
        _advance(missing, ARITY[name])
    if missing:
        plural = "argument is" if sum(missing) == 1 else "arguments are"
        raise ProgramSyntaxError(f"the tokens end while {sum(missing)} more {plural} expected")


def _advance(missing: list[int], arity: int) -> None:
    """Count a node into the stack that holds, for each open operation, how many arguments are to come."""
    if missing:
        missing[-1] -= 1
    if arity:
        missing.append(arity)
        return
    while missing and not missing[-1]:
        missing.pop()


def unknown_token(name: str) -> str:
    """The message about a name that is neither an operation nor a terminal."""
    message = f"expected an operation or a terminal, got the unknown name {quoted(name)}"
    return with_nearest(message, name, ARITY)


def size_message(size: int | None = None) -> str:
    """The text of the error for a program with too many nodes."""
    came = "more" if size is None else f"{size}"
    return f"a program holds at most {MAX_SIZE} operations and terminals, got {came}"


def height_message() -> str:
    """The text of the error for a program that is nested too deeply."""
    return f"a program is at most {MAX_HEIGHT} operations high, got more"


def height(tokens: Tokens) -> int:
    """The number of operations around the most deeply nested terminal."""
    highest = 0
    missing: list[int] = []
    for name in tokens:
        highest = max(highest, len(missing))
        _advance(missing, ARITY[name])
    return highest


def subtree_end(tokens: Tokens, index: int) -> int:
    """The index after the last token of the subtree that starts at `index`."""
    missing = 1
    while missing:
        missing += ARITY[tokens[index]] - 1
        index += 1
    return index


def argument_indices(tokens: Tokens) -> list[tuple[int, ...]]:
    """For every token the indices of its arguments, in order; empty for a terminal."""
    arguments: list[tuple[int, ...]] = [()] * len(tokens)
    roots: list[int] = []
    for index in range(len(tokens) - 1, -1, -1):
        arity = ARITY[tokens[index]]
        arguments[index] = tuple(roots.pop() for _ in range(arity))
        roots.append(index)
    return arguments


def canonical(tokens: Tokens) -> Tokens:
    """The same tree with the arguments of every commutative operation in one fixed order.

    The order is that of the arguments' own canonical tokens, compared as text, one after the other.
    """
    if COMMUTATIVE.isdisjoint(tokens):
        return tokens
    subtrees: list[Tokens] = []
    for name in reversed(tokens):
        arguments = [subtrees.pop() for _ in range(ARITY[name])]
        if name in COMMUTATIVE:
            arguments.sort()
        subtrees.append((name, *chain.from_iterable(arguments)))
    return subtrees[0]


def text(tokens: Sequence[str]) -> str:
    """The program text, such as `add(T3, abs(T3G_D))`."""
    parts: list[str] = []
    missing: list[int] = []
    for name in tokens:
        parts.append(name)
        if ARITY[name]:
            parts.append("(")
            missing.append(ARITY[name])
            continue
        while missing:
            missing[-1] -= 1
            if missing[-1]:
                parts.append(", ")
                break
            parts.append(")")
            missing.pop()
    return "".join(parts)
