"""Eight matrices side by side: element e of matrix l lies at e * 8 + l of a workspace, one lane a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import vectors
from eznas_kernels.policy import scalar
from eznas_kernels.vectors import LANES

Array = NDArray[np.float32]


@scalar
def load_matrices(source: Array, start: int, step: int, count: int, size: int, workspace: Array) -> None:
    """Bring up to eight matrices of a size into the lanes; lanes beyond the count repeat the last one.

    The matrices lie a step apart from a start on.
    """
    whole = size - size % LANES if count >= LANES else 0
    for element in range(0, whole, LANES):
        vectors.transpose_block(source, start + element, step, workspace, element * LANES, LANES)
    for element in range(whole, size):
        for lane in range(LANES):
            workspace[element * LANES + lane] = source[start + min(lane, count - 1) * step + element]


@scalar
def store_matrices(workspace: Array, start: int, count: int, size: int, destination: Array) -> None:
    """Write the first matrices in the lanes one after the other from a start on."""
    whole = size - size % LANES if count >= LANES else 0
    for element in range(0, whole, LANES):
        vectors.transpose_block(workspace, element * LANES, LANES, destination, start + element, size)
    for element in range(whole, size):
        for lane in range(min(count, LANES)):
            destination[start + lane * size + element] = workspace[element * LANES + lane]
