import numpy as np
import pytest
from assembly import has_vectorised_loop, kernels_of, why_not_inspectable
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_samples import Destination, awkward, ordinary, placed, places, units_in_the_last_place
from naive import NAIVE
from strategies import NOT_FINITE_AND_ZEROS, arrays

from eznas_kernels import rescaling

SHAPES = (
    *((1, 1, 1), (1, 7, 1), (3, 8, 1), (5, 33, 1), (2, 257, 1), (300, 9, 1), (1, 5000, 1)),
    *(
        (1, 1, 7),
        (2, 1, 64),
        (3, 5, 2),
        (2, 16, 9),
        (2, 17, 9),
        (40, 16, 9),
        (3, 5, 8),
        (3, 5, 16),
        (3, 12, 7),
        (1, 6, 300),
        (2, 3, 257),
        (4, 2, 33),
        (1, 33, 700),
        (2, 300, 70),
        (1, 64, 68),
        (1, 4200, 2),
    ),
    *((0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 1)),
)


def softmax(source, shape, start=0):
    destination = Destination(source.size, start)
    rescaling.softmax(placed(source.ravel(), 3 - start), np.array(shape), destination.array)
    destination.assert_surroundings_untouched()
    return destination.array.reshape(shape)


def expected_softmax(source, shape):
    # The oracle takes dimension 1 of four.
    if 0 in shape:
        return np.empty(shape)
    return NAIVE["softmax"](source.reshape(*shape, 1)).reshape(shape)


def assert_softmax_agrees(found, expected):
    # Exponentials of float32 distances: half a unit of a distance up to 104 is 4e-6 of the result.
    rounding = np.isclose(found, expected, rtol=1e-5, atol=2.0**-148, equal_nan=True)
    np.testing.assert_array_equal(rounding, True)


@pytest.mark.parametrize("values", [awkward, ordinary])
@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_agrees_with_the_oracle(shape, values):
    size = int(np.prod(shape))
    for start in (0, 1, 3):
        source = values(size, start)
        assert_softmax_agrees(softmax(source, shape, start), expected_softmax(source, shape))


@settings(max_examples=200)
@given(data=st.data(), shape=st.tuples(st.integers(0, 4), st.integers(0, 20), st.integers(0, 20)))
def test_softmax_agrees_with_the_oracle_on_drawn_arrays(data, shape):
    source = data.draw(arrays((int(np.prod(shape)),), np.float32))
    assert_softmax_agrees(softmax(source, shape), expected_softmax(source, shape))


@pytest.mark.parametrize("widest", [1.0, 14.0, 16.0, 80.0, 200.0])
@pytest.mark.parametrize("offset", [-100.0, -50.0, 0.0, 30.0, 100.0])
@pytest.mark.parametrize("shape", [(3, 33, 1), (3, 33, 9), (2, 33, 20), (1, 33, 300)])
def test_softmax_agrees_with_the_oracle_whether_it_looks_for_peaks_or_not(shape, offset, widest):
    numbers = np.random.default_rng(0).uniform(offset, offset + widest, int(np.prod(shape)))
    source = numbers.astype(np.float32)
    assert_softmax_agrees(softmax(source, shape), expected_softmax(source, shape))


@given(data=st.data(), inner=st.sampled_from([1, 9, 20]), peak=st.floats(-69, 69, width=32))
def test_a_share_is_one_only_where_all_others_vanish(data, inner, peak):
    distance = data.draw(st.floats(0, 30, width=32))
    source = np.full((4, inner), np.float32(peak - distance))
    source[1] = peak
    share = softmax(source, (1, 4, inner))[0, 1]
    # Half a unit in the last place below 1 is 3e-8.
    assert (share == 1.0).all() or (distance < 18.0 and (share < 1.0).all())
    assert distance < 18.0 or (share == 1.0).all()


@pytest.mark.parametrize(
    ("numbers", "calm"),
    [
        *(([], True), ([-0.0], True), ([70.0, -70.0], True), ([71.0], False), ([1.0, -71.0], False)),
        *(([np.inf], False), ([1.0, -np.inf], False), ([np.nan, 1.0], False), ([1.0, -np.nan], False)),
    ],
)
def test_calm_are_numbers_whose_exponentials_are_normal(numbers, calm):
    assert rescaling.is_calm(np.array(numbers * 9, np.float32)) == calm


@pytest.mark.parametrize("shape", [(2, 16, 1), (2, 16, 9), (1, 16, 1024)])
def test_softmax_is_within_8_units_of_the_last_place_of_ordinary_numbers(shape):
    source = np.random.default_rng(0).normal(size=int(np.prod(shape))).astype(np.float32)
    expected = expected_softmax(source, shape)
    assert units_in_the_last_place(softmax(source, shape), expected).max() < 8


@pytest.mark.parametrize("inner", [1, 2, 9, 64])
@pytest.mark.parametrize(
    "numbers", [(np.inf, 1.0), (np.nan, 1.0), (-np.inf, -np.inf), (np.inf, -np.inf), (-np.nan, 0.0)]
)
def test_softmax_of_what_has_no_finite_peak_is_nan_in_its_line_alone(numbers, inner):
    for line in {0, inner - 1}:
        source = np.ones((2, 2, inner), np.float32)
        source[1, :, line] = numbers
        found = softmax(source, source.shape)
        expected = np.full_like(source, 0.5)
        expected[1, :, line] = np.nan
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("inner", [1, 2, 9, 64])
def test_softmax_neither_overflows_nor_loses_the_subnormals(inner):
    line = np.float32([3e38, 3e38, -3e38, -np.inf])
    source = np.repeat(line, inner)
    found = softmax(source, (1, 4, inner))
    np.testing.assert_array_equal(found[0, :, 0], np.float32([0.5, 0.5, 0.0, 0.0]))
    found = softmax(np.repeat(np.float32([100.0, 0.0]), inner), (1, 2, inner))
    np.testing.assert_allclose(found[0, 1], np.exp(-100.0), rtol=0, atol=2.0**-149)


def test_softmax_of_one_number_is_one():
    for inner in (1, 9, 64):
        np.testing.assert_array_equal(softmax(ordinary(inner, 0), (1, 1, inner)), 1.0)


@pytest.mark.parametrize("inner", [9, 40])
def test_softmax_gives_the_same_bits_wherever_its_lines_lie(inner):
    source = awkward(16 * inner, 0).reshape(1, 16, inner)
    alone = softmax(source, (1, 16, inner))
    together = softmax(np.repeat(source, 3, axis=0), (3, 16, inner), 1)
    np.testing.assert_array_equal(together.view(np.int32), np.repeat(alone, 3, axis=0).view(np.int32))


@pytest.mark.parametrize("sizes", [(2, 3, 5), (4, 3, 3), (1, 1, 1)])
def test_sizes_that_are_not_those_of_the_arrays_are_refused(sizes):
    with pytest.raises(ValueError, match="three sizes expected"):
        rescaling.softmax(np.ones(24, np.float32), np.array(sizes), np.ones(24, np.float32))


def test_a_destination_of_another_size_is_refused():
    with pytest.raises(ValueError, match="equal sizes"):
        rescaling.softmax(np.ones(24, np.float32), np.array([2, 3, 4]), np.ones(23, np.float32))


@pytest.mark.parametrize("values", [awkward, ordinary])
@pytest.mark.parametrize("deviation", [*NOT_FINITE_AND_ZEROS, 1.0, 3.0, 2.0**-149])
@pytest.mark.parametrize("mean", [0.0, 0.1, np.inf, np.nan])
def test_normalize_divides_the_distance_from_the_mean(values, mean, deviation):
    for size, start in places():
        source, destination = placed(values(size, 0), start), Destination(size, start)
        rescaling.normalize(source, np.float32(mean), np.float32(deviation), destination.array)
        with np.errstate(all="ignore"):
            distance = (source - np.float32(mean)) / np.float32(deviation)
        np.testing.assert_array_equal(destination.array, np.where(np.isnan(distance), 0, distance))
        destination.assert_surroundings_untouched()


def test_normalize_agrees_with_the_oracle():
    source = ordinary(1001, 0)
    destination = np.empty_like(source)
    exact = source.astype(np.float64)
    rescaling.normalize(source, np.float32(exact.mean()), np.float32(exact.std(ddof=1)), destination)
    np.testing.assert_allclose(destination, NAIVE["normalize"](source), rtol=1e-6, atol=1e-6)


def kernels_with_loops():
    # The others arrange the calls of these.
    arranging = (rescaling.softmax, rescaling.softmax_of_rows, rescaling.softmax_of_columns)
    return [kernel for kernel in kernels_of(rescaling) if kernel not in arranging]


@pytest.mark.skipif(bool(why_not_inspectable()), reason=why_not_inspectable())
@pytest.mark.parametrize("kernel", kernels_with_loops(), ids=lambda kernel: kernel.py_func.__name__)
def test_the_loop_is_vectorised(kernel):
    assert has_vectorised_loop(kernel)


def test_the_kernels_are_found():
    assert {"softmax": rescaling.softmax} == rescaling.SHAPED
    assert {rescaling.normalize, rescaling.bring, rescaling.distances_in_rows} <= set(kernels_with_loops())
