"""Memory that kernels work in, from the beginning of a line of the cache on.

Vectors of AVX-512 are as long as a line. Where an array of Numba begins in the middle of one, which is a
matter of luck, each load and store touches two: 32 determinants of order 16 took 4.5 µs then, and 3.0 now.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas_kernels.policy import scalar

_LINE_BYTES: Final = 64
_FLOATS: Final = _LINE_BYTES // 4
_DOUBLES: Final = _LINE_BYTES // 8


@scalar
def float_workspace(size: int) -> NDArray[np.float32]:
    """Room for float32 numbers."""
    room = np.empty(size + _FLOATS, np.float32)
    skipped = -room.ctypes.data % _LINE_BYTES // 4
    return room[skipped : skipped + size]


@scalar
def double_workspace(size: int) -> NDArray[np.float64]:
    """Room for float64 numbers."""
    room = np.empty(size + _DOUBLES, np.float64)
    skipped = -room.ctypes.data % _LINE_BYTES // 8
    return room[skipped : skipped + size]
