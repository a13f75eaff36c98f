import numpy as np
import pytest
import scipy.linalg
from assembly import has_vectorised_loop, why_not_inspectable
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_samples import STARTS, Destination, awkward, placed, units_in_the_last_place
from naive import NAIVE
from strategies import arrays

from eznas_kernels.determinants import DETERMINANTS, determinant, log_determinant

ORDERS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 32, 33, 47, 48, 64, 65)
BATCHES = (0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 33)
KERNELS = pytest.mark.parametrize("op", DETERMINANTS)
EVERY_ORDER = pytest.mark.parametrize("order", ORDERS)


def sizes(*numbers):
    array = np.array(numbers, np.int64)
    array.flags.writeable = False
    return array


def run(op, matrices, start=0):
    """The results of matrices of shape (batch, order, order), which lie at a start within a buffer."""
    values = np.asarray(matrices, np.float32)
    source = placed(values.ravel(), start)
    source.flags.writeable = False
    destination = Destination(len(values), start)
    DETERMINANTS[op](source, sizes(values.shape[-1]), destination.array)
    destination.assert_surroundings_untouched()
    return destination.array


def random_matrices(batch, order, seed=0):
    return np.random.default_rng([batch, order, seed]).normal(size=(batch, order, order)).astype(np.float32)


def matrices_of_signs(batch, order, seed=0):
    return (
        np.random.default_rng([batch, order, seed]).integers(-1, 2, (batch, order, order)).astype(np.float32)
    )


def magnitude(matrices):
    """The product of the lengths of rows, which no determinant exceeds (Hadamard)."""
    return np.prod(np.linalg.norm(matrices.astype(np.float64), axis=-1), axis=-1)


def assert_agrees(matrices, start=0):
    """Determinants are right to the rounding of the elimination, their logarithms where this leaves them."""
    expected = NAIVE["det"](matrices)
    order = matrices.shape[-1]
    # Rounding an element moves the determinant by at most the condition times the determinant.
    conditions = np.linalg.cond(matrices.astype(np.float64)) if matrices.size else np.zeros(0)
    relative = 1e-7 * order * np.minimum(conditions, 1e20)
    tolerance = np.where(conditions < 1e6, relative * np.abs(expected), 1e-7 * order * magnitude(matrices))
    found = run("det", matrices, start)
    with np.errstate(over="ignore"):
        rounded = expected.astype(np.float32)
    assert ((np.abs(found - expected) <= tolerance + 1e-44) | (found == rounded)).all()
    decided = relative < 0.01
    logarithms = run("logdet", matrices, start)[decided]
    difference = np.abs(logarithms - NAIVE["logdet"](matrices)[decided])
    assert (difference <= 2 * relative[decided] + 2e-7 * (order + np.abs(logarithms))).all()


@EVERY_ORDER
@pytest.mark.parametrize("batch", BATCHES)
def test_random_matrices_agree_with_the_oracle(order, batch):
    for start in STARTS if order < 20 else (1,):
        assert_agrees(random_matrices(batch, order), start)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 8, 16])
def test_matrices_of_signs_agree_with_the_oracle(order):
    assert_agrees(matrices_of_signs(64, order))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), batch=st.integers(0, 9), order=st.integers(1, 6))
def test_drawn_matrices_that_are_not_finite_have_no_determinant(data, batch, order):
    matrices = data.draw(arrays((batch, order, order), np.float32))
    finite = np.isfinite(matrices).all(axis=(1, 2))
    found = run("det", matrices)
    assert np.isnan(found[~finite]).all()
    assert (run("logdet", matrices)[~finite] == 0).all()
    ordinary = finite & (np.abs(matrices).max(axis=(1, 2), initial=0) < 2.0**100 / order)
    assert not np.isnan(found[ordinary]).any()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), batch=st.integers(0, 9), order=st.integers(1, 3))
def test_small_matrices_of_whole_numbers_are_exact(data, batch, order):
    elements = st.integers(-1000, 1000).map(float)
    drawn = data.draw(st.lists(elements, min_size=batch * order**2, max_size=batch * order**2))
    matrices = np.array(drawn, np.float32).reshape(batch, order, order)
    whole = [[[int(element) for element in row] for row in matrix] for matrix in matrices]
    expected = [exact_determinant(matrix) for matrix in whole]
    np.testing.assert_array_equal(run("det", matrices), np.array(expected, np.float64).astype(np.float32))
    with np.errstate(divide="ignore"):
        logarithms = [np.log(float(value)) if value >= 0 else 0.0 for value in map(float, expected)]
    np.testing.assert_allclose(run("logdet", matrices), logarithms, rtol=1e-6, atol=1e-6)


def exact_determinant(matrix):
    if len(matrix) == 1:
        return matrix[0][0]
    minors = ([row[:i] + row[i + 1 :] for row in matrix[1:]] for i in range(len(matrix)))
    return sum((-1) ** i * matrix[0][i] * exact_determinant(minor) for i, minor in enumerate(minors))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_small_determinants_are_rounded_once_however_singular(order):
    matrices = random_matrices(512, order)
    if order > 1:
        matrices[:, -1] = matrices[:, 0] + 1e-5 * matrices[:, -1]
    wide = matrices.astype(np.longdouble)
    if order == 1:
        expected = wide[:, 0, 0]
    elif order == 2:
        expected = wide[:, 0, 0] * wide[:, 1, 1] - wide[:, 0, 1] * wide[:, 1, 0]
    else:
        expected = (wide[:, 0] * np.cross(wide[:, 1], wide[:, 2])).sum(axis=-1)
    error = units_in_the_last_place(run("det", matrices), expected.astype(np.float64))
    assert error.max() <= 0.51


@EVERY_ORDER
@KERNELS
def test_every_place_of_nan_and_infinity_counts(op, order):
    places = np.random.default_rng(order).permutation(order * order)[:24]
    matrices = np.stack([np.eye(order, dtype=np.float32)] * (3 * len(places) + 1))
    for i, place in enumerate(places):
        for j, number in enumerate((np.nan, np.inf, -np.inf)):
            matrices[3 * i + j].flat[place] = number
    found = run(op, matrices)
    expected = np.full(len(matrices), np.nan if op == "det" else 0.0)
    expected[-1] = 1.0 if op == "det" else 0.0
    np.testing.assert_array_equal(found, expected)


@EVERY_ORDER
@pytest.mark.parametrize("batch", [1, 9])
@KERNELS
def test_a_zero_row_or_column_is_singular(op, batch, order):
    for axis in (1, 2):
        matrices = random_matrices(batch, order)
        np.moveaxis(matrices, axis, 0)[order // 2] = -0.0
        assert (run(op, matrices) == (0.0 if op == "det" else -np.inf)).all()


@pytest.mark.parametrize("order", [order for order in ORDERS if order > 1])
@pytest.mark.parametrize("batch", [1, 9])
@KERNELS
def test_equal_columns_are_singular(op, batch, order):
    matrices = random_matrices(batch, order)
    matrices[:, :, -1] = matrices[:, :, 0]
    assert (run(op, matrices) == (0.0 if op == "det" else -np.inf)).all()


@pytest.mark.parametrize("factor", [1.0, -3.0, 0.7])
def test_rows_in_proportion_are_singular_of_small_orders(factor):
    for order in (2, 3):
        matrices = random_matrices(100, order)
        matrices[:, -1] = np.float32(np.round(1000 * matrices[:, 0]))
        matrices[:, 0] = matrices[:, -1] * np.float32(factor if factor != 0.7 else 0.5)
        np.testing.assert_array_equal(run("det", matrices), 0.0)
        np.testing.assert_array_equal(run("logdet", matrices), -np.inf)


@EVERY_ORDER
def test_constant_matrices_are_singular(order):
    if order > 1:
        assert (run("logdet", np.full((9, order, order), 0.3, np.float32)) == -np.inf).all()


@EVERY_ORDER
def test_a_permutation_has_its_sign(order):
    generator = np.random.default_rng(order)
    rows = np.stack([generator.permutation(order) for _ in range(17)])
    matrices = np.eye(order, dtype=np.float32)[rows]
    signs = np.linalg.det(matrices.astype(np.float64)).round()
    np.testing.assert_array_equal(run("det", matrices), signs)
    np.testing.assert_array_equal(run("logdet", matrices), 0.0)


@EVERY_ORDER
def test_logarithms_reach_beyond_the_range_of_determinants(order):
    for scale in (1e-30, 1e30):
        matrices = np.stack([np.float32(scale) * np.eye(order, dtype=np.float32)] * 9)
        np.testing.assert_allclose(run("logdet", matrices), order * np.log(scale), rtol=1e-6)
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                run("det", matrices), np.float32(np.float64(scale) ** order), rtol=1e-5
            )


@pytest.mark.parametrize("order", [2, 3, 4, 8, 33])
def test_products_may_pass_beyond_float32_and_come_back(order):
    diagonal = np.ones(order, np.float32)
    diagonal[:2] = 1e30, 1e-30
    matrices = np.stack([np.diag(diagonal), np.diag(diagonal[::-1])] * 4)
    np.testing.assert_allclose(run("det", matrices), 1.0, rtol=1e-6)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 8])
def test_subnormal_elements_count(order):
    matrices = np.stack([np.eye(order, dtype=np.float32)] * 9)
    matrices[:, 0, 0] = 2.0**-149
    np.testing.assert_array_equal(run("det", matrices), np.float32(2.0**-149))
    np.testing.assert_allclose(run("logdet", matrices), -149 * np.log(2), rtol=1e-6)


@EVERY_ORDER
@KERNELS
def test_a_matrix_has_the_same_bits_alone_and_among_others_wherever_it_lies(op, order):
    matrices = random_matrices(17, order)
    together = run(op, matrices)
    for start in STARTS:
        np.testing.assert_array_equal(run(op, matrices, start), together)
    alone = np.concatenate([run(op, matrix[None]) for matrix in matrices])
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("order", [4, 5, 8, 16, 32])
def test_errors_are_as_small_as_of_an_elimination_by_lapack(order):
    matrices = random_matrices(2000, order)
    expected = np.linalg.det(matrices.astype(np.float64))
    theirs = np.empty(len(matrices))
    for i, matrix in enumerate(matrices):
        factors, pivots = scipy.linalg.lu_factor(matrix.T)
        swaps = np.count_nonzero(pivots != np.arange(order))
        theirs[i] = np.float32(np.diag(factors).astype(np.float64).prod() * (-1) ** swaps)
    errors = [np.median(np.abs(found / expected - 1)) for found in (run("det", matrices), theirs)]
    # Two right eliminations differ by chance.
    assert errors[0] <= 1.25 * errors[1]


def test_of_order_0_the_determinant_is_1():
    for op, expected in (("det", 1.0), ("logdet", 0.0)):
        assert (run(op, np.empty((5, 0, 0))) == expected).all()


@pytest.mark.parametrize(
    ("elements", "numbers", "results"),
    [(8, (2,), 3), (9, (2,), 2), (4, (-2,), 1), (4, (2, 2), 1), (4, (), 1)],
)
@KERNELS
def test_wrong_sizes_are_refused(op, elements, numbers, results):
    with pytest.raises(ValueError, match="square matrices"):
        DETERMINANTS[op](np.ones(elements, np.float32), sizes(*numbers), np.empty(results, np.float32))


@KERNELS
def test_numbers_of_all_magnitudes_do_no_harm(op):
    for order in (1, 2, 3, 4, 8, 48):
        matrices = awkward(17 * order * order, order).reshape(17, order, order)
        found = run(op, matrices)
        not_finite = ~np.isfinite(matrices).all(axis=(1, 2))
        np.testing.assert_array_equal(found[not_finite], np.nan if op == "det" else 0.0)


def test_the_mapping_names_the_kernels():
    assert dict(DETERMINANTS) == {"det": determinant, "logdet": log_determinant}


@pytest.mark.skipif(bool(why_not_inspectable()), reason=why_not_inspectable())
@KERNELS
def test_the_loops_are_vectorised(op):
    assert has_vectorised_loop(DETERMINANTS[op])
