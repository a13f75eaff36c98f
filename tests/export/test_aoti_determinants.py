"""The kernel of determinants that goes into packages of aoti, compiled by itself."""

import ctypes
import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

SOURCE = """
#include <ATen/cpu/vec/vec.h>
#include "determinants.h"
extern "C" void det(const float* source, float* result, int64_t count, int64_t order) {
  eznas::determinants<false>(source, result, count, order);
}
extern "C" void slogdet(const float* source, float* result, int64_t count, int64_t order) {
  eznas::determinants<true>(source, result, count, order);
}
"""

ORDERS = (1, 2, 3, 4, 7, 8, 16, 23, 24, 32, 33)
COUNTS = (1, 3, 8, 19)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "kernel.cpp").write_text(SOURCE)
    home = Path(torch.__file__).parent
    is_avx2 = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    vectors = ["-DCPU_CAPABILITY_AVX2", "-DCPU_CAPABILITY=AVX2", "-mavx2", "-mfma", "-mf16c"]
    subprocess.run(
        [
            *(compiler, "-std=c++20", "-O1", "-w", "-shared", "-fPIC", "-ffp-contract=off"),
            *(vectors if is_avx2 else ["-DCPU_CAPABILITY=DEFAULT"]),
            *("kernel.cpp", "-o", "kernel.so", f"-I{home / 'include'}"),
            *(f"-I{files('eznas.export.templates')}", f"-L{home / 'lib'}", "-ltorch_cpu"),
        ],
        check=True,
        cwd=folder,
    )
    return ctypes.CDLL(str(folder / "kernel.so"))


def determinants(kernel, matrices):
    return _run(kernel.det, matrices, 1)[0]


def signs_and_logarithms(kernel, matrices):
    return _run(kernel.slogdet, matrices, 2)


def _run(function, matrices, rows):
    source = np.ascontiguousarray(matrices, np.float32)
    count, order, _ = source.shape
    result = np.empty((rows, count), np.float32)
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (source, result)]
    function(*pointers, ctypes.c_int64(count), ctypes.c_int64(order))
    return result


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("count", COUNTS)
def test_determinants_and_their_logarithms_are_those_of_float64(kernel, order, count):
    matrices = np.random.default_rng(order).standard_normal((count, order, order)).astype(np.float32)
    signs, logarithms = np.linalg.slogdet(matrices.astype(np.float64))
    got_signs, got_logarithms = signs_and_logarithms(kernel, matrices)
    np.testing.assert_array_equal(got_signs, signs)
    np.testing.assert_allclose(got_logarithms, logarithms, rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(determinants(kernel, matrices), signs * np.exp(logarithms), rtol=2e-4)


@pytest.mark.parametrize("order", [2, 3, 8, 32])
def test_matrices_with_two_equal_columns_or_a_row_of_zeros_are_singular(kernel, order):
    matrices = np.random.default_rng(1).standard_normal((10, order, order)).astype(np.float32)
    matrices[:5, :, 0] = matrices[:5, :, -1]
    matrices[5:, 1] = 0
    np.testing.assert_array_equal(determinants(kernel, matrices), 0)
    signs, logarithms = signs_and_logarithms(kernel, matrices)
    np.testing.assert_array_equal(signs, 0)
    np.testing.assert_array_equal(logarithms, -np.inf)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("order", [1, 3, 9])
def test_matrices_that_are_not_finite_have_none_and_leave_the_others_alone(kernel, special, order):
    matrices = np.random.default_rng(2).standard_normal((11, order, order)).astype(np.float32)
    spoiled = matrices.copy()
    spoiled[[3, 10], -1, 0] = special
    whole = np.isfinite(spoiled).all(axis=(1, 2))
    for right, got in (
        (determinants(kernel, matrices), determinants(kernel, spoiled)),
        *zip(signs_and_logarithms(kernel, matrices), signs_and_logarithms(kernel, spoiled), strict=True),
    ):
        np.testing.assert_array_equal(got[whole], right[whole])
        assert np.isnan(got[~whole]).all()


def test_products_that_pass_beyond_float32_and_come_back_are_taken(kernel):
    matrix = np.diag(np.array([1e30, 1e30, 1e-30, 1e-30], np.float32))
    np.testing.assert_allclose(determinants(kernel, matrix[None]), [1.0], rtol=1e-5)
