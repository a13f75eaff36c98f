"""Reads program texts such as `mean(abs(T3G_D))` with an explicit stack, so that no depth can overflow it.

    program = terminal | operation "(" program { "," program } ")"

White space between names and signs means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eznas.errors import ProgramSyntaxError
from eznas.program.tree import (
    ARITY,
    MAX_HEIGHT,
    MAX_SIZE,
    Tokens,
    height_message,
    size_message,
    unknown_token,
)
from eznas.suggestion import quoted

_SPACE: Final = re.compile(r"\s*")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[(),]")
_SIGNS: Final = frozenset("(),")
_WINDOW: Final = 30


@dataclass(frozen=True, slots=True)
class _Word:
    """A name, a sign, or the empty string for the end of the text, and where it stands."""

    text: str
    start: int

    def __str__(self) -> str:
        return quoted(self.text) if self.text else "the end of the text"


@dataclass(slots=True)
class _OpenOperation:
    """An operation whose closing parenthesis has not come yet."""

    word: _Word
    arguments: int = 0


def parse_tokens(program_text: str) -> Tokens:
    """The names of a program text in prefix order.

    Raises:
        ProgramSyntaxError: The text is not one program; says where, what was expected and what stands there.
    """
    if not isinstance(program_text, str):
        raise ProgramSyntaxError(f"expected a program text (str), got {type(program_text).__name__}")
    words = _words(program_text)
    tokens: list[str] = []
    stack: list[_OpenOperation] = []
    while True:
        name = _expect_name(program_text, next(words), stack)
        tokens.append(name.text)
        if len(tokens) > MAX_SIZE:
            raise _error(program_text, name.start, size_message())
        if stack:
            stack[-1].arguments += 1
        if ARITY[name.text]:
            opening = next(words)
            if opening.text != "(":
                raise _error(program_text, opening.start, f"expected '(' after {name}, got {opening}")
            stack.append(_OpenOperation(name))
            if len(stack) > MAX_HEIGHT:
                raise _error(program_text, name.start, height_message())
            continue
        if _close_operations(program_text, words, stack):
            return tuple(tokens)


def _words(program_text: str) -> Iterator[_Word]:
    position = _skip_space(program_text, 0)
    while position < len(program_text):
        match = _WORD.match(program_text, position)
        if match is None:
            came = repr(program_text[position])
            raise _error(program_text, position, f"expected a name, '(', ',' or ')', got {came}")
        yield _Word(match.group(), position)
        position = _skip_space(program_text, match.end())
    yield _Word("", len(program_text))


def _skip_space(program_text: str, position: int) -> int:
    match = _SPACE.match(program_text, position)
    return position if match is None else match.end()


def _expect_name(program_text: str, word: _Word, stack: list[_OpenOperation]) -> _Word:
    if word.text in ARITY:
        return word
    if word.text == ")" and stack and not stack[-1].arguments:
        raise _wrong_count(program_text, stack[-1])
    if word.text and word.text not in _SIGNS:
        raise _error(program_text, word.start, unknown_token(word.text))
    raise _error(program_text, word.start, f"expected an operation or a terminal, got {word}")


def _close_operations(program_text: str, words: Iterator[_Word], stack: list[_OpenOperation]) -> bool:
    """Read what follows a terminal, up to a comma (False) or to the end of the whole program (True)."""
    after_terminal = True
    while True:
        word = next(words)
        if not stack:
            if not word.text:
                return True
            raise _error(program_text, word.start, _not_after(word, after_terminal, "the end of the text"))
        if word.text == ",":
            return False
        if word.text != ")":
            raise _error(program_text, word.start, _not_after(word, after_terminal, _continuation(stack[-1])))
        operation = stack.pop()
        if operation.arguments != ARITY[operation.word.text]:
            raise _wrong_count(program_text, operation)
        after_terminal = False


def _continuation(operation: _OpenOperation) -> str:
    missing = ARITY[operation.word.text] - operation.arguments
    if missing > 0:
        return f"',' and argument {operation.arguments + 1} of {operation.word}"
    return f"')' to close {operation.word}"


def _not_after(word: _Word, after_terminal: bool, expected: str) -> str:
    hint = " (a terminal takes no arguments)" if after_terminal and word.text == "(" else ""
    return f"expected {expected}, got {word}{hint}"


def _wrong_count(program_text: str, operation: _OpenOperation) -> ProgramSyntaxError:
    arity = ARITY[operation.word.text]
    plural = "argument" if arity == 1 else "arguments"
    message = f"{operation.word} takes {arity} {plural}, got {operation.arguments}"
    return _error(program_text, operation.word.start, message)


def _error(program_text: str, position: int, message: str) -> ProgramSyntaxError:
    """The message with the column, counted from 1, and the text around it with a caret under the place."""
    start = max(0, position - _WINDOW) if len(program_text) > 2 * _WINDOW else 0
    end = position + _WINDOW if len(program_text) > 2 * _WINDOW else len(program_text)
    before = ("..." if start else "") + _printable(program_text[start:position])
    after = _printable(program_text[position:end]) + ("..." if end < len(program_text) else "")
    caret = " " * len(before) + "^"
    return ProgramSyntaxError(f"column {position + 1}: {message}\n  {before}{after}\n  {caret}")


def _printable(part: str) -> str:
    """The part with one printable character for each of its own, so that the caret stays in place."""
    return "".join(" " if c.isspace() else c if c.isprintable() else "?" for c in part)
