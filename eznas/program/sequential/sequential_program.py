"""The sequential program: an immutable list of instructions over a memory (EZNAS, appendix)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from eznas.program import document
from eznas.program.program import Program
from eznas.program.sequential import text as texts
from eznas.program.sequential.instruction import Instruction, check_instructions
from eznas.program.sequential.lowering import keep_in_memory, live_instructions, lower
from eznas.program.steps import Steps, canonical_steps, tree_heights, tree_sizes, tree_tokens
from eznas.program.tree import MAX_HEIGHT
from eznas.terminals import TERMINALS

LARGEST_TREE: Final = 200
"""Up to so many operations and terminals a sequential program is known by its tree."""

_FORMAT: Final = "eznas-sequential-program"


@dataclass(frozen=True, slots=True, repr=False)
class SequentialProgram:
    """Instructions that run one after the other; what the last one writes is the result.

    An instruction may read any statistic, and any address to which one before it has written; the latest
    writing counts. Instructions that the result does not depend on are dead: they are part of the program,
    since variation can bring them to life, but nothing that they compute or refuse matters.

    Equal programs have equal instructions; programs whose results are the same formula are unequal, but have
    the same `hash`.

    Raises:
        ProgramSyntaxError: There is no instruction or more than `MAX_LENGTH`, one is not four integers in
            their ranges, or one, live or dead, reads an address to which nothing was written before.
    """

    instructions: tuple[Instruction, ...]

    def __post_init__(self) -> None:
        check_instructions(self.instructions)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a program text such as `d0 = abs(T3); s0 = mean(d0)`.

        Raises:
            ProgramSyntaxError: Says at which instruction, what was expected and what stands there.
        """
        return cls(texts.read(text))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ProgramSyntaxError: Not such a document, or one of another format, version or set of operations.
        """
        return cls.parse(document.read(text, _FORMAT))

    def to_json(self) -> str:
        """A JSON document: format, version, program text, and the hash of the set of operations."""
        return document.write(str(self), _FORMAT)

    def __str__(self) -> str:
        return texts.write(self.instructions)

    def __repr__(self) -> str:
        return f"SequentialProgram.parse({str(self)!r})"

    @property
    def length(self) -> int:
        """The number of instructions, dead or alive."""
        return len(self.instructions)

    @property
    def live(self) -> tuple[bool, ...]:
        """For each instruction whether the result depends on it."""
        return live_instructions(self.instructions)

    @property
    def size(self) -> int:
        """The number of distinct operations and terminals that the result depends on."""
        return len(self.steps())

    @property
    def terminals(self) -> tuple[str, ...]:
        """The terminals that the result depends on, in the order of `eznas.terminals.TERMINALS`."""
        used = {step.name for step in self.steps()}
        return tuple(name for name in TERMINALS if name in used)

    @property
    def hash(self) -> str:
        """The hash of its tree, where that has at most `LARGEST_TREE` nodes, or else SHA-256 of its steps.

        In hexadecimal; the same in every process, for all sequential programs of the same formula.
        """
        tree = self.as_tree()
        if tree is not None:
            return tree.hash
        steps = canonical_steps(self.steps())
        lines = [f"{name} {' '.join(map(str, arguments))}" for name, arguments in steps]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def steps(self) -> Steps:
        """What the live instructions compute: equal results once, each after its arguments."""
        return lower(self.instructions)

    def canonical(self) -> SequentialProgram:
        """The same formula without dead or repeated instructions, in one fixed order at the lowest addresses.

        Where that order needs more addresses than there are, the program without its dead instructions.
        """
        instructions = keep_in_memory(canonical_steps(self.steps()))
        return self.without_dead_code() if instructions is None else SequentialProgram(instructions)

    def without_dead_code(self) -> SequentialProgram:
        """The live instructions alone."""
        pairs = zip(self.instructions, self.live, strict=True)
        return SequentialProgram(tuple(instruction for instruction, is_live in pairs if is_live))

    def as_tree(self, largest: int = LARGEST_TREE) -> Program | None:
        """The same formula as an expression tree.

        Args:
            largest: The most operations and terminals that the tree may have.

        Returns:
            The tree, or None where it would be larger, or higher than a program may be.
        """
        steps = self.steps()
        if tree_sizes(steps)[-1] > largest or tree_heights(steps)[-1] > MAX_HEIGHT:
            return None
        return Program(tree_tokens(steps))
