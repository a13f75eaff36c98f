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
        """Take in the outcomes of programs and networks at these places, as far as the part has any."""
        places = np.array(programs)[:, np.newaxis], np.array(networks)
        # No place gets two numbers, and of a number and NaN this takes the number.
        self.values[places] = np.fmax(self.values[places], part.values)
        for (row, column), failure in part.failures.items():
            self.failures[programs[row], networks[column]] = failure

    def recall(
        self, memo: Memo[Outcome], codes: Sequence[bytes], networks: Sequence[int]
    ) -> list[tuple[int, ...]]:
        """Take in what a memo holds.

        Args:
            memo: The memo.
            codes: The codes of the programs.
            networks: The indices of the networks.

        Returns:
            For each network the places of the programs that it lacks.
        """
        if memo.is_off:
            memo.misses += self.values.size
            return [tuple(range(len(codes)))] * len(networks)
        missing = []
        for column, network in enumerate(networks):
            lacking = []
            for row, outcome in enumerate(memo.get_all(codes, network)):
                if outcome is None:
                    lacking.append(row)
                elif isinstance(outcome, Failure):
                    self.failures[row, column] = outcome
                else:
                    self.values[row, column] = outcome
            missing.append(tuple(lacking))
        return missing

    def remember(
        self,
        memo: Memo[Outcome],
        codes: Sequence[bytes],
        networks: Sequence[int],
        rows: Sequence[Sequence[int]],
    ) -> None:
        """Put outcomes into a memo, under codes of programs and indices of networks.

        Args:
            memo: The memo.
            codes: The codes of the programs.
            networks: The indices of the networks.
            rows: For each network the places of the programs whose outcomes are put.
        """
        if memo.is_off:
            return
        columns = zip(networks, rows, self.values.T.tolist(), strict=True)
        for column, (network, places, scores) in enumerate(columns):
            outcomes: list[Outcome] = [scores[row] for row in places]
            if self.failures:
                outcomes = [self.failures.get((row, column), scores[row]) for row in places]
            memo.put_all([codes[row] for row in places], network, outcomes)
