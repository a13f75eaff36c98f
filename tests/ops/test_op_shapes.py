"""Shape rules: they refuse exactly what torch refuses, and know the result's shape."""

from __future__ import annotations

import pytest
import strategies
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.errors import ShapeError
from eznas.ops import OPS, Op

EVERY_OP = pytest.mark.parametrize("op", OPS.values(), ids=OPS)


def _of_torch(op: Op, shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...] | None:
    """The shape of the eager result, or None where torch refuses the shapes."""
    try:
        return tuple(op.eager(*(torch.ones(shape) for shape in shapes)).shape)
    except (RuntimeError, IndexError):
        return None


def _of_rule(op: Op, shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...] | None:
    try:
        return op.shape(*shapes)
    except ShapeError as error:
        refusal = str(error)
    assert refusal.startswith(f"{op.name}: shape")
    assert all(str(shape) in refusal for shape in shapes)
    return None


@EVERY_OP
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_the_rule_agrees_with_torch_on_any_shapes(op: Op, data: st.DataObject) -> None:
    shapes = data.draw(strategies.any_shapes(op.arity, zero_size=True))
    assert _of_rule(op, shapes) == _of_torch(op, shapes), shapes


@EVERY_OP
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_the_rule_agrees_with_torch_on_shapes_that_fit(op: Op, data: st.DataObject) -> None:
    shapes = data.draw(strategies.accepted_shapes(op.name, op.arity))
    expected = _of_torch(op, shapes)
    assert expected is not None, shapes
    assert op.shape(*shapes) == expected, shapes


@pytest.mark.parametrize(
    ("text", "op", "shapes"),
    [
        (
            "matmul: shapes (3, 8, 14, 14) and (8, 3, 3, 3) do not multiply: the last dimension of the first "
            "is 14, the second to last of the second is 3",
            "matmul",
            [(3, 8, 14, 14), (8, 3, 3, 3)],
        ),
        (
            "matmul: shapes (2, 3) and (4,) do not multiply: the last dimension of the first is 3, "
            "the last of the second is 4",
            "matmul",
            [(2, 3), (4,)],
        ),
        (
            "matmul: shapes (2, 5, 5) and (3, 5, 5) do not multiply: their leading dimensions (2,) and (3,) "
            "do not broadcast: 2 against 3, in dimension -1",
            "matmul",
            [(2, 5, 5), (3, 5, 5)],
        ),
        (
            "matmul: shapes () and (3,) do not multiply: each needs at least one dimension",
            "matmul",
            [(), (3,)],
        ),
        (
            "add: shapes (2, 3) and (4, 3) do not broadcast: 2 against 4, in dimension -2",
            "add",
            [(2, 3), (4, 3)],
        ),
        (
            "cosine_similarity: shapes (2, 3) and () do not pair: the second has no rows: at least one "
            "dimension is needed, the first not of size 0",
            "cosine_similarity",
            [(2, 3), ()],
        ),
        ("det: shape (3,) holds no matrix: at least two dimensions are needed", "det", [(3,)]),
        (
            "logdet: shape (8, 3, 5) holds no square matrices: the last two dimensions are 3 and 5",
            "logdet",
            [(8, 3, 5)],
        ),
        (
            "eig_ratio: shape () has no rows: at least one dimension is needed, the first not of size 0",
            "eig_ratio",
            [()],
        ),
        (
            "cosine_similarity: shapes (2, 3, 4) and (2, 5) do not pair: as rows, (2, 12) and (2, 5), "
            "they do not broadcast: 12 against 5, in dimension -1",
            "cosine_similarity",
            [(2, 3, 4), (2, 5)],
        ),
    ],
)
def test_a_refusal_names_the_op_the_shapes_and_the_place(
    text: str, op: str, shapes: list[tuple[int, ...]]
) -> None:
    with pytest.raises(ShapeError) as caught:
        OPS[op].shape(*shapes)
    assert str(caught.value) == text
