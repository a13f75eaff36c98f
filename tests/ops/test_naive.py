"""The oracle's evaluation of whole programs."""

from __future__ import annotations

import naive
import numpy as np
import pytest


def test_a_program_is_evaluated_from_its_prefix_tokens() -> None:
    x, y = np.array([1.0, -2.0]), np.array([10.0, 20.0])
    assert naive.evaluate(["sub", "abs", "x", "mul", "y", "x"], {"x": x, "y": y}).tolist() == [-9.0, 42.0]


def test_a_lone_terminal_is_a_program() -> None:
    assert naive.evaluate(["x"], {"x": [1.0]}).tolist() == [1.0]


def test_the_order_of_arguments_is_kept() -> None:
    assert naive.evaluate(["greater", "x", "y"], {"x": 2.0, "y": 1.0}) == 1.0


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["add", "x"], "add wants 2 arguments, 1 follow"),
        (["x", "x"], "the tokens hold 2 programs, not one"),
        ([], "the tokens hold 0 programs, not one"),
    ],
)
def test_tokens_that_are_no_program_are_refused(tokens: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        naive.evaluate(tokens, {"x": 1.0})


def test_an_unknown_token_is_refused() -> None:
    with pytest.raises(KeyError, match="tangent"):
        naive.evaluate(["tangent", "x"], {"x": 1.0})


@pytest.mark.parametrize(("op", "shapes"), [("matmul", [(2, 3), (2, 3)]), ("det", [(2, 3)])])
def test_the_oracle_refuses_shapes_by_itself(op: str, shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="shape"):
        naive.NAIVE[op](*(np.ones(shape) for shape in shapes))
