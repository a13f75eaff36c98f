"""Every eager definition against the oracle, in both precisions, NaN and infinities included."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import strategies
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from op_agreement import assert_agrees, assert_same_zeros

from eznas.ops import OPS, Op, OpKind

EVERY_OP = pytest.mark.parametrize("op", OPS.values(), ids=OPS)
EVERY_MAP = pytest.mark.parametrize(
    "op", [op for op in OPS.values() if op.kind is OpKind.MAP], ids=lambda op: op.name
)
MODERATE = {"smallest": 2.0**-10, "largest": 2.0**6, "specials": strategies.NOT_FINITE_AND_ZEROS}
"""Numbers whose sums and products neither overflow nor vanish in float32."""


@EVERY_OP
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_in_float64_every_definition_agrees_with_the_oracle(op: Op, data: st.DataObject) -> None:
    bounds = MODERATE if op.kind is OpKind.LIBRARY else {}
    assert_agrees(op.name, op.eager, data.draw(strategies.arguments(op.name, op.arity, np.float64, **bounds)))


@EVERY_OP
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_in_float32_every_definition_agrees_with_the_oracle(op: Op, data: st.DataObject) -> None:
    bounds = {} if op.kind is OpKind.MAP else MODERATE
    assert_agrees(op.name, op.eager, data.draw(strategies.arguments(op.name, op.arity, np.float32, **bounds)))


@EVERY_MAP
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_elementwise_definitions_give_zeros_of_the_same_sign_as_the_oracle(
    op: Op, data: st.DataObject
) -> None:
    assert_same_zeros(op.name, op.eager, data.draw(strategies.arguments(op.name, op.arity, np.float32)))


@EVERY_OP
def test_definitions_take_tensors_that_are_not_contiguous(op: Op) -> None:
    generator = torch.Generator().manual_seed(op.number)
    views = [torch.randn(2, 3, 5, 5, generator=generator).transpose(-1, -2) for _ in range(op.arity)]
    copies = [view.contiguous() for view in views]
    torch.testing.assert_close(op.eager(*views), op.eager(*copies), equal_nan=True)


def _hides_nan(a: torch.Tensor) -> torch.Tensor:
    return torch.log(torch.where(a > 0, a, 1.0))


def _biased(a: torch.Tensor) -> torch.Tensor:
    return torch.nan_to_num((a - a.mean()) / torch.std(a, correction=0), nan=0.0)


def _over_the_last_dimension(a: torch.Tensor) -> torch.Tensor:
    return torch.softmax(a, dim=-1)


def _upside_down(a: torch.Tensor) -> torch.Tensor:
    return 1 / OPS["eig_ratio"].eager(a)


def _in_place(a: torch.Tensor) -> torch.Tensor:
    return a.abs_()


def _its_argument(a: torch.Tensor) -> torch.Tensor:
    return a


def _per_element(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.kl_div(a, b, reduction="sum") / a.numel()


def _slightly_off(a: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(a) * (1 + 1e-4)


def _without_dimension(a: torch.Tensor) -> torch.Tensor:
    return OPS["numel"].eager(a).reshape(())


def _in_float64(a: torch.Tensor) -> torch.Tensor:
    return torch.exp(a.double())


def _infinite_at_singular(a: torch.Tensor) -> torch.Tensor:
    return torch.nan_to_num(torch.logdet(a), nan=0.0)


def _transposed(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.matmul(a.mT, b)


PLAIN = np.linspace(-1.5, 2.0, 18, dtype=np.float32).reshape(2, 3, 3)
FLAT = PLAIN.reshape(6, 3)
WITH_NAN = np.array([1.0, np.nan, -1.0], np.float32)
WRONG = {
    "log that hides NaN": ("log", _hides_nan, (WITH_NAN,)),
    "biased deviation": ("normalize", _biased, (PLAIN,)),
    "softmax over another dimension": ("softmax", _over_the_last_dimension, (PLAIN,)),
    "eigenvalue ratio upside down": ("eig_ratio", _upside_down, (FLAT[:2],)),
    "argument changed": ("abs", _in_place, (PLAIN,)),
    "argument handed back": ("relu", _its_argument, (np.abs(PLAIN),)),
    "divided by the elements": ("kl_divergence", _per_element, (PLAIN, np.abs(PLAIN))),
    "wrong by 1e-4": ("sigmoid", _slightly_off, (PLAIN,)),
    "another shape": ("numel", _without_dimension, (PLAIN,)),
    "another dtype": ("exp", _in_float64, (PLAIN,)),
    "infinity made finite": ("logdet", _infinite_at_singular, (np.zeros((2, 2), np.float32),)),
    "factor transposed": ("matmul", _transposed, (PLAIN, PLAIN)),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_the_comparison_catches_a_wrong_definition_and_passes_the_right_one(
    case: tuple[str, Callable[..., torch.Tensor], tuple[np.ndarray, ...]],
) -> None:
    name, wrong, arguments = case
    assert_agrees(name, OPS[name].eager, arguments)
    with pytest.raises(AssertionError):
        assert_agrees(name, wrong, tuple(array.copy() for array in arguments))


def test_the_comparison_of_zeros_catches_a_lost_sign() -> None:
    with pytest.raises(AssertionError):
        assert_same_zeros("relu", lambda a: torch.relu(a) + 0.0, (np.array([-0.0, 1.0], np.float32),))
