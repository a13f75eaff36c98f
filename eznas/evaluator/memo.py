"""The memo: scores that are kept between evaluations, under a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from eznas.evaluator.scores import Failure
from eznas.ops import OPS
from eznas.program import Program
from eznas.terminals import TERMINALS

Key = tuple[bytes, int]
"""The code of a canonical program, and the index of a network."""

Outcome = float | Failure

_CODES: Final = {name: code for code, name in enumerate((*OPS, *TERMINALS))}

# Measured with tracemalloc, at the fullest that the table gets between two of its enlargements; what the
# networks of a program share is counted for each, so that the budget is an upper bound.
_ENTRY_BYTES: Final = 270
_FAILURE_BYTES: Final = 400
_FAILURE_BYTES_PER_TOKEN: Final = 64


def program_code(program: Program) -> bytes:
    """The tokens of a program, a byte each: quick to compare, and small to keep."""
    return bytes([_CODES[name] for name in program.tokens])


@dataclass(slots=True)
class Memo:
    """Outcomes of programs on networks; the least recently used leave first."""

    budget: int
    """The bytes that the outcomes may take."""
    hits: int = 0
    misses: int = 0
    bytes: int = 0
    """The bytes that they take; an upper bound."""
    _outcomes: OrderedDict[Key, Outcome] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._outcomes)

    def get(self, key: Key) -> Outcome | None:
        """The outcome, or None where it is not kept; counts a hit or a miss."""
        outcome = self._outcomes.get(key)
        if outcome is None:
            self.misses += 1
            return None
        self.hits += 1
        self._outcomes.move_to_end(key)
        return outcome

    def put(self, key: Key, outcome: Outcome) -> None:
        """Keep an outcome as the latest, and drop what exceeds the budget."""
        if (replaced := self._outcomes.pop(key, None)) is not None:
            self.bytes -= _bytes(key, replaced)
        self._outcomes[key] = outcome
        self.bytes += _bytes(key, outcome)
        while self.bytes > self.budget:
            self.bytes -= _bytes(*self._outcomes.popitem(last=False))


def _bytes(key: Key, outcome: Outcome) -> int:
    entry = _ENTRY_BYTES + len(key[0])
    if isinstance(outcome, Failure):
        entry += _FAILURE_BYTES + _FAILURE_BYTES_PER_TOKEN * outcome.program.size + len(outcome.message)
    return entry
