"""Which networks of a task a mutation may lead to."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.errors import TaskError
from eznas.tasks import Task

LEAST: Final = 8
"""A mutation chooses among so many networks at least, where a table holds only a sample of its space.

The embedded tasks hold 2 % of the cells of NAS-Bench-201: of the 24 neighbours of a cell none is known, most
often. With a single nearest network to go to, an evolution would walk to and fro between two.
"""


class Neighbourhood:
    """The known networks around each known network, by the number of choices in which they differ.

    Only networks whose accuracy a task knows can be trained. In a table of a whole space a mutation leads to
    the neighbours of an architecture: those that differ in one choice. In a table of a sample it leads as far
    as is needed to reach `LEAST` networks.

    Args:
        task: Its space must define `choices`.

    Raises:
        SpaceError: The space defines no choices.
        TaskError: The architectures of the task have different numbers of choices.
    """

    def __init__(self, task: Task) -> None:
        choices = [task.space.choices(text) for text in task.architectures]
        lengths = sorted(set(map(len, choices)))
        if len(lengths) > 1:
            raise TaskError(
                f"cannot mutate networks of {task.name}: expected as many choices for each, got {lengths[0]} "
                f"to {lengths[-1]}"
            )
        codes = [
            {made: code for code, made in enumerate(dict.fromkeys(column))}
            for column in zip(*choices, strict=True)
        ]
        self._codes = np.array(
            [[of[made] for of, made in zip(codes, network, strict=True)] for network in choices], np.int32
        ).reshape(len(choices), lengths[0])

    def distances(self, row: int) -> NDArray[np.int64]:
        """(networks,) the number of choices in which each network differs from that of this row."""
        return np.asarray((self._codes != self._codes[row]).sum(axis=1), np.int64)

    def mutations(self, row: int, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The rows that a mutation may lead to.

        Args:
            row: The parent.
            allowed: (networks,) whether a row may be reached; one at least.

        Returns:
            The allowed rows within the least distance that holds `LEAST` other networks, allowed or not; or
            the nearest allowed ones where all of these were trained.
        """
        distances = self.distances(row)
        others = np.delete(distances, row)
        reach = np.partition(others, LEAST - 1)[LEAST - 1] if len(others) > LEAST else distances.max()
        reach = max(reach, distances[allowed].min())
        return np.flatnonzero(allowed & (distances <= reach))
