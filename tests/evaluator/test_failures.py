"""Failures: which programs fail where, and the operation to blame."""

from __future__ import annotations

import math

import numpy as np
from evaluator_examples import FIVE_NETWORKS, layer, network, programs
from numpy.typing import NDArray

from eznas.backends import ToScalar
from eznas.evaluator import Evaluator, Failure, FailureKind, Scores
from eznas.evaluator.diagnosis import value_failure
from eznas.program import NAMED_PROGRAMS, Program

Layer = dict[str, NDArray[np.float32]]


def _score(text: str, *layers: Layer, to_scalar: str = "mean") -> Scores:
    return Evaluator([network(*layers)], to_scalar=to_scalar).score(programs(text))


def _failure(text: str, *layers: Layer, to_scalar: str = "mean") -> Failure:
    scores = _score(text, *layers, to_scalar=to_scalar)
    assert np.isnan(scores.values).all()
    (failure,) = scores.failures
    assert failure.program == Program.parse(text)
    return failure


def test_there_is_one_failure_for_each_nan_in_the_order_of_programs_then_networks() -> None:
    chosen = programs("mean(T3)", "det(T3)", "mean(add(T3, T1_D))", "exp(exp(exp(T4G_P)))")
    scores = Evaluator(FIVE_NETWORKS, threads=2).score(chosen, [4, 1, 3])
    expected = [(chosen[row], [4, 1, 3][column]) for row, column in np.argwhere(np.isnan(scores.values))]
    assert [(failure.program, failure.network) for failure in scores.failures] == expected
    assert len(expected) == 6


def test_a_shape_that_does_not_fit_is_found_before_anything_runs() -> None:
    tall, wide = [[1.0], [2.0], [3.0]], [[1.0, 2.0]]
    failure = _failure(
        "mean(matmul(T3, T1_D))", layer(T3=wide, T1_D=[[math.nan]] * 2), layer(T3=tall, T1_D=tall)
    )
    assert (failure.kind, failure.layer, failure.network) == (FailureKind.SHAPE, 1, 0)
    assert (failure.op, failure.shapes) == ("matmul", ((3, 1), (3, 1)))
    assert str(failure) == (
        "mean(matmul(T3, T1_D)) on network 0, layer 1: matmul: shapes (3, 1) and (3, 1) do not multiply: "
        "the last dimension of the first is 1, the second to last of the second is 3"
    )


def test_the_first_layer_that_fails_is_reported() -> None:
    good, bad = layer(T3=[1.0]), layer(T3=[0.0])
    assert _failure("reciprocal(T3)", good, bad, good, bad).layer == 1


def test_the_first_layer_that_refuses_the_shapes_is_reported() -> None:
    good, bad, worse = layer(T3=np.ones((2, 2))), layer(T3=np.ones((2, 3))), layer(T3=np.ones((2, 5)))
    failure = _failure("det(T3)", good, bad, worse, bad, good)
    assert (failure.layer, failure.shapes) == (1, ((2, 3),))


def test_one_bad_layer_leaves_other_networks_their_scores() -> None:
    networks = [network(layer(T3=[2.0])), network(layer(T3=[2.0]), layer(T3=[0.0]))]
    scores = Evaluator(networks).score(programs("reciprocal(T3)"))
    np.testing.assert_array_equal(scores.values, [[0.5, np.nan]])
    assert [failure.network for failure in scores.failures] == [1]


def test_the_reciprocal_of_zero_is_to_blame() -> None:
    failure = _failure("mean(abs(reciprocal(T3)))", layer(T3=[[1.0, 0.0, -0.0]]))
    assert (failure.kind, failure.op, failure.shapes) == (FailureKind.INFINITE, "reciprocal", ((1, 3),))
    assert failure.message == (
        "reciprocal of (1, 3) gives 2 infinite of 3 values, which makes the score infinite"
    )


def test_an_overflow_deep_inside_is_to_blame() -> None:
    failure = _failure("mean(add(T1_D, square(exp(abs(T3)))))", layer(T3=[-100.0, 1.0], T1_D=[1.0, 2.0]))
    assert (failure.kind, failure.op) == (FailureKind.INFINITE, "exp")
    assert failure.message.startswith("exp of (2,) gives 1 infinite of 2 values")


def test_infinities_that_cancel_to_nan_blame_what_made_them() -> None:
    failure = _failure("sub(exp(T3), exp(T3))", layer(T3=[100.0]))
    assert (failure.kind, failure.op) == (FailureKind.NOT_A_NUMBER, "exp")


def test_nan_is_followed_rather_than_infinity() -> None:
    failure = _failure("mean(sub(exp(T3), T1_D))", layer(T3=[100.0, 1.0], T1_D=[math.nan, 2.0]))
    assert (failure.kind, failure.op, failure.shapes) == (FailureKind.NOT_A_NUMBER, "T1_D", ())
    assert failure.message == "T1_D holds 1 NaN of 2 values, which makes the score nan"


def test_operations_of_two_arguments_show_both_shapes() -> None:
    failure = _failure("mean(mul(T1_D, T3))", layer(T3=[[3e38], [1.0]], T1_D=[2.0, -3e38, 1.0]))
    assert (failure.op, failure.shapes) == ("mul", ((3,), (2, 1)))
    assert failure.message.startswith("mul of (3,) and (2, 1) gives 2 infinite of 6 values")


def test_a_statistic_that_is_not_finite_is_to_blame_itself() -> None:
    failure = _failure("mean(T3)", layer(T3=[math.inf, math.nan, -math.inf, 0.0]))
    assert failure.message == "T3 holds 1 NaN and 2 infinite of 4 values, which makes the score nan"


def test_the_norm_of_finite_values_may_overflow() -> None:
    failure = _failure("abs(T3)", layer(T3=[3e38, 3e38]), to_scalar="l2")
    assert (failure.kind, failure.op, failure.shapes) == (FailureKind.INFINITE, "l2", ((2,),))
    assert failure.message == "the l2 of finite values of shape (2,) is infinite"


def test_the_operation_that_is_the_norm_is_blamed_as_an_operation() -> None:
    failure = _failure("frobenius_norm(T3)", layer(T3=[3e38, 3e38]))
    assert (failure.op, failure.shapes) == ("frobenius_norm", ((2,),))
    assert failure.message.startswith("frobenius_norm of (2,) gives 1 infinite of 1 values")


def test_the_mean_of_the_largest_values_is_no_failure() -> None:
    scores = _score("T3", layer(T3=[3e38, 3e38]))
    assert (scores.values.tolist(), scores.failures) == ([[float(np.float32(3e38))]], ())


def test_an_infinity_that_vanishes_again_is_no_failure() -> None:
    singular = layer(T1G_D=np.ones((1, 2, 3, 3)))
    scores = Evaluator([network(singular)]).score([NAMED_PROGRAMS["eznas-a"]])
    assert scores.failures == ()
    assert scores.values.tolist() == [[0.0]]
    assert _failure("mean(logdet(T1G_D))", singular).op == "logdet"


def test_nan_that_vanishes_again_is_no_failure() -> None:
    scores = _score("mean(sign(T3))", layer(T3=[math.nan, 1.0]))
    assert (scores.values.tolist(), scores.failures) == ([[0.5]], ())


def test_a_backend_that_rounds_otherwise_than_eager_is_told_apart() -> None:
    statistics = network(layer(T3=[1.0, 2.0]))
    (program,) = programs("mean(T3)")
    failure = value_failure(program, statistics, 3, 0, math.nan, ToScalar.MEAN)
    assert (failure.kind, failure.op, failure.network) == (FailureKind.NOT_A_NUMBER, "mean", 3)
    assert failure.message == "the backend gives nan, the eager definition 1.5"


def test_failures_do_not_depend_on_the_company_of_a_program() -> None:
    text = "mean(add(matmul(T3, T1_D), T3))"
    company = programs("T1_D", "mean(abs(T1_D))", "matmul(T3, T1_D)", "add(T3, matmul(T3, T1_D))", text)
    in_company = Evaluator(FIVE_NETWORKS).score(company, [0]).failures[-1]
    assert in_company == Evaluator(FIVE_NETWORKS).score(programs(text), [0]).failures[0]
