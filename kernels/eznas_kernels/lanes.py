"""Matrices side by side: element e of matrix l lies at e * LANES + l of a workspace, one lane a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eznas_kernels.policy import scalar
from eznas_kernels.transposition import BLOCK, columns_to_lanes, lanes_to_columns
from eznas_kernels.vectors import DOUBLE_LANES, LANES

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]


@scalar
def load_matrices(
    source: Array, start: int, step: int, count: int, size: int, workspace: Array | Doubles
) -> None:
    """Bring up to as many matrices of a size as there are lanes into these; the rest repeat the last one.

    The matrices lie a step apart from a start on. A workspace of float64 has half as many lanes.
    """
    lanes = LANES if workspace.itemsize == 4 else DOUBLE_LANES
    if size < BLOCK:
        for element in range(size):
            for lane in range(lanes):
                workspace[element * lanes + lane] = source[start + min(lane, count - 1) * step + element]
        return
    for block in range(0, size, BLOCK):
        # The last block ends with the matrix and copies some elements a second time.
        element = min(block, size - BLOCK)
        columns_to_lanes(source, start + element, step, count, workspace, element * lanes)


@scalar
def store_matrices(workspace: Array, start: int, size: int, destination: Array) -> None:
    """Write the matrices in the lanes one after the other from a start on."""
    if size < BLOCK:
        for element in range(size):
            for lane in range(LANES):
                destination[start + lane * size + element] = workspace[element * LANES + lane]
        return
    for block in range(0, size, BLOCK):
        element = min(block, size - BLOCK)
        lanes_to_columns(workspace, element * LANES, destination, start + element, size)
