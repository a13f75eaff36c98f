import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eznas_kernels.workspaces import double_workspace, float_workspace


@numba.njit
def place_and_size(workspace, size):
    room = workspace(size)
    room[:] = 1.0
    return room.ctypes.data, room.size


@pytest.mark.parametrize("workspace", [float_workspace, double_workspace])
@given(size=st.integers(0, 5000))
def test_a_workspace_of_the_size_begins_with_a_line_of_the_cache(workspace, size):
    place, there = place_and_size(workspace, size)
    assert place % 64 == 0
    assert there == size
