import numba
import numpy as np
import pytest
from kernel_samples import units_in_the_last_place
from naive import NAIVE

from eznas_kernels import policy, transcendental

# The largest number whose exponential is finite; below its negative, the one in the sigmoid overflows.
LARGEST_LOGARITHM = 88.72283172607422


def looped(function):
    @numba.njit((policy.SOURCE, policy.DESTINATION), **policy.OPTIONS)
    def loop(source, destination):
        for i in range(destination.size):
            destination[i] = function(source[i])

    def applied(values):
        source = np.asarray(values, np.float32)
        destination = np.empty_like(source)
        loop(source, destination)
        return destination

    return applied


exp = looped(transcendental.exp)
log = looped(transcendental.log)
log_of_positive = looped(transcendental.log_of_positive)
sigmoid = looped(transcendental.sigmoid)


@pytest.fixture(scope="module")
def everywhere():
    """Both signs, all exponents (subnormals, infinities and NaN among them), 4,096 fractions of each."""
    fractions = np.random.default_rng(0).integers(0, 2**23, 4094, np.uint32)
    fractions = np.concatenate([fractions, np.array([0, 2**23 - 1], np.uint32)])
    leading = np.arange(2**9, dtype=np.uint32) << np.uint32(23)
    return (leading[:, None] | fractions).ravel().view(np.float32)


@pytest.fixture(scope="module")
def where_exp_is_finite():
    return np.random.default_rng(1).uniform(-104, 89, 2**20).astype(np.float32)


def float64(function, values):
    with np.errstate(all="ignore"):
        return function(values.astype(np.float64))


def test_exp_is_within_2_units_everywhere(everywhere, where_exp_is_finite):
    for values in (everywhere, where_exp_is_finite):
        assert units_in_the_last_place(exp(values), float64(np.exp, values)).max() < 1.5


def test_log_is_within_2_units_everywhere(everywhere):
    assert units_in_the_last_place(log(everywhere), float64(np.log, everywhere)).max() < 1.5


def test_log_near_one_is_within_2_units():
    values = 1 + np.random.default_rng(2).uniform(-0.3, 0.42, 2**20).astype(np.float32)
    assert units_in_the_last_place(log(values), float64(np.log, values)).max() < 1.5


def test_log_of_positive_is_log_where_it_is_defined(everywhere):
    defined = everywhere[~(everywhere <= 0)]
    np.testing.assert_array_equal(log_of_positive(defined), log(defined))


def test_sigmoid_is_within_3_units_down_to_where_its_exponential_overflows(everywhere, where_exp_is_finite):
    for values in (everywhere, where_exp_is_finite):
        defined = values[~(values < -LARGEST_LOGARITHM)]
        assert units_in_the_last_place(sigmoid(defined), NAIVE["sigmoid"](defined)).max() < 3


def test_sigmoid_is_zero_where_its_exponential_overflows():
    below = np.nextafter(np.float32(-LARGEST_LOGARITHM), np.float32(-np.inf))
    assert sigmoid([-LARGEST_LOGARITHM])[0] > 0
    np.testing.assert_array_equal(sigmoid([below, -95.0, -1e30, -np.inf]), 0.0)


def test_exp_of_special_values():
    np.testing.assert_array_equal(
        exp([0.0, -0.0, np.inf, -np.inf, np.nan, 2.0**-149, LARGEST_LOGARITHM, -104.0, -1e30, 1e30]),
        np.float32([1.0, 1.0, np.inf, 0.0, np.nan, 1.0, 3.4027985e38, 0.0, 0.0, np.inf]),
    )


def test_exp_overflows_above_the_logarithm_of_the_largest_number():
    above = np.nextafter(np.float32(LARGEST_LOGARITHM), np.float32(np.inf))
    assert np.isinf(exp([above])[0])


def test_exp_underflows_through_the_subnormals():
    np.testing.assert_array_equal(exp([-103.2789]), np.float32([2.0**-149]))


def test_log_of_special_values():
    np.testing.assert_array_equal(
        log([1.0, 0.0, -0.0, np.inf, -np.inf, np.nan, -1.0, -(2.0**-149), 2.0**-149]),
        np.float32([0.0, -np.inf, -np.inf, np.inf, np.nan, np.nan, np.nan, np.nan, -103.27893]),
    )


def test_log_of_one_is_a_positive_zero():
    assert not np.signbit(log([1.0])[0])


def test_sigmoid_of_special_values():
    np.testing.assert_array_equal(
        sigmoid([0.0, -0.0, np.inf, -np.inf, np.nan]), np.float32([0.5, 0.5, 1.0, 0.0, np.nan])
    )
