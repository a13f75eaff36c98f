import math

import numba
import numpy as np
import pytest
from assembly import has_vectorised_loop, kernels_of, vectorised_loops, why_not_inspectable

from eznas_kernels import elementwise, maps, policy, reductions, transcendental

pytestmark = pytest.mark.skipif(bool(why_not_inspectable()), reason=why_not_inspectable())


KERNELS = [*kernels_of(maps), *kernels_of(reductions)]


def looped(function):
    """A loop that applies a function to every element."""

    def loop(source, destination):
        for i in range(destination.size):
            destination[i] = function(source[i])

    return numba.njit((policy.SOURCE, policy.DESTINATION), **policy.OPTIONS)(loop)


def test_the_kernels_are_found():
    assert {maps.fill, maps.exp, maps.add, maps.scalar_sub} <= set(KERNELS)
    assert {reductions.sum_of_values, reductions.sum_of_distances} <= set(KERNELS)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.py_func.__name__)
def test_the_loop_is_vectorised(kernel):
    assert has_vectorised_loop(kernel)


@pytest.mark.parametrize("function", [transcendental.exp, transcendental.log, transcendental.sigmoid])
def test_loops_over_transcendental_functions_are_vectorised(function):
    assert has_vectorised_loop(looped(function))


@numba.njit
def exp_of_the_c_library(a):
    return np.float32(math.exp(a))


def test_a_loop_that_calls_the_c_library_is_found_not_vectorised():
    assert not has_vectorised_loop(looped(exp_of_the_c_library))


@pytest.mark.parametrize("op", elementwise.QUICK)
def test_numbers_that_strain_a_quick_form_are_worked_out_by_vectors_too(op):
    assert vectorised_loops({**maps.UNARY, **maps.PARTS}[op]) >= 2


def test_a_sum_in_the_written_order_is_found_not_vectorised():
    strict = numba.njit(reductions.sums_of_products.signatures[0], **policy.OPTIONS)
    assert not has_vectorised_loop(strict(reductions.sums_of_products.py_func))
