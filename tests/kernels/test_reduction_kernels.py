import re

import numba
import numpy as np
import pytest
import torch
from assembly import has_vectorised_loop, why_not_inspectable
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_samples import Destination, awkward, ordinary, placed, places
from naive import NAIVE
from strategies import arrays
from torch.nn.functional import kl_div

from eznas_kernels import maps, policy, reductions, transcendental


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


def mean_and_variance(values):
    """The mean and the unbiased variance, from sums over two parts."""
    shift = float(values[0]) if np.isfinite(values[0]) else 0.0
    middle = values.size // 3
    parts = [reductions.sum_of_distances(part, shift) for part in (values[:middle], values[middle:])]
    total, squares = np.sum(parts, axis=0)
    with np.errstate(invalid="ignore"):
        return shift + total / values.size, (squares - total * total / values.size) / (values.size - 1)


def test_distances_from_a_shift_and_their_squares_are_added():
    for size, start in places():
        values = placed(ordinary(size, 0), start)
        distances = values - np.float64(0.1)
        expected = distances.sum(), (distances**2).sum()
        np.testing.assert_allclose(reductions.sum_of_distances(values, 0.1), expected, rtol=1e-13, atol=1e-13)


def test_mean_and_variance_agree_with_numpy():
    for size, start in places():
        if size > 1:
            values = placed(ordinary(size, 0), start)
            exact = values.astype(np.float64)
            np.testing.assert_allclose(
                mean_and_variance(values), (exact.mean(), exact.var(ddof=1)), rtol=1e-13
            )


@settings(max_examples=100)
@given(data=st.data(), size=st.integers(2, 200))
def test_mean_and_variance_agree_with_numpy_on_drawn_arrays(data, size):
    values = data.draw(arrays((size,), np.float32, specials=(0.0, 1.0, -1.0, 2.0**127)))
    exact = values.astype(np.float64)
    mean, variance = mean_and_variance(values)
    np.testing.assert_allclose(mean, exact.mean(), rtol=1e-12, atol=1e-15 * np.abs(exact).max())
    np.testing.assert_allclose(variance, exact.var(ddof=1), rtol=1e-11)


@pytest.mark.parametrize("offset", [1e4, 1e8])
@pytest.mark.parametrize("outlier_first", [False, True])
def test_variances_survive_a_large_offset_and_an_outlier(offset, outlier_first):
    values = (np.random.default_rng(0).normal(0, 100, 16385) + offset).astype(np.float32)
    values[0] = 1e12 if outlier_first else values[0]
    exact = values.astype(np.float64)
    mean, variance = mean_and_variance(values)
    np.testing.assert_allclose(mean, exact.mean(), rtol=1e-10)
    np.testing.assert_allclose(variance, exact.var(ddof=1), rtol=1e-10)


def test_the_variance_of_equal_numbers_is_exactly_zero():
    for size in (2, 3, 7, 1001):
        number = np.float32(np.pi)
        assert mean_and_variance(np.full(size, number)) == (np.float64(number), 0.0)


@pytest.mark.parametrize("position", [0, 5, 32])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_an_infinity_makes_the_mean_infinite_and_the_variance_nan(value, position):
    values = np.ones(33, np.float32)
    values[position] = value
    np.testing.assert_equal(mean_and_variance(values), (value, np.nan))


def test_the_distances_of_no_element_add_up_to_zero():
    assert reductions.sum_of_distances(np.empty(0, np.float32), 2.5) == (0.0, 0.0)


def sum_of_divergences(first, second):
    """As plans compute it: b log(b) - b a, term by term."""
    information, products, terms = (np.empty_like(first) for _ in range(3))
    maps.information(second, information)
    maps.mul(second, first, products)
    maps.sub(information, products, terms)
    return reductions.sum_of_values(terms)


def divergence(first, second):
    return NAIVE["kl_divergence"](first[None], second[None])


@pytest.mark.parametrize("values", [awkward, ordinary])
def test_divergences_agree_with_the_oracle(values):
    for size, start in (*places(), (2500, 1)):
        first, second = placed(values(size, 0), start), placed(np.abs(values(size, 1)), 3 - start)
        second[::5] = np.float32([0.0, -0.0])[0 if size % 2 else -1]
        found, expected = sum_of_divergences(first, second), divergence(first, second)
        with np.errstate(all="ignore"):
            products = np.abs(second * first) + np.abs(second * np.log(np.where(second == 0, 1, second)))
        if np.isfinite(products).all():
            np.testing.assert_allclose(found, expected, rtol=0, atol=3e-7 * products.sum(dtype=np.float64))
        else:
            # A product may overflow in float32, as in torch, and an infinity meet its opposite.
            assert not np.isfinite(found)


@settings(max_examples=100)
@given(data=st.data(), size=st.integers(1, 40))
def test_divergences_agree_with_torch_where_anything_is_not_finite(data, size):
    first, second = (data.draw(arrays((size,), np.float32, largest=2.0**60)) for _ in range(2))
    found = np.float32(sum_of_divergences(first, second))
    expected = kl_div(torch.from_numpy(first), torch.from_numpy(second), reduction="sum").numpy()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    if not np.isfinite(expected):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("position", [0, 8, 32])
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        *((1.0, 0.0, 0.0), (np.inf, 0.0, np.nan), (np.nan, 0.0, np.nan), (1.0, -1.0, np.nan)),
        *((-np.inf, 1.0, np.inf), (np.inf, 1.0, -np.inf), (-1.0, np.inf, np.inf), (1.0, np.inf, np.nan)),
        *((1.0, np.nan, np.nan), (0.0, 2.0**-149, -(2.0**-149) * 103.27893), (-2.0, 1.0, 2.0)),
    ],
)
def test_single_terms_of_the_divergence(a, b, expected, position):
    first, second = np.ones(33, np.float32), np.zeros(33, np.float32)
    first[position], second[position] = a, b
    found = sum_of_divergences(first, second)
    np.testing.assert_allclose(found, expected, rtol=1e-2)
    np.testing.assert_allclose(found, divergence(first, second), rtol=1e-2)


def cosine(first, second):
    destination = Destination(1, 1)
    sizes = np.array([*first.shape, *second.shape])
    reductions.cosine_similarity(first.ravel(), second.ravel(), sizes, destination.array)
    destination.assert_surroundings_untouched()
    return destination.array[0]


ROWS_AND_COLUMNS = [
    *(((1, 1), (1, 1)), ((5, 33), (5, 33)), ((1, 9), (7, 9)), ((7, 9), (1, 9)), ((3, 1), (3, 64))),
    *(
        ((3, 64), (3, 1)),
        ((1, 8), (4, 1)),
        ((4, 1), (1, 8)),
        ((1, 1), (3, 9)),
        ((3, 0), (3, 1)),
        ((2, 0), (2, 0)),
    ),
]


@pytest.mark.parametrize(("first", "second"), ROWS_AND_COLUMNS)
def test_cosines_agree_with_the_oracle(first, second):
    for scale in (1.0, 1e-9, 1e-30, 1e18):
        a, b = (ordinary(np.prod(shape), 0).reshape(shape) * np.float32(scale) for shape in (first, second))
        np.testing.assert_allclose(cosine(a, b), NAIVE["cosine_similarity"](a, b), rtol=1e-6, atol=1e-7)


@settings(max_examples=200)
@given(
    data=st.data(),
    sides=st.tuples(st.integers(1, 5), st.integers(1, 40)),
    ones=st.tuples(*[st.booleans()] * 4),
)
def test_cosines_agree_with_the_oracle_on_drawn_arrays(data, sides, ones):
    shapes = [
        tuple(1 if one else side for one, side in zip(which, sides, strict=True))
        for which in (ones[:2], ones[2:])
    ]
    a, b = (data.draw(arrays(shape, np.float32)) for shape in shapes)
    np.testing.assert_allclose(cosine(a, b), NAIVE["cosine_similarity"](a, b), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_cosine_with_a_number_that_is_not_finite_is_nan(value):
    a, b = np.ones((2, 33), np.float32), np.zeros((2, 33), np.float32)
    a[1, 5] = value
    assert np.isnan(cosine(a, b))
    assert np.isnan(cosine(b, a))


def test_cosines_do_not_overflow_where_squares_do():
    a = np.full((1, 9), 3e38, np.float32)
    assert cosine(a, -a) == -1.0


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        *(((2, 3, 2, 2), "two matrices"), ((3, 3, 2, 3), "two matrices"), ((3, 2, 2, 3), "rows and columns")),
        *(((2, 3, 3, 2), "rows and columns"), ((1, 6, 3, 2), "rows and columns")),
    ],
)
def test_sizes_of_a_cosine_that_do_not_fit_are_refused(sizes, message):
    six = np.ones(6, np.float32)
    with pytest.raises(ValueError, match=message):
        reductions.cosine_similarity(six, six, np.array(sizes), np.empty(1, np.float32))


def test_a_cosine_is_written_to_one_element():
    six = np.ones(6, np.float32)
    with pytest.raises(ValueError, match="one element"):
        reductions.cosine_similarity(six, six, np.array([2, 3, 2, 3]), np.empty(2, np.float32))


def test_the_folds_of_operations_are_found():
    assert set(reductions.FOLDS) == {"mean", "l1_norm", "frobenius_norm"}
    assert set(reductions.ROW_FOLDS) == {"cosine_similarity"}


@pytest.mark.skipif(bool(why_not_inspectable()), reason=why_not_inspectable())
@pytest.mark.parametrize(
    "kernel",
    [reductions.sum_of_distances, reductions.sums_of_products],
    ids=lambda kernel: kernel.py_func.__name__,
)
def test_the_loop_is_vectorised(kernel):
    assert has_vectorised_loop(kernel)


def test_reordering_reaches_the_sum_but_not_the_functions_that_it_calls():
    # Not compiled yet for any other caller, whose rules it could have inherited.
    exp = policy.scalar(transcendental.exp.py_func)

    def sum_of_exponentials(source):
        total = 0.0
        for i in range(source.size):
            total += exp(source[i])
        return total

    (signature,) = reductions.sum_of_values.signatures
    kernel = numba.jit(signature, **reductions.sums_of_products.targetoptions)(sum_of_exponentials)
    values = np.random.default_rng(0).uniform(-3, 3, 1001).astype(np.float32)
    np.testing.assert_allclose(kernel(values), np.exp(values.astype(np.float64)).sum(), rtol=1e-7)

    lines = kernel.inspect_llvm(signature).splitlines()
    sums = [line for line in lines if re.search(r"= fadd .*double", line)]
    called = [line for line in lines if re.search(r"= (fadd|fmul|.*call) .*float[ >]", line)]
    assert any("reassoc" in line for line in sums)
    assert len(called) > 10
    assert not any("reassoc" in line for line in called)
