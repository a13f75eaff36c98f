import numpy as np
import pytest
from assembly import has_vectorised_loop, why_not_inspectable
from kernel_samples import awkward, ordinary, placed, places
from naive import NAIVE

from eznas_kernels import mapped_sums, maps

VALUES = pytest.mark.parametrize("values", [awkward, ordinary])
NUMBERS = (0.0, -0.0, 1.0, -0.75, -3.0, 2.0**-149, np.inf, -np.inf, np.nan)
KERNELS = sorted(
    {
        *mapped_sums.UNARY.values(),
        *mapped_sums.BINARY.values(),
        *mapped_sums.ARRAY_SCALAR.values(),
        *mapped_sums.SCALAR_ARRAY.values(),
        *mapped_sums.PARTS.values(),
        *mapped_sums.DIFFERENCES.values(),
    },
    key=lambda kernel: kernel.py_func.__name__,
)


def assert_is_sum(found, terms):
    """The sum in float64 of float32 numbers, whatever the order of its additions."""
    with np.errstate(all="ignore"):
        rounded = terms.astype(np.float32).astype(np.float64)
    assert_is_sum_of_doubles(found, rounded)


def assert_is_sum_of_doubles(found, terms):
    """The sum of float64 numbers, whatever the order of its additions."""
    with np.errstate(all="ignore"):
        expected = terms.sum()
    # The order decides whether a sum of infinities of both signs is met.
    tolerance = 1e-15 * terms.size * np.abs(terms[np.isfinite(terms)]).sum()
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@VALUES
@pytest.mark.parametrize("op", mapped_sums.UNARY)
def test_sums_of_one_array_are_those_of_the_oracle(op, values):
    for size, start in places():
        source = placed(values(size, 0), start)
        with np.errstate(all="ignore"):
            assert_is_sum(mapped_sums.UNARY[op](source), NAIVE[op](source))


@VALUES
@pytest.mark.parametrize("op", [op for op in mapped_sums.BINARY if op != "hamming_distance"])
def test_sums_of_two_arrays_are_those_of_the_oracle(op, values):
    for size, start in places():
        first, second = placed(values(size, 0), start), placed(values(size, 1), 3 - start)
        second[::3] = first[::3]
        with np.errstate(all="ignore"):
            assert_is_sum(mapped_sums.BINARY[op](first, second), NAIVE[op](first, second))


@VALUES
def test_differing_steps_are_counted_as_by_the_oracle(values):
    for size, start in places():
        first, second = placed(values(size, 0), start), placed(values(size, 1), 3 - start)
        expected = NAIVE["hamming_distance"](first, second)
        assert mapped_sums.count_of_differing_steps(first, second) == expected


@VALUES
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("op", mapped_sums.ARRAY_SCALAR)
def test_sums_with_a_number_are_those_of_the_oracle(op, number, values):
    number = np.float32(number)
    for size, start in places():
        source = placed(values(size, 0), start)
        source[::3] = number
        with np.errstate(all="ignore"):
            after, before = NAIVE[op](source, number), NAIVE[op](number, source)
        assert_is_sum(mapped_sums.ARRAY_SCALAR[op](source, number), after)
        assert_is_sum(mapped_sums.SCALAR_ARRAY[op](source, number), before)


@VALUES
@pytest.mark.parametrize("number", NUMBERS)
def test_multiples_are_summed_of_numbers_beyond_one_alone(number, values):
    for size, start in places():
        source = placed(values(size, 0), start)
        found = mapped_sums.sum_of_multiples_unless_small(source, np.float32(number))
        with np.errstate(all="ignore"):
            terms = source * np.float32(number)
        assert_is_sum(found, np.zeros(1) if abs(number) <= 1 else terms)


@VALUES
@pytest.mark.parametrize("number", NUMBERS)
def test_sums_of_differences_are_those_of_the_oracle(number, values):
    number = np.float32(number)
    for size, start in places():
        source = placed(values(size, 0), start)
        source[::3] = number
        with np.errstate(all="ignore"):
            distances = np.abs(NAIVE["sub"](source, number).astype(np.float32))
        assert_is_sum(mapped_sums.sum_of_absolute_differences(source, number), distances)
        assert_is_sum_of_doubles(
            mapped_sums.sum_of_squared_differences(source, number), distances.astype(np.float64) ** 2
        )


def test_squares_of_differences_neither_overflow_nor_vanish():
    for number in (2.0**-149, 2.0**-100, 2.0**127):
        source = np.float32([0.0, number, 2 * number if number < 1 else -number] * 5)
        expected = 5 * (number**2 + (source[2].astype(np.float64)) ** 2)
        assert mapped_sums.sum_of_squared_differences(source, np.float32(0.0)) == expected


def test_counts_are_whole_and_exact_for_long_arrays():
    source = np.ones(2**24 + 3, np.float32)
    assert mapped_sums.count_above_zero(source) == 2**24 + 3
    assert mapped_sums.sum_of_signs(-source) == -(2**24) - 3


def test_every_sum_belongs_to_an_elementwise_kernel():
    assert mapped_sums.UNARY.keys() <= maps.UNARY.keys()
    assert mapped_sums.BINARY.keys() - {"hamming_distance"} <= maps.BINARY.keys()
    assert mapped_sums.ARRAY_SCALAR.keys() == mapped_sums.SCALAR_ARRAY.keys() <= maps.ARRAY_SCALAR.keys()


@pytest.mark.parametrize("kernel", mapped_sums.BINARY.values())
def test_arrays_of_sizes_that_differ_are_refused(kernel):
    with pytest.raises(ValueError, match="equal sizes"):
        kernel(np.ones(3, np.float32), np.ones(4, np.float32))


@pytest.mark.skipif(bool(why_not_inspectable()), reason=why_not_inspectable())
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.py_func.__name__)
def test_the_loop_is_vectorised(kernel):
    assert has_vectorised_loop(kernel)
