"""Scores of a task's networks by one proxy, computed when they are first asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.ranking import AnyContender, StatisticsSettings, score_networks
from eznas.tasks import Task

Progress = Callable[[int, int], None]

_WORTH_A_PROCESS: Final = 50
"""Networks for each process at least, as in `eznas.ranking`: a move filter asks for a few at a time, and a
process takes some four seconds to start."""


@dataclass(slots=True)
class ProxyScores:
    """The scores of a program or proxy, oriented: a higher one is better, -inf means none.

    Attributes:
        task: gives the networks.
        contender: what scores them.
        settings: how statistics are taken.
        processes: how many networks are scored at a time, at most; few are scored in this process. None
            takes all processors.
        journal: a folder that keeps every score at once, for other searches and for later.
    """

    task: Task
    contender: AnyContender
    settings: StatisticsSettings = field(default_factory=StatisticsSettings)
    processes: int | None = None
    journal: Path | None = None
    _known: dict[int, float] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._known)

    @property
    def failed(self) -> int:
        """How many networks have no score."""
        return sum(score == -math.inf for score in self._known.values())

    def compute(self, rows: Iterable[int], progress: Progress | None = None) -> None:
        """Score the networks of these rows that are not known yet, all together.

        Raises:
            EznasError: A network cannot be built or has no layer, or the journal cannot be read or written.
        """
        missing = [row for row in dict.fromkeys(rows) if row not in self._known]
        if not missing:
            return
        worthy = max(1, len(missing) // _WORTH_A_PROCESS)
        (scores,) = score_networks(
            self.task,
            [self.task.architectures[row] for row in missing],
            [self.contender],
            self.settings,
            processes=None if self.processes is None else min(self.processes, worthy),
            journal=self.journal,
            progress=progress,
        )
        oriented = np.where(np.isnan(scores), -math.inf, self.contender.orientation * scores)
        self._known.update(zip(missing, oriented.tolist(), strict=True))

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The scores of rows that were computed."""
        return np.array([self._known[row] for row in rows.tolist()], np.float64)
