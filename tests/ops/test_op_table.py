"""The table is whole: every operation has every facet, or stands on the list of absences."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping

import naive
import pytest
import torch
from matplotlib.mathtext import MathTextParser

from eznas.ops import OP_SET_HASH, OPS, Op, OpKind

EVERY_OP = pytest.mark.parametrize("op", OPS.values(), ids=OPS)
BINARY = [op for op in OPS.values() if op.arity == 2]

NAMES = """
    add sub mul matmul less greater equal log abs_log abs square exp normalize relu sign heaviside reciprocal
    frobenius_norm det logdet sym_eig_ratio eig_ratio mean l1_norm hamming_distance kl_divergence
    cosine_similarity softmax sigmoid ones_like zeros_like greater_than_zero less_than_zero numel
"""


def _has_oracle(op: Op) -> bool:
    return naive.ARITY.get(op.name) == op.arity


def _has_eager(op: Op) -> bool:
    return inspect.isfunction(op.eager) and bool(op.eager.__doc__)


def _has_shape_rule(op: Op) -> bool:
    return op.shape(*[(2, 2)] * op.arity) == tuple(op.eager(*[torch.ones(2, 2)] * op.arity).shape)


def _has_kind(op: Op) -> bool:
    return isinstance(op.kind, OpKind)


def _has_latex(op: Op) -> bool:
    arguments = [f"x_{place}" for place in range(op.arity)]
    text = op.latex.format(*arguments)
    MathTextParser("path").parse(f"${text}$")
    return all(argument in text for argument in arguments)


def _has_meaning(op: Op) -> bool:
    return op.meaning.endswith(".") and op.meaning.count(". ") == 0 and len(op.meaning) < 100


FACETS: Mapping[str, Callable[[Op], bool]] = {
    "eager": _has_eager,
    "shape rule": _has_shape_rule,
    "oracle": _has_oracle,
    "kind": _has_kind,
    "latex": _has_latex,
    "meaning": _has_meaning,
}

ABSENCES: Mapping[str, frozenset[str]] = {}
"""The operations that lack a facet, on purpose, by facet."""


@pytest.mark.parametrize("facet", FACETS)
def test_exactly_the_listed_operations_lack_a_facet(facet: str) -> None:
    lacking = {name for name, op in OPS.items() if not FACETS[facet](op)}
    assert lacking == ABSENCES.get(facet, frozenset())


def test_the_table_holds_the_34_operations_in_the_order_of_the_paper() -> None:
    assert list(OPS) == NAMES.split()
    assert [op.number for op in OPS.values()] == list(range(34))
    assert all(name == op.name for name, op in OPS.items())


def test_the_oracle_knows_no_other_operations() -> None:
    assert set(naive.NAIVE) == set(OPS)


def test_the_table_and_its_entries_are_read_only() -> None:
    with pytest.raises(TypeError):
        OPS["nothing"] = OPS["add"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        OPS["add"].number = 1  # type: ignore[misc]


def test_the_hash_names_this_set_of_operations() -> None:
    assert OP_SET_HASH == "a17befd7db34f973"


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
def test_exactly_the_commutative_operations_commute_to_the_bit(op: Op) -> None:
    generator = torch.Generator().manual_seed(op.number)
    pairs = [
        (torch.randn(3, 4, 4, generator=generator), torch.randn(3, 4, 4, generator=generator).abs()),
        (torch.randn(3, 4, 4, generator=generator), torch.randn(1, 4, 4, generator=generator).abs()),
        (torch.randn(4, generator=generator), torch.randn(4, 4, generator=generator).round()),
        (torch.tensor([0.0, -0.0, torch.inf, torch.nan]), torch.tensor([-0.0, 0.0, -torch.inf, 1.0])),
    ]
    same = [_bits(op, a, b) == _bits(op, b, a) for a, b in pairs]
    assert all(same) if op.commutative else not all(same)


def _bits(op: Op, a: torch.Tensor, b: torch.Tensor) -> list[float]:
    return [float(x) if x == x else "NaN" for x in op.eager(a, b).flatten()]


def test_only_binary_operations_are_marked_commutative() -> None:
    assert {op.name for op in OPS.values() if op.commutative} <= {op.name for op in BINARY}


@EVERY_OP
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_every_result_has_the_dtype_of_the_arguments(op: Op, dtype: torch.dtype) -> None:
    assert op.eager(*[torch.ones(2, 3, 3, dtype=dtype)] * op.arity).dtype == dtype
