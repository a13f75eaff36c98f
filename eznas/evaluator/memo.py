"""The memo: what is kept between evaluations, under a budget of bytes."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

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

Row = NDArray[np.float32]
"""The number that a subtree gives on each layer of a network."""

Kept = TypeVar("Kept")

_CODES: Final = {name: bytes([code]) for code, name in enumerate((*OPS, *TERMINALS))}
_DIGEST: Final = b"\xff"
"""The first byte of a digest; no code of a name."""

# Measured with tracemalloc, at the fullest that the table gets between two of its enlargements; what the
# networks of a program share is counted for each, so that the budget is an upper bound.
_ENTRY_BYTES: Final = 270
_FAILURE_BYTES: Final = 400
_FAILURE_BYTES_PER_TOKEN: Final = 64
_ROW_BYTES: Final = 112


def subtree_code(name: str, arguments: Iterable[bytes]) -> bytes:
    """The code of an operation on subtrees of these codes: its tokens, a byte each, or a digest of them."""
    code = b"".join([_CODES[name], *arguments])
    # The tree of a sequential program may have more nodes than there is memory.
    return code if len(code) <= MAX_SIZE else _DIGEST + hashlib.sha256(code).digest()


def program_code(program: AnyProgram) -> bytes:
    """The tokens of a tree, a byte each: quick to compare, and small to keep; or a digest of its steps."""
    if isinstance(program, Program):
        return b"".join(_CODES[name] for name in program.tokens)
    return _DIGEST + bytes.fromhex(program.hash)


@dataclass(slots=True)
class Memo(Generic[Kept]):
    """What is known of programs or subtrees on networks; the least recently used leave first."""

    budget: int
    """The bytes that the entries may take."""
    bytes_of: Callable[[Key, Kept], int]
    """The bytes that an entry takes."""
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
        for code, latest in zip(codes, kept, strict=True):
            key = code, network
            replaced = entries.pop(key, None)
            if replaced is not None:
                taken -= bytes_of(key, replaced)
            entries[key] = latest
            taken += bytes_of(key, latest)
            while taken > self.budget:
                taken -= bytes_of(*entries.popitem(last=False))
        self.bytes = taken


def outcome_memo(budget: int) -> Memo[Outcome]:
    """A memo of the outcomes of programs."""
    return Memo(budget, _outcome_bytes)


def row_memo(budget: int) -> Memo[Row]:
    """A memo of the rows of subtrees."""
    return Memo(budget, _row_bytes)


def _outcome_bytes(key: Key, outcome: Outcome) -> int:
    entry = _ENTRY_BYTES + len(key[0])
    if isinstance(outcome, Failure):
        entry += _FAILURE_BYTES + _FAILURE_BYTES_PER_TOKEN * outcome.program.size + len(outcome.message)
    return entry


def _row_bytes(key: Key, row: Row) -> int:
    return _ENTRY_BYTES + _ROW_BYTES + len(key[0]) + row.nbytes
