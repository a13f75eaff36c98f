"""The one table of the operations: what each is, in the paper's numbering (EZNAS, Table 5).

An operation is its eager torch function plus what cannot be derived from it. Everything else (the
primitive set of evolution, kernels, generated code, documentation, parametrised tests) hangs off the name.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Final

import torch

from eznas.ops import elementwise, linear_algebra, reductions, rescaling, shapes
from eznas.terminals import Shape


class OpKind(StrEnum):
    """How an operation reads its arguments, which decides how it can be computed."""

    MAP = "map"
    """Element by element, with broadcasting."""
    FOLD = "fold"
    """Whole tensors into one number."""
    SCALE = "scale"
    """Element by element, but only after a whole tensor has been seen."""
    LIBRARY = "library"
    """Matrix routines."""


@dataclass(frozen=True, slots=True)
class Op:
    """One operation that programs are made of.

    Attributes:
        number: The paper's number, 0 to 33.
        name: The name in program texts.
        kind: How it reads its arguments.
        eager: The definition: a torch function of floating-point tensors of one dtype, which gives a new
            tensor of that dtype and never changes its arguments.
        shape: The shape rule: the shapes of the arguments to the shape of the result; raises ShapeError
            exactly where the eager function refuses the shapes.
        commutative: Whether swapping the two arguments changes nothing.
        latex: A format string that takes the LaTeX of the arguments.
        meaning: One sentence.
        arity: The number of arguments.
    """

    number: int
    name: str
    kind: OpKind
    eager: Callable[..., torch.Tensor]
    shape: Callable[..., Shape]
    commutative: bool
    latex: str
    meaning: str
    arity: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arity", len(inspect.signature(self.eager).parameters))


def _op(
    number: int,
    name: str,
    kind: OpKind,
    eager: Callable[..., torch.Tensor],
    rule: Callable[..., Shape],
    latex: str,
    meaning: str,
    *,
    commutative: bool = False,
) -> Op:
    return Op(number, name, kind, eager, partial(rule, name), commutative, latex, meaning)


_ALL: Final[tuple[Op, ...]] = (
    _op(
        0, "add", OpKind.MAP, elementwise.add, shapes.broadcast,
        r"\left({0} + {1}\right)",
        "The sum of two tensors.",
        commutative=True,
    ),
    _op(
        1, "sub", OpKind.MAP, elementwise.sub, shapes.broadcast,
        r"\left({0} - {1}\right)",
        "The first tensor minus the second.",
    ),
    _op(
        2, "mul", OpKind.MAP, elementwise.mul, shapes.broadcast,
        r"\left({0} \odot {1}\right)",
        "The elementwise product of two tensors.",
        commutative=True,
    ),
    _op(
        3, "matmul", OpKind.LIBRARY, linear_algebra.matmul, shapes.matrix_product,
        r"\left({0} \, {1}\right)",
        "The matrix product of the last two dimensions.",
    ),
    _op(
        4, "less", OpKind.MAP, elementwise.less, shapes.broadcast,
        r"\left[{0} < {1}\right]",
        "1 where the first is below the second, else 0.",
    ),
    _op(
        5, "greater", OpKind.MAP, elementwise.greater, shapes.broadcast,
        r"\left[{0} > {1}\right]",
        "1 where the first is above the second, else 0.",
    ),
    _op(
        6, "equal", OpKind.MAP, elementwise.equal, shapes.broadcast,
        r"\left[{0} = {1}\right]",
        "1 where the two are equal, else 0.",
        commutative=True,
    ),
    _op(
        7, "log", OpKind.MAP, elementwise.log, shapes.same,
        r"\log_{{+}} \left({0}\right)",
        "The natural logarithm, where zero and below count as 1.",
    ),
    _op(
        8, "abs_log", OpKind.MAP, elementwise.abs_log, shapes.same,
        r"\log \left|{0}\right|",
        "The natural logarithm of the absolute value, where zero counts as 1.",
    ),
    _op(
        9, "abs", OpKind.MAP, elementwise.absolute, shapes.same,
        r"\left|{0}\right|",
        "The absolute value.",
    ),
    _op(
        10, "square", OpKind.MAP, elementwise.square, shapes.same,
        r"\left({0}\right)^{{2}}",
        "The square of each element.",
    ),
    _op(
        11, "exp", OpKind.MAP, elementwise.exp, shapes.same,
        r"\exp \left({0}\right)",
        "The exponential.",
    ),
    _op(
        12, "normalize", OpKind.SCALE, rescaling.normalize, shapes.same,
        r"\mathrm{{normalize}} \left({0}\right)",
        "The distance from the mean in unbiased standard deviations over all elements; NaN becomes 0.",
    ),
    _op(
        13, "relu", OpKind.MAP, elementwise.relu, shapes.same,
        r"\mathrm{{relu}} \left({0}\right)",
        "The value where it is above zero, else 0.",
    ),
    _op(
        14, "sign", OpKind.MAP, elementwise.sign, shapes.same,
        r"\mathrm{{sign}} \left({0}\right)",
        "1 above zero, -1 below zero, else 0.",
    ),
    _op(
        15, "heaviside", OpKind.MAP, elementwise.heaviside, shapes.same,
        r"\mathrm{{H}} \left({0}\right)",
        "The Heaviside step: 1 above zero, else 0.",
    ),
    _op(
        16, "reciprocal", OpKind.MAP, elementwise.reciprocal, shapes.same,
        r"\frac{{1}}{{{0}}}",
        "One over each element.",
    ),
    _op(
        17, "frobenius_norm", OpKind.FOLD, reductions.frobenius_norm, shapes.scalar,
        r"\left\|{0}\right\|_{{F}}",
        "The square root of the sum of squares.",
    ),
    _op(
        18, "det", OpKind.LIBRARY, linear_algebra.det, shapes.matrices,
        r"\det \left({0}\right)",
        "The determinant of the last two dimensions; NaN for a matrix that is not finite.",
    ),
    _op(
        19, "logdet", OpKind.LIBRARY, linear_algebra.logdet, shapes.matrices,
        r"\log \det \left({0}\right)",
        "The logarithm of the determinant; 0 where that is below zero or the matrix not finite.",
    ),
    _op(
        20, "sym_eig_ratio", OpKind.LIBRARY, linear_algebra.sym_eig_ratio, shapes.rows_scalar,
        r"\frac{{\lambda_{{\max}}}}{{\lambda_{{\min}}}} \left({0}\right)",
        "Largest over smallest eigenvalue of the symmetrised product of the rows with each other.",
    ),
    _op(
        21, "eig_ratio", OpKind.LIBRARY, linear_algebra.eig_ratio, shapes.rows_scalar,
        r"\frac{{\lambda_{{\min}}}}{{\lambda_{{\max}}}} \left({0}\right)",
        "Smallest over largest eigenvalue of the product of the rows with each other.",
    ),
    _op(
        22, "mean", OpKind.FOLD, reductions.mean, shapes.scalar,
        r"\mathrm{{mean}} \left({0}\right)",
        "The sum over the number of elements.",
    ),
    _op(
        23, "l1_norm", OpKind.FOLD, reductions.l1_norm, shapes.scalar,
        r"\mathrm{{mean}} \left|{0}\right|",
        "The sum of absolute values over the number of elements.",
    ),
    _op(
        24, "hamming_distance", OpKind.FOLD, reductions.hamming_distance, shapes.broadcast_scalar,
        r"d_{{H}} \left({0}, {1}\right)",
        "The number of places where the Heaviside steps of the two differ.",
        commutative=True,
    ),
    _op(
        25, "kl_divergence", OpKind.FOLD, reductions.kl_divergence, shapes.broadcast_scalar,
        r"\mathrm{{KL}} \left({1} \,\|\, \exp {0}\right)",
        "The Kullback-Leibler divergence of the second (probabilities) from the first (log-probabilities).",
    ),
    _op(
        26, "cosine_similarity", OpKind.FOLD, reductions.cosine_similarity, shapes.two_rows_scalar,
        r"\cos \left({0}, {1}\right)",
        "The cosines between the rows of the two, summed.",
        commutative=True,
    ),
    _op(
        27, "softmax", OpKind.SCALE, rescaling.softmax, shapes.same,
        r"\mathrm{{softmax}} \left({0}\right)",
        "The softmax over dimension 0 of tensors with 0, 1 or 3 dimensions, else over dimension 1.",
    ),
    _op(
        28, "sigmoid", OpKind.MAP, elementwise.sigmoid, shapes.same,
        r"\sigma \left({0}\right)",
        "The logistic function.",
    ),
    _op(
        29, "ones_like", OpKind.MAP, elementwise.ones_like, shapes.same,
        r"\mathbf{{1}} \left({0}\right)",
        "1 everywhere.",
    ),
    _op(
        30, "zeros_like", OpKind.MAP, elementwise.zeros_like, shapes.same,
        r"\mathbf{{0}} \left({0}\right)",
        "0 everywhere.",
    ),
    _op(
        31, "greater_than_zero", OpKind.MAP, elementwise.greater_than_zero, shapes.same,
        r"\left[{0} > 0\right]",
        "1 above zero, else 0.",
    ),
    _op(
        32, "less_than_zero", OpKind.MAP, elementwise.less_than_zero, shapes.same,
        r"\left[{0} < 0\right]",
        "1 below zero, else 0.",
    ),
    _op(
        33, "numel", OpKind.FOLD, reductions.numel, shapes.one_element,
        r"\mathrm{{numel}} \left({0}\right)",
        "The number of elements, in a tensor of one element.",
    ),
)  # fmt: skip

OPS: Final[Mapping[str, Op]] = MappingProxyType({op.name: op for op in _ALL})
"""Every operation by its name, in the order of the paper's numbers; read-only."""

OP_SET_HASH: Final[str] = hashlib.sha256(
    "\n".join(f"{op.number} {op.name}" for op in _ALL).encode()
).hexdigest()[:16]
"""Names the set of operations and their numbers; files that hold programs carry it."""
