"""Where rounding decides a matrix routine, all that it may give is right; everything else stays wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.backends import ToScalar, get_backend
from eznas.benchmark.agreement import Verdict, compare, judge
from eznas.compile import build_graph
from eznas.program import Program
from eznas.statistics import NetworkStatistics

EIGENVALUE_RATIOS = ["eig_ratio", "sym_eig_ratio"]
SEEDS = st.integers(0, 1000)
FEW = settings(max_examples=15, deadline=None)


def rotation(generator, order):
    return np.linalg.qr(generator.normal(size=(order, order)))[0]


def matrix(seed, singular_values):
    """A matrix of given singular values, in float32."""
    generator = np.random.default_rng(seed)
    order = len(singular_values)
    product = rotation(generator, order) @ np.diag(singular_values) @ rotation(generator, order)
    return product.astype(np.float32)


def verdict(text, value, got, eager=None):
    """On a value of T3, against eager torch or what it is said to give."""
    program, layer = Program.parse(text), {"T3": np.asarray(value, np.float32)}
    return judge(program, layer, float(eager_scalar(program, layer) if eager is None else eager), got)[0]


def eager_scalar(program, layer):
    network = NetworkStatistics.from_layers([layer])
    return get_backend("eager").layer_scalars(build_graph([program]), network, ToScalar.MEAN).item()


def exact(text, value):
    """The scalar in float64."""
    layer = {"T3": np.asarray(value, np.float32)}
    return judge(Program.parse(text), layer, 0.0, 0.0)[1]


@FEW
@given(SEEDS, st.integers(2, 12), st.floats(1.0, 50.0), st.sampled_from(["det", "logdet"]))
def test_determinants_of_well_conditioned_matrices_must_be_right(seed, order, condition, name):
    matrices = np.stack([matrix(seed + i, 3.0 * np.geomspace(1.0, 1.0 / condition, order)) for i in range(3)])
    matrices[np.linalg.det(matrices) < 0.0, 0] *= -1.0
    text = f"{name}(T3)"
    right = exact(text, matrices)
    # The mean of logarithms may be near zero: the tolerance is relative to what it is a mean of.
    size = np.abs(np.log(np.linalg.det(matrices.astype(np.float64)))).mean() if name == "logdet" else right
    assert verdict(text, matrices, right + 5e-5 * size) is Verdict.AGREES
    for wrong in (right + 1e-3 * size, right - 1e-3 * size, -2.0 * right - size, np.nan, np.inf):
        assert verdict(text, matrices, wrong) is Verdict.WRONG


@FEW
@given(SEEDS, st.integers(2, 12), st.floats(1.5, 10.0), st.sampled_from(EIGENVALUE_RATIOS))
def test_eigenvalue_ratios_of_well_conditioned_matrices_must_be_right(seed, order, condition, name):
    value = matrix(seed, np.geomspace(1.0, 1.0 / condition, order))
    text = f"{name}(T3)"
    right = exact(text, value)
    assert verdict(text, value, right * (1.0 + 5e-5)) is Verdict.AGREES
    for wrong in (right * 1.001, right * 0.999, -right, 1.0 / right, 0.0, np.nan, np.inf):
        assert verdict(text, value, wrong) is Verdict.WRONG


@pytest.mark.parametrize("name", EIGENVALUE_RATIOS)
@pytest.mark.parametrize("smallest", [1e-2, 1e-3, 1e-4])
def test_the_sign_of_an_eigenvalue_away_from_zero_is_no_matter_of_rounding(name, smallest):
    # Of A Aᵀ, relative to the largest: 40 times what float32 resolves, at the least.
    value = matrix(0, np.sqrt(np.geomspace(1.0, smallest, 6)))
    right = exact(f"{name}(T3)", value)
    assert verdict(f"{name}(T3)", value, -right) is Verdict.WRONG
    for text, wrong in ((f"heaviside({name}(T3))", 0.0), (f"sign({name}(T3))", -1.0)):
        assert verdict(text, value, wrong) is Verdict.WRONG


def singular_values(kind):
    """Matrices without full rank, as they occur: steps, equal rows, rank 1, gradients of weights."""
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(6, 9))
    return {
        "steps": np.tri(8, 8)[[0, 1, 2, 3, 4, 4, 6, 6]],
        "equal rows": rows[[0, 1, 2, 2, 4, 1]],
        "rank 1": np.outer(rows[:, 0], rows[0]),
        "rank lost": matrix(1, [1.0, 0.5, 0.25, 1e-9, 1e-9, 1e-9]),
    }[kind]


SINGULAR = ["steps", "equal rows", "rank 1", "rank lost"]


@pytest.mark.parametrize("kind", SINGULAR)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_either_sign_of_what_may_be_zero_is_right_and_nothing_else(kind, scale):
    value = scale * singular_values(kind)
    for eager in (1e7, -1e7, exact("sym_eig_ratio(T3)", value)):
        for right in (1e8, -1e8, 1e17, -1e17, np.inf):
            assert verdict("sym_eig_ratio(T3)", value, right, eager) is not Verdict.WRONG, right
        for wrong in (1.0, -1.0, 0.0, 1e4, -1e4):
            assert verdict("sym_eig_ratio(T3)", value, wrong, eager) is Verdict.WRONG, wrong
    for right in (1e-8, -1e-8, 0.0, 1e-20):
        assert verdict("eig_ratio(T3)", value, right, -3e-8) is not Verdict.WRONG, right
    for wrong in (1.0, -1.0, 1e-4, -1e-4, 1e8, np.nan):
        assert verdict("eig_ratio(T3)", value, wrong, -3e-8) is Verdict.WRONG, wrong


@pytest.mark.parametrize("kind", SINGULAR)
def test_what_follows_an_eigenvalue_that_may_be_zero_does_not_hide_it(kind):
    value = singular_values(kind)
    for name in EIGENVALUE_RATIOS:
        for eager, other in ((0.0, 1.0), (1.0, 0.0)):
            assert verdict(f"heaviside({name}(T3))", value, other, eager) is Verdict.ILL_CONDITIONED
            assert verdict(f"heaviside({name}(T3))", value, 2.0, eager) is Verdict.WRONG
    # One ratio is greater than all of the numbers or than none of them.
    text = "greater(sym_eig_ratio(T3), T3)"
    for eager, other in ((0.0, 1.0), (1.0, 0.0)):
        assert verdict(text, value, other, eager) is Verdict.ILL_CONDITIONED
        assert verdict(text, value, 1.5, eager) is Verdict.WRONG


def test_a_single_row_has_one_eigenvalue_and_no_doubt():
    value = singular_values("rank 1")[:1]
    for name in EIGENVALUE_RATIOS:
        assert verdict(f"{name}(T3)", value, 1.001, 1.0) is Verdict.WRONG
        assert verdict(f"equal({name}(T3), ones_like({name}(T3)))", value, 0.0, 1.0) is Verdict.WRONG


def test_rounding_decides_on_determinants_of_rows_in_proportion():
    value = matrix(0, np.ones(6))
    value[4] = value[1] / 3
    for eager, other in ((1.0, -1.0), (1.0, 0.0), (-1.0, 1.0), (0.0, 1.0)):
        assert verdict("sign(det(T3))", value, other, eager) is Verdict.ILL_CONDITIONED
    assert verdict("det(T3)", value, 1e-8, -1e-8) is Verdict.ILL_CONDITIONED
    # All others are 1 and the rows shorter than that.
    for wrong in (1e-3, -1e-3, 1.0, np.nan):
        assert verdict("det(T3)", value, wrong, 1e-8) is Verdict.WRONG
    assert verdict("logdet(T3)", value, -20.0, 0.0) is Verdict.ILL_CONDITIONED
    assert verdict("logdet(T3)", value, 1.0, 0.0) is Verdict.WRONG


def test_rows_of_zeros_and_triangles_leave_nothing_to_rounding():
    zeros = matrix(0, np.ones(6))
    zeros[3] = 0.0
    for value in (zeros, zeros.T):
        assert verdict("det(T3)", value, 1e-9) is Verdict.WRONG
        assert verdict("sign(det(T3))", value, 1.0) is Verdict.WRONG
    # The determinant of a triangle is the product of its diagonal, however small some of it is.
    triangle = np.tri(6) * np.geomspace(1.0, 1e-6, 6)[:, None]
    assert verdict("sign(det(T3))", triangle, -1.0) is Verdict.WRONG
    assert verdict("sign(det(T3))", triangle, 0.0) is Verdict.WRONG


def test_an_identity_is_not_singular():
    # Its determinant's logarithm is zero, as is what stands for that of a negative one.
    assert verdict("logdet(T3)", np.eye(5), -np.inf) is Verdict.WRONG
    assert verdict("logdet(T3)", np.eye(5), 1e-2) is Verdict.WRONG


def test_of_many_matrices_those_that_are_singular_may_take_any_sign():
    singular = [matrix(seed, np.ones(5)) for seed in range(20)]
    for each in singular:
        each[4] = each[1] / 3
    regular = [np.abs(each[0, 0]) * np.eye(5) for each in singular[:12]]
    value = np.stack(singular + regular)
    for negative in (0, 3, 10, 17, 20):
        got = negative / 32
        assert verdict("less_than_zero(det(T3))", value, got, 0.25) is not Verdict.WRONG, negative
    for negative in (21, 26, 32):
        assert verdict("less_than_zero(det(T3))", value, negative / 32, 0.25) is Verdict.WRONG


def test_signs_of_products_are_reached_though_no_common_direction_gives_them():
    # What is negative is so by the sign of the one determinant and the rounding of the other.
    generator = np.random.default_rng(0)
    values = generator.normal(size=(16, 6, 6))
    values[:, 4] = values[:, 1] / 3
    layer = {"T3": values.astype(np.float32), "T3G_D": generator.normal(size=(16, 6, 6)).astype(np.float32)}
    program = Program.parse("less_than_zero(mul(det(T3), det(T3G_D)))")
    for got in (3, 5, 11, 13):
        assert judge(program, layer, 0.5, got / 16)[0] is not Verdict.WRONG, got
    assert judge(program, layer, 0.5, 17 / 16)[0] is Verdict.WRONG


def test_equal_subtrees_are_moved_together():
    value = singular_values("equal rows")[:, :6]
    assert verdict("equal(det(T3), det(T3))", value, 0.0) is Verdict.WRONG
    assert verdict("equal(eig_ratio(T3), eig_ratio(T3))", value, 0.0) is Verdict.WRONG


def test_a_sum_that_cancels_may_have_either_sign_and_be_zero():
    value = np.array([[1.0, 2.0**-30, -1.0, 0.0]])
    for other in (0.0, -1.0, 1.0):
        assert verdict("sign(mean(T3))", value, other) is not Verdict.WRONG
    assert verdict("sign(mean(T3))", value + 1e-3, -1.0) is Verdict.WRONG


@FEW
@given(SEEDS, st.integers(4, 10), st.integers(1, 4), st.sampled_from(["det", "sign(det", "heaviside(logdet"]))
def test_no_order_of_elimination_is_called_wrong(seed, order, lost, name):
    generator = np.random.default_rng(seed)
    value = generator.choice([-1.0, 0.0, 1.0, 3.0, 7.0], size=(4, order, order)).astype(np.float32)
    value[: lost + 1, order - 1] = value[: lost + 1, 0] / 3
    program = Program.parse(f"{name}(T3){')' * name.count('(')}")
    even = np.roll(np.arange(order), 1 if order % 2 else 2)
    layers = [
        {"T3": each} for each in (value, value.mT, value[:, even], value[:, :, even], value[:, even].mT)
    ]
    graph, networks = build_graph([program]), [NetworkStatistics.from_layers([layer]) for layer in layers]
    scalars = [
        get_backend(backend).layer_scalars(graph, network, ToScalar.MEAN)
        for network in networks
        for backend in ("eager", "tile")
    ]
    for got in scalars[1:]:
        assert not compare([program], networks[:1], scalars[:1], [got]).wrong
