"""The memo: what is kept between evaluations, under a budget of bytes."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from eznas.evaluator.scores import Failure
from eznas.ops import OPS
from eznas.program import AnyProgram, Program
from eznas.program.tree import MAX_SIZE
from eznas.terminals import TERMINALS

Code = bytes
"""What a canonical program or a subtree is known by."""

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
_ENTRY_BYTES: Final = 200
_FAILURE_BYTES: Final = 400
_FAILURE_BYTES_PER_TOKEN: Final = 64
_ROW_BYTES: Final = 48
_NETWORK_BYTES: Final = 500


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
    """What is known of programs or subtrees on networks.

    Under a budget of bytes: of the network that was used least recently, the least recently used leave first.
    A call uses many codes of a network at once, so that what is kept is looked up and counted once for all.
    """

    budget: int
    """The bytes that the entries may take."""
    bytes_of: Callable[[Sequence[Kept]], int]
    """The bytes that things kept take,"""
    entry_bytes: int
    """and those that every entry takes beside it and its code."""
    hits: int = 0
    misses: int = 0
    bytes: int = 0
    """The bytes that they take; an upper bound."""
    _of_network: OrderedDict[int, OrderedDict[Code, Kept]] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return sum(map(len, self._of_network.values()))

    @property
    def is_off(self) -> bool:
        """Whether nothing is ever kept."""
        return self.budget == 0

    def holds(self, codes: Iterable[Code], network: int) -> tuple[bool, ...]:
        """For each code whether something is kept for it and a network, which counts as no use of it."""
        entries = self._held_for(network)
        return tuple([code in entries for code in codes])

    def get_all(self, codes: Sequence[Code], network: int) -> list[Kept | None]:
        """What is kept for each code and a network, or None; counts hits and misses."""
        entries = self._held_for(network)
        kept = [entries.get(code) for code in codes]
        held = [code for code, each in zip(codes, kept, strict=True) if each is not None]
        if held:
            self.take_all(held, network)
        self.misses += len(codes) - len(held)
        return kept

    def take_all(self, codes: Sequence[Code], network: int) -> list[Kept]:
        """What is kept for each code and a network, where something is for all of them; counts hits."""
        self.hits += len(codes)
        self._of_network.move_to_end(network)
        entries = self._of_network[network]
        for code in codes:
            entries.move_to_end(code)
        return [entries[code] for code in codes]

    def put_all(self, codes: Sequence[Code], network: int, kept: Sequence[Kept]) -> None:
        """Keep something for each of distinct codes and a network, and drop what exceeds the budget."""
        entries = self._of_network.get(network)
        if entries is None:
            entries = self._of_network[network] = OrderedDict()
            self.bytes += _NETWORK_BYTES
        self._of_network.move_to_end(network)
        again = [code for code in codes if code in entries]
        self._count_out(again, [entries.pop(code) for code in again])
        entries.update(zip(codes, kept, strict=True))
        self.bytes += self._bytes_of_entries(codes, kept)
        while self.bytes > self.budget:
            self._drop_oldest()

    def _held_for(self, network: int) -> Mapping[Code, Kept]:
        return self._of_network.get(network, {})

    def _drop_oldest(self) -> None:
        network, entries = next(iter(self._of_network.items()))
        if entries:
            code, dropped = entries.popitem(last=False)
            self._count_out([code], [dropped])
        if not entries:
            del self._of_network[network]
            self.bytes -= _NETWORK_BYTES

    def _count_out(self, codes: Sequence[Code], dropped: Sequence[Kept]) -> None:
        self.bytes -= self._bytes_of_entries(codes, dropped)

    def _bytes_of_entries(self, codes: Sequence[Code], kept: Sequence[Kept]) -> int:
        return self.entry_bytes * len(codes) + sum(map(len, codes)) + self.bytes_of(kept)


def outcome_memo(budget: int) -> Memo[Outcome]:
    """A memo of the outcomes of programs."""
    return Memo(budget, _bytes_of_outcomes, _ENTRY_BYTES)


def row_memo(budget: int) -> Memo[Row]:
    """A memo of the rows of subtrees."""
    return Memo(budget, _bytes_of_rows, _ENTRY_BYTES + _ROW_BYTES)


def _bytes_of_outcomes(outcomes: Sequence[Outcome]) -> int:
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    return sum(_bytes_of_failure(failure) for failure in failures)


def _bytes_of_failure(failure: Failure) -> int:
    return _FAILURE_BYTES + _FAILURE_BYTES_PER_TOKEN * failure.program.size + len(failure.message)


def _bytes_of_rows(rows: Sequence[Row]) -> int:
    return sum(map(len, rows))
