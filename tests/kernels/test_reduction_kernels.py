import re

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_samples import awkward, ordinary, placed, places
from naive import NAIVE
from strategies import arrays

from eznas_kernels import policy, reductions, transcendental


def sum_of(values):
    with np.errstate(all="ignore"):
        return values.sum(dtype=np.float64)


def squares_rounded(values):
    with np.errstate(all="ignore"):
        return values * values


EXPECTED = {
    reductions.sum_of_values: sum_of,
    reductions.sum_of_absolutes: lambda values: sum_of(np.abs(values)),
    reductions.sum_of_squares: lambda values: sum_of(squares_rounded(values)),
}
SUMS = pytest.mark.parametrize("kernel", EXPECTED, ids=lambda kernel: kernel.py_func.__name__)


def assert_sums_agree(kernel, values):
    # Reordered sums differ by the rounding of the largest intermediate one, however small the result.
    magnitude = np.abs(values[np.isfinite(values)].astype(np.float64))
    tolerance = 1e-15 * values.size * (magnitude**2 + magnitude).max(initial=0.0)
    np.testing.assert_allclose(kernel(values), EXPECTED[kernel](values), rtol=1e-15, atol=tolerance)


@pytest.mark.parametrize("values", [awkward, ordinary])
@SUMS
def test_sums_agree_with_numpy_in_float64(kernel, values):
    for size, start in places():
        assert_sums_agree(kernel, placed(values(size, 0), start))


@settings(max_examples=50)
@given(data=st.data(), size=st.integers(0, 40))
def test_sums_agree_with_numpy_on_drawn_arrays(data, size):
    values = data.draw(arrays((size,), np.float32, largest=2.0**60))
    for kernel in EXPECTED:
        assert_sums_agree(kernel, values)


@pytest.mark.parametrize(
    ("op", "kernel"), [("mean", reductions.sum_of_values), ("l1_norm", reductions.sum_of_absolutes)]
)
def test_means_agree_with_the_oracle(op, kernel):
    values = ordinary(1001, 0)
    assert np.float32(kernel(values) / values.size) == np.float32(NAIVE[op](values))


def test_the_norm_agrees_with_the_oracle():
    values = ordinary(1001, 0)
    found = np.sqrt(reductions.sum_of_squares(values))
    np.testing.assert_allclose(found, NAIVE["frobenius_norm"](values), rtol=1e-7)


@SUMS
def test_sums_of_opposite_infinities_and_of_nan_are_nan_where_signs_matter(kernel):
    values = np.ones(33, np.float32)
    values[[2, 30]] = np.inf, -np.inf
    np.testing.assert_equal(kernel(values), EXPECTED[kernel](values))
    values[17] = np.nan
    assert np.isnan(kernel(values))


def test_squares_overflow_in_float32():
    assert reductions.sum_of_squares(np.float32([1e20])) == np.inf


def test_the_mean_of_equal_numbers_is_that_number_for_any_size():
    number = np.float32(np.e)
    for size in range(1, 300):
        assert np.float32(reductions.sum_of_values(np.full(size, number)) / size) == number


def test_a_small_number_survives_beside_a_large_one():
    values = np.float32([1e8] + [1e-3] * 1000)
    np.testing.assert_allclose(reductions.sum_of_values(values), 100000001.0, rtol=1e-15, atol=1e-6)


@pytest.mark.parametrize("values", [awkward, ordinary])
def test_differing_steps_are_counted_as_by_the_oracle(values):
    for size, start in places():
        first, second = placed(values(size, 0), start), placed(values(size, 1), 3 - start)
        expected = NAIVE["hamming_distance"](first, second)
        assert reductions.count_of_differing_steps(first, second) == expected


def test_steps_of_sizes_that_differ_are_refused():
    with pytest.raises(ValueError, match="equal sizes"):
        reductions.count_of_differing_steps(np.ones(3, np.float32), np.ones(4, np.float32))


def test_mean_and_variance_agree_with_numpy():
    for size, start in places():
        if size > 1:
            values = placed(ordinary(size, 0), start)
            exact = values.astype(np.float64)
            np.testing.assert_allclose(
                reductions.mean_and_variance(values), (exact.mean(), exact.var(ddof=1)), rtol=1e-13
            )


@settings(max_examples=100)
@given(data=st.data(), size=st.integers(2, 200))
def test_mean_and_variance_agree_with_numpy_on_drawn_arrays(data, size):
    values = data.draw(arrays((size,), np.float32, specials=(0.0, 1.0, -1.0, 2.0**127)))
    exact = values.astype(np.float64)
    mean, variance = reductions.mean_and_variance(values)
    np.testing.assert_allclose(mean, exact.mean(), rtol=1e-12, atol=1e-15 * np.abs(exact).max())
    np.testing.assert_allclose(variance, exact.var(ddof=1), rtol=1e-11)


@pytest.mark.parametrize("offset", [1e4, 1e8])
@pytest.mark.parametrize("outlier_first", [False, True])
def test_variances_survive_a_large_offset_and_an_outlier(offset, outlier_first):
    values = (np.random.default_rng(0).normal(0, 100, 16385) + offset).astype(np.float32)
    values[0] = 1e12 if outlier_first else values[0]
    exact = values.astype(np.float64)
    mean, variance = reductions.mean_and_variance(values)
    np.testing.assert_allclose(mean, exact.mean(), rtol=1e-10)
    np.testing.assert_allclose(variance, exact.var(ddof=1), rtol=1e-10)


def test_the_variance_of_equal_numbers_is_exactly_zero():
    for size in (2, 3, 7, 1001):
        number = np.float32(np.pi)
        assert reductions.mean_and_variance(np.full(size, number)) == (np.float64(number), 0.0)


@pytest.mark.parametrize("position", [0, 5, 32])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_an_infinity_makes_the_mean_infinite_and_the_variance_nan(value, position):
    values = np.ones(33, np.float32)
    values[position] = value
    np.testing.assert_equal(reductions.mean_and_variance(values), (value, np.nan))


def test_no_element_has_no_mean_and_one_has_no_variance():
    np.testing.assert_equal(reductions.mean_and_variance(np.empty(0, np.float32)), (np.nan, np.nan))
    np.testing.assert_equal(reductions.mean_and_variance(np.float32([2.5])), (2.5, np.nan))


def test_reordering_reaches_the_sum_but_not_the_functions_that_it_calls():
    # Not compiled yet for any other caller, whose rules it could have inherited.
    exp = policy.scalar(transcendental.exp.py_func)

    def sum_of_exponentials(source):
        total = 0.0
        for i in range(source.size):
            total += exp(source[i])
        return total

    (signature,) = reductions.sum_of_values.signatures
    kernel = numba.jit(signature, **reductions.sum_of_values.targetoptions)(sum_of_exponentials)
    values = np.random.default_rng(0).uniform(-3, 3, 1001).astype(np.float32)
    np.testing.assert_allclose(kernel(values), np.exp(values.astype(np.float64)).sum(), rtol=1e-7)

    lines = kernel.inspect_llvm(signature).splitlines()
    sums = [line for line in lines if re.search(r"= fadd .*double", line)]
    called = [line for line in lines if re.search(r"= (fadd|fmul|.*call) .*float[ >]", line)]
    assert any("reassoc" in line for line in sums)
    assert len(called) > 10
    assert not any("reassoc" in line for line in called)
