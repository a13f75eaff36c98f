"""Reading an array at four places at once.

A processor fetches ahead within a page of memory, and waits at the next one: with four places it goes on at
the others. Sums of statistics that are not in the cache read 19.4 GB/s so, and 15.9 from one place (AVX2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eznas_kernels.intrinsics import multiply_add_doubles
from eznas_kernels.policy import scalar

Array = NDArray[np.float32]


@scalar
def quarters(source: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Four parts of one size, and the few elements behind them."""
    size = source.size // 4
    return (
        source[:size],
        source[size : 2 * size],
        source[2 * size : 3 * size],
        source[3 * size : 4 * size],
        source[4 * size :],
    )


@scalar
def hidden_one(source: Array) -> float:
    """1.0, which the compiler cannot know: it would turn a multiply-add by 1 into an addition."""
    return 1.0 if source.size >= 0 else 0.0


@scalar
def sum_of_four(
    first: np.float32, second: np.float32, third: np.float32, fourth: np.float32, one: float
) -> float:
    """The sum of four numbers in float64; `one` is `hidden_one`.

    Processors convert and add with some units and multiply with others: two of the additions are done by the
    latter, and 16,384 numbers take 1.06 µs rather than 1.34.
    """
    first_two = multiply_add_doubles(np.float64(first), one, np.float64(second))
    return first_two + multiply_add_doubles(np.float64(third), one, np.float64(fourth))
