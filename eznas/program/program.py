"""The program: an immutable expression tree of operations over terminals."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from eznas.errors import ProgramSyntaxError
from eznas.program import document, tree
from eznas.program.parse import parse_tokens
from eznas.program.steps import Steps, tree_steps
from eznas.terminals import TERMINALS


@dataclass(frozen=True, slots=True, repr=False)
class Program:
    """An expression tree, held as its names in prefix order: `mean(abs(T3))` is `("mean", "abs", "T3")`.

    Equal programs have equal tokens; programs that differ only in the order of the arguments of
    commutative operations are unequal, but have the same `hash`.

    Raises:
        ProgramSyntaxError: A name is unknown, the tokens are not one whole tree, or the tree has more than
            `MAX_SIZE` nodes or is higher than `MAX_HEIGHT`.
    """

    tokens: tree.Tokens

    def __post_init__(self) -> None:
        tree.check_tokens(self.tokens)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a program text; white space means nothing.

        Raises:
            ProgramSyntaxError: Says at which column, what was expected and what stands there.
        """
        return cls(parse_tokens(text))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ProgramSyntaxError: Not such a document, or one of another format, version or set of operations.
        """
        return cls.parse(document.read(text))

    def to_json(self) -> str:
        """A JSON document: format, version, program text, and the hash of the set of operations."""
        return document.write(str(self))

    def __str__(self) -> str:
        return tree.text(self.tokens)

    def __repr__(self) -> str:
        return f"Program.parse({str(self)!r})"

    @property
    def size(self) -> int:
        """The number of operations and terminals."""
        return len(self.tokens)

    @property
    def height(self) -> int:
        """The number of operations around the most deeply nested terminal; 0 for a lone terminal."""
        return tree.height(self.tokens)

    @property
    def terminals(self) -> tuple[str, ...]:
        """The distinct terminals that the program reads, in the order of `eznas.terminals.TERMINALS`."""
        used = set(self.tokens)
        return tuple(name for name in TERMINALS if name in used)

    @property
    def hash(self) -> str:
        """SHA-256 of the text of the canonical form, in hexadecimal; the same in every process."""
        return hashlib.sha256(str(self.canonical()).encode()).hexdigest()

    def canonical(self) -> Program:
        """The same formula with the arguments of commutative operations in one fixed order."""
        tokens = tree.canonical(self.tokens)
        return self if tokens == self.tokens else Program(tokens)

    def steps(self) -> Steps:
        """What the tree computes: equal subtrees once, each after its arguments."""
        return tree_steps(self.tokens)

    def subtree_end(self, index: int) -> int:
        """The index after the last token of the subtree whose root is token `index` (counted from 0).

        Raises:
            ProgramSyntaxError: The program has no token of that index.
        """
        if not 0 <= index < self.size:
            raise ProgramSyntaxError(f"expected a token index from 0 to {self.size - 1}, got {index}")
        return tree.subtree_end(self.tokens, index)

    def subtree(self, index: int) -> Program:
        """The subtree whose root is token `index`, as a program of its own.

        Raises:
            ProgramSyntaxError: The program has no token of that index.
        """
        return Program(self.tokens[index : self.subtree_end(index)])

    def argument_indices(self) -> list[tuple[int, ...]]:
        """For every token the indices of its arguments, in order; empty for a terminal."""
        return tree.argument_indices(self.tokens)
