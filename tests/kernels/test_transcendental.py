import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np
import pytest
from kernel_samples import units_in_the_last_place
from naive import NAIVE

from eznas_kernels import elementwise, policy, transcendental

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


def quickly(function):
    """A loop that gives the results and the strains."""

    @numba.njit((policy.SOURCE, policy.DESTINATION, numba.uint32[:]), **policy.OPTIONS)
    def loop(source, destination, strains):
        for i in range(destination.size):
            destination[i], strains[i] = function(source[i])

    def applied(values):
        destination, strains = np.empty_like(values), np.empty(values.size, np.uint32)
        loop(values, destination, strains)
        return destination, strains

    return applied


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


@pytest.mark.parametrize("op", elementwise.QUICK)
def test_a_quick_form_has_the_same_bits_up_to_its_largest_strain(op, everywhere, where_exp_is_finite):
    quick = elementwise.QUICK[op]
    careful = {**elementwise.UNARY, **elementwise.PARTS}[op]
    for values in (everywhere, where_exp_is_finite):
        found, strains = quickly(quick.function)(values)
        easy = strains <= quick.largest_strain
        np.testing.assert_array_equal(
            found[easy].view(np.int32), looped(careful)(values)[easy].view(np.int32)
        )


@pytest.mark.parametrize(
    ("op", "easy"),
    [
        ("log", [1e-37, 0.0, -0.0, -1.0, -np.inf, 3.4e38]),
        ("abs_log", [1e-37, -3.4e38, 0.0, -0.0]),
        ("information", [1e-37, 0.0, -0.0, 3.4e38]),
        ("exp", [0.0, -0.0, 1e-40, -87.0, 87.0]),
        ("sigmoid", [0.0, -0.0, 1e-40, -87.0, 87.0]),
    ],
)
def test_ordinary_numbers_and_zeros_do_not_strain_a_quick_form(op, easy):
    quick = elementwise.QUICK[op]
    _, strains = quickly(quick.function)(np.float32(easy))
    assert (strains <= quick.largest_strain).all()
    _, strains = quickly(quick.function)(np.float32([np.nan, -np.nan, np.inf]))
    assert (strains > quick.largest_strain).all()


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


SCALING = pytest.mark.skipif(
    llvmlite.binding.llvm_version_info < (22,), reason="both forms of scaling are for LLVM 22 and later"
)

# The code is compiled for another processor, and must not run here.
COMPILE_EXP = """
import numba
from eznas_kernels import policy, transcendental
assert transcendental.scaled is transcendental.scaled_by_instruction
def loop(source, destination):
    for i in range(destination.size):
        destination[i] = transcendental.exp(source[i])
signature = policy.SOURCE, policy.DESTINATION
options = {**policy.OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
print(next(iter(numba.njit(signature, **options)(loop).inspect_asm().values())))
"""


@SCALING
def test_both_forms_of_scaling_give_the_same_bits():
    @numba.njit((policy.SOURCE, numba.int32[:], policy.DESTINATION, policy.DESTINATION), **policy.OPTIONS)
    def scale(numbers, exponents, by_products, by_instruction):
        for i in range(numbers.size):
            by_products[i] = transcendental.scaled_by_products(numbers[i], exponents[i])
            by_instruction[i] = transcendental.scaled_by_instruction(numbers[i], exponents[i])

    generator = np.random.default_rng(0)
    exponents = np.repeat(np.arange(-151, 130, dtype=np.int32), 1000)
    numbers = generator.uniform(0.7, 1.42, exponents.size).astype(np.float32)
    numbers[::100] = np.nan
    by_products, by_instruction = np.empty_like(numbers), np.empty_like(numbers)
    scale(numbers, exponents, by_products, by_instruction)
    np.testing.assert_array_equal(by_products, by_instruction)
    assert (by_products == 0).any()
    assert ((by_products > 0) & (by_products < 2.0**-126)).any()
    assert np.isinf(by_products).any()


@SCALING
@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="the other processor is an x86"
)
def test_with_avx_512_exp_scales_whole_vectors_by_one_instruction(tmp_path):
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": "znver4",
        "NUMBA_CPU_FEATURES": "+avx512f",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": str(Path(policy.__file__).parents[1]),
    }
    command = [sys.executable, "-c", COMPILE_EXP]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"vscalefps\s+%zmm", done.stdout)
    assert "ldexp" not in done.stdout
