"""How far errors of the size of rounding move what a program gives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.benchmark.draws import NOISE
from eznas.benchmark.rounding import Reference
from eznas.ops import OPS
from eznas.program import Program

DRAWS = range(12)
FEW = settings(max_examples=20, deadline=None)


def reference(text, **values):
    layer = {name: np.asarray(value, np.float32) for name, value in values.items()}
    return Reference(Program.parse(text), layer)


def drawn(text, size=1.0, **values):
    """What the draws give, one after the other."""
    each = reference(text, **values)
    return torch.stack([each.drawn(number, size).value for number in DRAWS]).numpy()


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("name", OPS)
def test_without_errors_it_is_float64_and_with_them_near_it(name):
    text = f"{name}({', '.join(['T3', 'T3G_D'][: OPS[name].arity])})"
    values = {"T3": np.abs(random((3, 4, 4))) + np.eye(4), "T3G_D": np.abs(random((3, 4, 4), 1))}
    given = [torch.tensor(values[each].astype(np.float32), dtype=torch.float64) for each in values]
    right = OPS[name].eager(*given[: OPS[name].arity])
    found = reference(text, **values)
    assert torch.equal(found.exact(), right)
    for number in DRAWS:
        torch.testing.assert_close(found.drawn(number, 1.0).value, right, rtol=1e-4, atol=1e-4)


def test_a_draw_is_decided_by_its_number():
    text = "det(mul(eig_ratio(T3), T3))"
    once, again = (drawn(text, T3=random((4, 5, 5))) for _ in range(2))
    assert np.array_equal(once, again)
    assert len(np.unique(once[:, 0])) > 6


def test_what_does_not_round_is_not_moved():
    for text in (
        "greater(abs(T3), relu(T3))",
        "sign(T3)",
        "numel(T3)",
        "hamming_distance(T3, heaviside(T3))",
    ):
        each = reference(text, T3=random((3, 4)))
        assert all(torch.equal(each.drawn(number, 10.0).value, each.exact()) for number in DRAWS)


@FEW
@given(st.integers(0, 1000), st.integers(2, 8), st.floats(0.0, 8.0))
def test_an_eigenvalue_is_moved_by_the_norm_of_the_error_and_both_ways(seed, order, digits):
    rows = np.linalg.qr(random((order, order), seed))[0] * np.geomspace(1.0, 10.0 ** (-digits / 2.0), order)
    values = drawn("eig_ratio(T3)", 10.0, T3=rows)
    right = reference("eig_ratio(T3)", T3=rows).exact().item()
    # The largest is moved as well, the matrix is rounded to float32 first, and the ratio in the end.
    radius = 10.0 * NOISE * (1.0 + 5.0 * abs(right)) + order * 2.0**-24
    assert np.all(np.abs(values - right) <= radius)
    assert values.min() < right - 0.5 * 10.0 * NOISE * (1.0 - right)
    assert values.max() > right + 0.5 * 10.0 * NOISE * (1.0 - right)


@FEW
@given(st.integers(0, 1000), st.integers(2, 8))
def test_a_determinant_is_moved_no_further_than_its_backward_error_allows(seed, order):
    matrix = random((order, order), seed)
    exact = np.linalg.det(matrix.astype(np.float64))
    # By the cofactors, with an error of 6 deviations of abs(L) abs(U), which is at most the largest element
    # times order * 2 ** (order - 1).
    error = 6.0 * NOISE * order * 2.0 ** (order - 1) * np.abs(matrix).max()
    cofactors = np.abs(np.linalg.inv(matrix.astype(np.float64)) * exact).sum()
    values = drawn("det(T3)", T3=matrix)
    assert np.all(np.abs(values - exact) <= error * cofactors * (1.0 + 1e-2) + 8.0 * NOISE * abs(exact))
    assert values.min() < exact < values.max()


def test_rows_of_zeros_stay_and_equal_rows_do_not():
    zeros, equal = random((5, 5)), random((5, 5))
    zeros[3] = 0.0
    equal[3] = equal[1]
    for each in (zeros, zeros.T):
        assert not drawn("det(T3)", 10.0, T3=each).any()
    for each in (equal, equal.T):
        values = drawn("det(T3)", 10.0, T3=each)
        assert values.min() < 0.0 < values.max()
        assert (values == 0.0).any()
        assert np.abs(values).max() < 1e-3


def test_equal_subtrees_have_equal_errors():
    matrices = random((4, 5, 5))
    assert not drawn("sub(det(T3), det(T3))", 10.0, T3=matrices).any()


def test_the_range_of_float32_is_kept():
    large = np.full((2, 2), 1e25, np.float32) * np.eye(2)
    assert np.isinf(drawn("det(T3)", T3=large)).all()
    assert not drawn("det(T3)", T3=np.float32(1e-30) * np.eye(2)).any()
    assert np.isnan(drawn("eig_ratio(T3)", T3=large)).all()
    assert np.isnan(drawn("sym_eig_ratio(T3)", T3=np.float32(1e-30) * np.eye(2))).all()


def test_matrices_that_are_not_finite_have_neither_determinants_nor_eigenvalues():
    for number in (np.nan, np.inf):
        value = np.eye(3)
        value[1, 2] = number
        for name in ("det", "eig_ratio", "sym_eig_ratio"):
            assert np.isnan(drawn(f"{name}(T3)", T3=value)).all()
        assert not drawn("logdet(T3)", T3=value).any()


def test_most_determinants_are_kept_from_another_draw():
    each = reference("det(T3)", T3=random((400, 3, 3)))
    first = each.drawn(5, 1.0)
    ((step, kept),) = first.determinants.items()
    mixed = each.drawn(7, 1.0, first.determinants).determinants[step]
    assert 0.8 < float((mixed == kept).double().mean()) < 0.97
    assert float((each.drawn(7, 1.0).determinants[step] == kept).double().mean()) < 0.5
