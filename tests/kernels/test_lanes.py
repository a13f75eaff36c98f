import numba
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eznas_kernels.lanes import load_matrices, store_matrices
from eznas_kernels.vectors import LANES


@numba.njit
def brought_and_taken_back(source, start, step, count, size):
    workspace = np.full(size * LANES, -1, np.float32)
    destination = np.full(size * LANES + 2, -1, np.float32)
    load_matrices(source, start, step, count, size, workspace)
    store_matrices(workspace, 1, size, destination)
    return workspace, destination


@given(st.integers(1, 40), st.integers(1, LANES), st.integers(0, 5), st.integers(0, 3))
def test_matrices_go_into_lanes_and_back_and_the_last_fills_the_rest(size, count, start, gap):
    step = size + gap
    source = np.arange(start + (count - 1) * step + size, dtype=np.float32)
    workspace, destination = brought_and_taken_back(source, start, step, count, size)
    places = start + step * np.minimum(np.arange(LANES), count - 1)[:, None] + np.arange(size)
    np.testing.assert_array_equal(workspace.reshape(size, LANES).T, source[places])
    np.testing.assert_array_equal(destination, [-1, *source[places].ravel(), -1])
