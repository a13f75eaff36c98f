"""Whether the costs that a benchmark records are those that the space counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eznas import spaces
from eznas.tasks.importing.records import Records
from eznas.tasks.importing.request import Progress, unreported


@dataclass(frozen=True, slots=True, eq=False)
class CostCheck:
    """Parameters and FLOPs of a sample of architectures, counted by the space."""

    rows: NDArray[np.int64]
    """(sample,) rows of the table, in rising order."""
    parameters: NDArray[np.int64]
    """(sample,) trainable parameters."""
    flops: NDArray[np.int64]
    """(sample,) multiply-adds for one image."""
    differences: tuple[str, ...]
    """A sentence for each kind of cost that the benchmark records otherwise."""


def check_costs(
    records: Records,
    classes: int,
    side: int,
    sample: int = 16,
    seed: int = 0,
    progress: Progress = unreported,
) -> CostCheck:
    """Count what a sample of architectures costs, and compare it with what the benchmark records.

    Args:
        records: The architectures, and what is recorded of them.
        classes: Classes of the data set.
        side: Height and width of its images in pixels.
        sample: How many architectures, drawn by the seed; all where there are fewer.
        seed: Decides which.
        progress: What to call as they are counted.

    Raises:
        SpaceError: The space is unknown.
    """
    space, table = spaces.get(records.space), records.table
    order = np.random.default_rng(seed).permutation(len(table.architectures))
    rows = np.sort(order[:sample])
    counted = []
    for done, row in enumerate(rows, start=1):
        text = table.architectures[row]
        counted.append((space.parameters(text, classes), space.flops(text, classes, side)))
        progress(done, len(rows))
    parameters, flops = np.array(counted, dtype=np.int64).T
    compared = (("parameters", table.parameters, parameters), ("FLOPs", table.flops, flops))
    differences = [
        _difference(kind, [table.architectures[row] for row in rows], recorded[rows], found)
        for kind, recorded, found in compared
        if recorded is not None and not np.array_equal(recorded[rows], found)
    ]
    return CostCheck(rows, parameters, flops, tuple(differences))


def _difference(
    kind: str, architectures: list[str], recorded: NDArray[np.int64], counted: NDArray[np.int64]
) -> str:
    other = recorded != counted
    first = int(other.argmax())
    return (
        f"the recorded {kind} of {int(other.sum())} of {len(other)} architectures are not those that the "
        f"space counts: {architectures[first]} has {recorded[first]:,}, counted {counted[first]:,}"
    )
