import numba
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eznas_kernels import vectors
from eznas_kernels.partial_vectors import load_some, only_some, store_some
from eznas_kernels.vectors import LANES


@numba.njit
def first_of(source, at, count):
    destination = np.full(LANES + 2, -1, np.float32)
    store_some(destination, 1, load_some(source, at, count), count)
    total = vectors.total(only_some(load_some(source, at, count), count))
    return destination, total


@given(st.integers(1, LANES), st.integers(0, 3))
def test_some_lanes_are_read_up_to_the_end_of_an_array_and_no_others_are_written(count, at):
    source = np.arange(1, at + count + 1, dtype=np.float32)
    destination, total = first_of(source, at, count)
    np.testing.assert_array_equal(destination[1 : count + 1], source[at:])
    assert (destination[0], *destination[count + 1 :]) == (-1,) * (LANES + 2 - count)
    assert total == source[at:].sum()
