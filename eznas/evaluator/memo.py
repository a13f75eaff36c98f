"""The memo: what is kept between evaluations, under a budget of bytes."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from eznas.evaluator.scores import Failure
from eznas.ops import OPS
from eznas.program import AnyProgram, Program
from eznas.program.tree import MAX_SIZE
from eznas.terminals import TERMINALS

Code = bytes
"""What a canonical program or a subtree is known by."""

Key = tuple[Code, int]
"""A code, and the index of a network."""

Outcome = float | Failure

Row = bytes
"""The float32 numbers that a subtree gives on the layers of a network: quicker to cut out and to join than
arrays, and half as large."""

Kept = TypeVar("Kept")

_CODES: Final = {name: bytes([code]) for code, name in enumerate((*OPS, *TERMINALS))}
_DIGEST: Final = b"\xff"
"""The first byte of a digest; no code of a name."""

# Measured with tracemalloc, at the fullest that the table gets between two of its enlargements; what the
# networks of a program share is counted for each, so that the budget is an upper bound.
_ENTRY_BYTES: Final = 270
_FAILURE_BYTES: Final = 400
_FAILURE_BYTES_PER_TOKEN: Final = 64
_ROW_BYTES: Final = 48


def subtree_code(name: str, arguments: Iterable[bytes]) -> bytes:
    """The code of an operation on subtrees of these codes: its tokens, a byte each, or a digest of them."""
    code = b"".join([_CODES[name], *arguments])
    # The tree of a sequential program may have more nodes than there is memory.
    return code if len(code) <= MAX_SIZE else _DIGEST + hashlib.sha256(code).digest()


def program_code(program: AnyProgram) -> bytes:
    """The tokens of a tree, a byte each: quick to compare, and small to keep; or a digest of its steps."""
    if isinstance(program, Program):
        return b"".join([_CODES[name] for name in program.tokens])
    return _DIGEST + bytes.fromhex(program.hash)


@dataclass(slots=True)
class Memo(Generic[Kept]):
    """What is known of programs or subtrees on networks; the least recently used leave first."""

    budget: int
    """The bytes that the entries may take."""
    bytes_of: Callable[[Kept], int]
    """The bytes that something kept takes,"""
    entry_bytes: int = 0
    """and those that every entry takes beside it and its code."""
    hits: int = 0
    misses: int = 0
    bytes: int = 0
    """The bytes that they take; an upper bound."""
    _entries: OrderedDict[Key, Kept] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_off(self) -> bool:
        """Whether nothing is ever kept."""
        return self.budget == 0

    def holds(self, codes: Iterable[Code], network: int) -> tuple[bool, ...]:
        """For each code whether something is kept for it and a network, which counts as no use of it."""
        entries = self._entries
        return tuple([(code, network) in entries for code in codes])

    def get(self, key: Key) -> Kept | None:
        """What is kept, or None; counts a hit or a miss."""
        if key not in self._entries:
            self.misses += 1
            return None
        return self.take(key)

    def take(self, key: Key) -> Kept:
        """What is kept, where something is; counts a hit."""
        self.hits += 1
        self._entries.move_to_end(key)
        return self._entries[key]

    def get_all(self, codes: Iterable[Code], network: int) -> list[Kept | None]:
        """What is kept for each code and a network; see `get`."""
        return [self.get((code, network)) for code in codes]

    def put(self, key: Key, kept: Kept) -> None:
        """Keep something as the latest, and drop what exceeds the budget."""
        code, network = key
        self.put_all([code], network, [kept])

    def put_all(self, codes: Iterable[Code], network: int, kept: Iterable[Kept]) -> None:
        """Keep something for each code and a network, one after the other; see `put`."""
        # Looked up once for all, since a generation puts thousands.
        entries, bytes_of, taken = self._entries, self.bytes_of, self.bytes
        entry_bytes = self.entry_bytes
        for code, latest in zip(codes, kept, strict=True):
            key = code, network
            if key in entries:
                taken -= entry_bytes + len(code) + bytes_of(entries.pop(key))
            entries[key] = latest
            taken += entry_bytes + len(code) + bytes_of(latest)
            while taken > self.budget:
                (oldest, _), dropped = entries.popitem(last=False)
                taken -= entry_bytes + len(oldest) + bytes_of(dropped)
        self.bytes = taken


def outcome_memo(budget: int) -> Memo[Outcome]:
    """A memo of the outcomes of programs."""
    return Memo(budget, _bytes_of_outcome, _ENTRY_BYTES)


def row_memo(budget: int) -> Memo[Row]:
    """A memo of the rows of subtrees."""
    return Memo(budget, len, _ENTRY_BYTES + _ROW_BYTES)


def _bytes_of_outcome(outcome: Outcome) -> int:
    if isinstance(outcome, Failure):
        return _FAILURE_BYTES + _FAILURE_BYTES_PER_TOKEN * outcome.program.size + len(outcome.message)
    return 0
