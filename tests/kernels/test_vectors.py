import os
import platform
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eznas_kernels import policy, vectors
from eznas_kernels.lanes import load_matrices, store_matrices
from eznas_kernels.vectors import LANES

LANES_OF_FEATURES = {"+avx2": 8, "+avx512f": 16}


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


@numba.njit
def first_of(source, at, count):
    destination = np.full(LANES + 2, -1, np.float32)
    vectors.store_some(destination, 1, vectors.load_some(source, at, count), count)
    total = vectors.total(vectors.only_some(vectors.load_some(source, at, count), count))
    return destination, total


@given(st.integers(1, LANES), st.integers(0, 3))
def test_some_lanes_are_read_up_to_the_end_of_an_array_and_no_others_are_written(count, at):
    source = np.arange(1, at + count + 1, dtype=np.float32)
    destination, total = first_of(source, at, count)
    np.testing.assert_array_equal(destination[1 : count + 1], source[at:])
    assert (destination[0], *destination[count + 1 :]) == (-1,) * (LANES + 2 - count)
    assert total == source[at:].sum()


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="the processors are x86")
@pytest.mark.parametrize("features", LANES_OF_FEATURES)
def test_a_vector_fills_a_register_of_the_processor_that_is_compiled_for(features):
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": "x86-64",
        "NUMBA_CPU_FEATURES": features,
        "PYTHONPATH": str(Path(policy.__file__).parents[1]),
    }
    command = [sys.executable, "-c", "from eznas_kernels.vectors import LANES; print(LANES)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == LANES_OF_FEATURES[features]
