"""Checks made once a call, before the loop; without them a wrong size would read foreign memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eznas_kernels.policy import scalar


@scalar
def common_size(first: NDArray[np.float32], second: NDArray[np.float32]) -> int:
    """The number of elements of both arrays.

    Raises:
        ValueError: The numbers differ.
    """
    if first.size != second.size:
        raise ValueError("a kernel takes arrays of equal sizes, these differ")
    return first.size
