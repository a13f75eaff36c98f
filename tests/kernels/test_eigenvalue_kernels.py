import numpy as np
import pytest
from assembly import has_vectorised_loop, why_not_inspectable
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_samples import STARTS, Destination, placed
from naive import NAIVE

from eznas_kernels.eigenvalues import EIGENVALUE_RATIOS, eigenvalue_ratio, symmetric_eigenvalue_ratio

ROWS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 32, 33, 64, 65)
KERNELS = pytest.mark.parametrize("op", EIGENVALUE_RATIOS)
LARGEST = np.finfo(np.float32).max


def sizes(*numbers):
    array = np.array(numbers, np.int64)
    array.flags.writeable = False
    return array


def run(op, matrix, start=0):
    values = np.asarray(matrix, np.float32)
    source = placed(values.ravel(), start)
    source.flags.writeable = False
    destination = Destination(1, start)
    EIGENVALUE_RATIOS[op](source, sizes(len(values)), destination.array)
    destination.assert_surroundings_untouched()
    return destination.array[0]


def random_matrix(rows, columns, seed=0):
    return np.random.default_rng([rows, columns, seed]).normal(size=(rows, columns)).astype(np.float32)


@KERNELS
@pytest.mark.parametrize("rows", ROWS)
def test_ratios_agree_with_the_oracle(op, rows):
    for columns in (rows + 1, 2 * rows + 3, 9 * rows):
        for start in STARTS:
            matrix = random_matrix(rows, columns)
            np.testing.assert_allclose(run(op, matrix, start), NAIVE[op](matrix), rtol=1e-6)


@KERNELS
@pytest.mark.parametrize("rows", [2, 5, 16, 33, 64])
def test_ratios_of_ill_conditioned_matrices_agree_with_the_oracle(op, rows):
    matrix = random_matrix(rows, rows)
    matrix *= np.geomspace(1, 1e-3, rows, dtype=np.float32)
    np.testing.assert_allclose(run(op, matrix), NAIVE[op](matrix), rtol=1e-3)


@pytest.mark.parametrize("rows", [2, 3, 8, 17, 64])
def test_eigenvalues_on_the_diagonal_are_found(rows):
    matrix = np.diag(np.arange(rows, 0, -1)).astype(np.float32)
    assert run("eig_ratio", matrix) == np.float32(1 / rows**2)
    assert run("sym_eig_ratio", matrix) == np.float32(rows**2)


@KERNELS
@pytest.mark.parametrize("rows", [2, 3, 16, 65])
def test_equal_eigenvalues_have_the_ratio_1(op, rows):
    np.testing.assert_allclose(run(op, 3 * np.eye(rows)), 1.0, rtol=1e-6)


@pytest.mark.parametrize(("rows", "columns"), [(4, 2), (9, 8), (64, 9), (16, 16)])
def test_the_smallest_eigenvalue_of_a_deficient_matrix_is_but_rounding(rows, columns):
    matrix = random_matrix(rows, columns)
    matrix[-1] = matrix[0]
    assert abs(run("eig_ratio", matrix)) < 1e-13
    assert abs(run("sym_eig_ratio", matrix)) > 1e13


@KERNELS
def test_zeros_have_no_ratio(op):
    for rows in (1, 2, 16):
        assert np.isnan(run(op, np.zeros((rows, 7))))
        assert np.isnan(run(op, np.full((rows, 7), -0.0)))
        assert np.isnan(run(op, np.empty((rows, 0))))


@KERNELS
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(1, 1), (1, 100), (2, 3), (16, 9), (17, 33)])
def test_one_element_that_is_not_finite_leaves_no_ratio(op, number, shape):
    for place in {0, shape[0] * shape[1] // 2, shape[0] * shape[1] - 1}:
        matrix = random_matrix(*shape)
        matrix.flat[place] = number
        assert np.isnan(run(op, matrix))


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_products_that_overflow_float32_leave_no_ratio(rows):
    largest = np.float32(np.sqrt(LARGEST / 1.9))
    matrix = np.diag(np.full(rows, largest))
    assert run("eig_ratio", matrix) == 1
    assert np.isnan(run("sym_eig_ratio", matrix))
    assert run("sym_eig_ratio", matrix / 2) == 1
    assert np.isnan(run("eig_ratio", matrix * 2))


@KERNELS
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_products_that_underflow_float32_leave_no_ratio(op, rows):
    assert np.isnan(run(op, np.diag(np.full(rows, 2.0**-80))))
    assert np.isnan(run(op, np.diag(np.full(rows, 2.0**-149))))
    assert run(op, np.diag(np.full(rows, 2.0**-60))) == 1


@KERNELS
def test_of_one_row_the_ratio_is_1(op):
    for columns in (1, 7, 31, 32, 33, 1000):
        for start in STARTS:
            assert run(op, random_matrix(1, columns), start) == 1


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(2, 12),
    columns=st.integers(0, 40),
    seed=st.integers(0, 2**32),
    exponent=st.integers(-30, 30),
)
def test_a_power_of_two_leaves_the_ratio_as_it_is(rows, columns, seed, exponent):
    matrix = random_matrix(rows, rows + columns, seed)
    for op in EIGENVALUE_RATIOS:
        np.testing.assert_allclose(run(op, matrix * np.float32(2.0**exponent)), run(op, matrix), rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(2, 12), columns=st.integers(0, 40), seed=st.integers(0, 2**32))
def test_the_order_of_rows_and_columns_does_not_count(rows, columns, seed):
    generator = np.random.default_rng(seed)
    matrix = random_matrix(rows, rows + columns + 1, seed)
    other = generator.permutation(generator.permutation(matrix), axis=1)
    for op in EIGENVALUE_RATIOS:
        np.testing.assert_allclose(run(op, other), run(op, matrix), rtol=1e-5)


@KERNELS
@pytest.mark.parametrize("shape", [(1, 1000), (3, 9), (17, 33), (16, 144)])
def test_the_bits_do_not_depend_on_the_place(op, shape):
    matrix = random_matrix(*shape)
    assert len({run(op, matrix, start) for start in STARTS}) == 1


@KERNELS
@pytest.mark.parametrize(
    ("elements", "numbers", "results"), [(6, (4,), 1), (6, (0,), 1), (6, (2, 3), 1), (6, (2,), 2)]
)
def test_wrong_sizes_are_refused(op, elements, numbers, results):
    with pytest.raises(ValueError, match="whole rows"):
        EIGENVALUE_RATIOS[op](np.ones(elements, np.float32), sizes(*numbers), np.empty(results, np.float32))


def test_the_mapping_names_the_kernels():
    assert dict(EIGENVALUE_RATIOS) == {
        "eig_ratio": eigenvalue_ratio,
        "sym_eig_ratio": symmetric_eigenvalue_ratio,
    }


@pytest.mark.skipif(bool(why_not_inspectable()), reason=why_not_inspectable())
@KERNELS
def test_the_loops_are_vectorised(op):
    assert has_vectorised_loop(EIGENVALUE_RATIOS[op])


@pytest.mark.parametrize("name", ["eig_ratio", "sym_eig_ratio"])
@pytest.mark.parametrize("shape", [(2, 3), (4, 36), (16, 16), (16, 144), (32, 288), (64, 64), (64, 576)])
@pytest.mark.parametrize("value", [0.5, 1.0, 3.0, 1e-15])
def test_matrices_of_rank_one_have_a_ratio_of_rounding(name, shape, value):
    source = np.full(shape, value, np.float32).ravel()
    destination = np.zeros(1, np.float32)
    EIGENVALUE_RATIOS[name](source, np.array([shape[0]]), destination)
    small = destination[0] if name == "eig_ratio" else 1 / destination[0]
    assert abs(small) < 1e-6
