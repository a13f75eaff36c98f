"""The outcomes of a call, or of a part of it: a score or a failure for each program on each network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eznas.evaluator.memo import Memo, Outcome
from eznas.evaluator.scores import Failure


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A table of programs and networks, which is filled in parts."""

    values: NDArray[np.float64]
    """(programs, networks): scores; NaN where there is a failure, or nothing yet."""
    failures: dict[tuple[int, int], Failure]
    """By the places of program and network."""

    @classmethod
    def unknown(cls, programs: int, networks: int) -> Outcomes:
        """A table without any outcome."""
        return cls(np.full((programs, networks), np.nan), {})

    def put(self, programs: Sequence[int], networks: Sequence[int], part: Outcomes) -> None:
        """Take in the outcomes of programs and networks at these places."""
        self.values[np.array(programs)[:, np.newaxis], networks] = part.values
        for (row, column), failure in part.failures.items():
            self.failures[programs[row], networks[column]] = failure

    def recall(
        self, memo: Memo[Outcome], codes: Sequence[bytes], networks: Sequence[int]
    ) -> dict[tuple[int, ...], list[int]]:
        """Take in what a memo holds.

        Args:
            memo: The memo.
            codes: The codes of the programs.
            networks: The indices of the networks.

        Returns:
            What it lacks: places of programs, and the places of the networks on which just these are missing.
        """
        if memo.is_off:
            memo.misses += self.values.size
            return {tuple(range(len(codes))): list(range(len(networks)))} if self.values.size else {}
        missing: dict[tuple[int, ...], list[int]] = {}
        for column, network in enumerate(networks):
            lacking = []
            for row, outcome in enumerate(memo.get_all(codes, network)):
                if outcome is None:
                    lacking.append(row)
                elif isinstance(outcome, Failure):
                    self.failures[row, column] = outcome
                else:
                    self.values[row, column] = outcome
            if lacking:
                missing.setdefault(tuple(lacking), []).append(column)
        return missing

    def remember(self, memo: Memo[Outcome], codes: Sequence[bytes], networks: Sequence[int]) -> None:
        """Put everything into a memo, under codes of programs and indices of networks."""
        if memo.is_off:
            return
        for column, (network, scores) in enumerate(zip(networks, self.values.T.tolist(), strict=True)):
            outcomes: list[Outcome] = scores
            if self.failures:
                outcomes = [self.failures.get((row, column), score) for row, score in enumerate(scores)]
            memo.put_all(codes, network, outcomes)
