import numpy as np
import pytest
from assembly import has_vectorised_loop, why_not_inspectable
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_samples import STARTS, Destination, awkward, placed
from strategies import arrays

from eznas_kernels import broadcasting

CASES = (
    *(((1, 1, 1, 1), (2, 3, 4, 5)), ((2, 3, 4, 5), (2, 3, 4, 5)), ((16, 16, 1, 1), (16, 16, 8, 9))),
    *(((1, 1, 1, 33), (2, 3, 4, 33)), ((1, 1, 3, 1), (2, 8, 3, 3)), ((1, 3, 1, 5), (2, 3, 4, 5))),
    *(((2, 1, 4, 1), (2, 3, 4, 5)), ((2, 1, 1, 1), (2, 3, 4, 65)), ((1, 1, 3, 3), (5, 7, 3, 3))),
    *(((1, 7, 1, 1), (5, 7, 1, 1)), ((1, 1, 1, 1), (1, 1, 1, 1)), ((5, 1, 1, 1), (5, 1, 1, 257))),
    *(((1, 1, 1, 1), (0, 3, 4, 5)), ((2, 3, 1, 0), (2, 3, 4, 0)), ((1, 0, 1, 1), (2, 0, 3, 3))),
)


def strides(source, shape):
    """Elements from one index to the next, 0 where the source has one for all."""
    in_order = [int(np.prod(source[axis + 1 :])) for axis in range(4)]
    return [0 if own < size else step for own, size, step in zip(source, shape, in_order, strict=True)]


def expand(source, shape, steps, start=0):
    destination = Destination(int(np.prod(shape)), start)
    broadcasting.expand(placed(source.ravel(), 3 - start), np.array([*shape, *steps]), destination.array)
    destination.assert_surroundings_untouched()
    return destination.array.reshape(shape)


def assert_same_bits(found, expected):
    np.testing.assert_array_equal(found.view(np.int32), np.ascontiguousarray(expected).view(np.int32))


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("own", "shape"), CASES)
def test_a_tensor_is_repeated_as_by_numpy(own, shape, start):
    source = awkward(int(np.prod(own)), 0).reshape(own)
    found = expand(source, shape, strides(own, shape), start)
    assert_same_bits(found, np.broadcast_to(source, shape))


@settings(max_examples=200)
@given(data=st.data(), shape=st.tuples(*[st.integers(0, 9)] * 4), repeated=st.tuples(*[st.booleans()] * 4))
def test_drawn_tensors_are_repeated_as_by_numpy(data, shape, repeated):
    own = tuple(1 if once else size for once, size in zip(repeated, shape, strict=True))
    source = data.draw(arrays(own, np.float32))
    assert_same_bits(expand(source, shape, strides(own, shape)), np.broadcast_to(source, shape))


def test_any_steps_are_followed():
    source = awkward(120, 0).reshape(2, 3, 4, 5)
    found = expand(source, (5, 4, 3, 2), (1, 5, 20, 60))
    assert_same_bits(found, source.transpose(3, 2, 1, 0))


@pytest.mark.parametrize("sizes", [(2, 3, 4, 6, 0, 0, 0, 0), (1, 1, 1, 1, 0, 0, 0, 0)])
def test_sizes_that_are_not_that_of_the_destination_are_refused(sizes):
    with pytest.raises(ValueError, match="four sizes expected"):
        broadcasting.expand(np.ones(5, np.float32), np.array(sizes), np.ones(120, np.float32))


@pytest.mark.parametrize(
    "steps", [(0, 0, 0, 2), (0, 0, 5, 1), (1, 0, 0, 1), (0, 0, -1, 2), (1 << 40, 0, 0, 0)]
)
def test_steps_beyond_the_source_are_refused(steps):
    with pytest.raises(ValueError, match="four steps expected"):
        broadcasting.expand(np.ones(5, np.float32), np.array([2, 3, 4, 5, *steps]), np.ones(120, np.float32))


def test_the_kernel_is_found():
    assert {"expand": broadcasting.expand} == broadcasting.SHAPED


@pytest.mark.skipif(bool(why_not_inspectable()), reason=why_not_inspectable())
def test_the_loop_is_vectorised():
    assert has_vectorised_loop(broadcasting.write_runs)
