"""The operations in ONNX's own: each function adds nodes to a graph and names their result.

Opset 17, float32 between operations; sums are taken in double, as the eager definitions do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from eznas.ops.rescaling import softmax_dimension


class Builder:
    """Nodes of an ONNX graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._named: dict[tuple[Any, ...], str] = {}

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of what a new node gives."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def constant(self, *values: float, kind: type = np.float32, is_list: bool = False) -> str:
        """The name of a number, or of a list of numbers."""
        key = (values, kind, is_list)
        if key not in self._named:
            self._named[key] = f"constant_{len(self.constants)}"
            array: NDArray[Any] = np.array(values if is_list else values[0], kind)
            self.constants.append(onnx.numpy_helper.from_array(array, self._named[key]))
        return self._named[key]

    def number(self, value: float) -> str:
        """A float32 number."""
        return self.constant(value)

    def sizes(self, *values: int) -> str:
        """A list of whole numbers."""
        return self.constant(*values, kind=np.int64, is_list=True)

    def double(self, a: str) -> str:
        """The same in double."""
        return self.node("Cast", a, to=onnx.TensorProto.DOUBLE)

    def single(self, a: str) -> str:
        """The same, rounded to float32."""
        return self.node("Cast", a, to=onnx.TensorProto.FLOAT)

    def whole_sum(self, a: str) -> str:
        """The sum of all elements, in double; no dimensions."""
        return self.node("ReduceSum", self.double(a), keepdims=0)

    def count(self, a: str) -> str:
        """The number of elements, in double; no dimensions."""
        return self.double(self.node("Size", a))

    def step(self, condition: str) -> str:
        """1.0 where a condition holds, else 0.0."""
        return self.single(condition)

    def rows(self, a: str) -> str:
        """A tensor as (shape[0], -1)."""
        return self.node("Flatten", a, axis=1)


Maker = Callable[[Builder, list[str], list[int]], str]
"""Takes the builder, the names of the arguments and their numbers of dimensions."""


def _direct(kind: str) -> Maker:
    return lambda b, a, _: b.node(kind, *a)


def _compared(kind: str) -> Maker:
    return lambda b, a, _: b.step(b.node(kind, *a))


def _above(b: Builder, a: str) -> str:
    return b.node("Greater", a, b.number(0.0))


def _log(b: Builder, a: list[str], _: list[int]) -> str:
    return b.node("Log", b.node("Where", b.node("LessOrEqual", a[0], b.number(0.0)), b.number(1.0), a[0]))


def _abs_log(b: Builder, a: list[str], _: list[int]) -> str:
    size = b.node("Abs", a[0])
    return b.node("Log", b.node("Where", b.node("Equal", size, b.number(0.0)), b.number(1.0), size))


def _relu(b: Builder, a: list[str], _: list[int]) -> str:
    # Relu itself does not promise to keep NaN.
    return b.node("Where", b.node("Less", a[0], b.number(0.0)), b.number(0.0), a[0])


def _sign(b: Builder, a: list[str], _: list[int]) -> str:
    return b.node("Sub", b.step(_above(b, a[0])), b.step(b.node("Less", a[0], b.number(0.0))))


def _filled(value: float) -> Maker:
    def make(b: Builder, a: list[str], _: list[int]) -> str:
        content = onnx.numpy_helper.from_array(np.array([value], np.float32))
        return b.node("ConstantOfShape", b.node("Shape", a[0]), value=content)

    return make


def _mean(b: Builder, a: list[str], _: list[int]) -> str:
    return b.single(b.node("Div", b.whole_sum(a[0]), b.count(a[0])))


def _l1_norm(b: Builder, a: list[str], dimensions: list[int]) -> str:
    return _mean(b, [b.node("Abs", a[0])], dimensions)


def _frobenius_norm(b: Builder, a: list[str], _: list[int]) -> str:
    return b.single(b.node("Sqrt", b.whole_sum(b.node("Mul", a[0], a[0]))))


def _numel(b: Builder, a: list[str], _: list[int]) -> str:
    return b.node("Reshape", b.single(b.node("Size", a[0])), b.sizes(1))


def _normalize(b: Builder, a: list[str], dimensions: list[int]) -> str:
    distance = b.node("Sub", a[0], _mean(b, a, dimensions))
    exact = b.node("Sub", b.double(a[0]), b.node("Div", b.whole_sum(a[0]), b.count(a[0])))
    squares = b.node("ReduceSum", b.node("Mul", exact, exact), keepdims=0)
    one = b.constant(1.0, kind=np.float64)
    deviation = b.single(b.node("Sqrt", b.node("Div", squares, b.node("Sub", b.count(a[0]), one))))
    quotient = b.node("Div", distance, deviation)
    return b.node("Where", b.node("IsNaN", quotient), b.number(0.0), quotient)


def _is_finite(b: Builder, a: str) -> str:
    """For each matrix whether it holds neither NaN nor infinity."""
    bad = b.step(b.node("Or", b.node("IsNaN", a), b.node("IsInf", a)))
    found = b.node("ReduceSum", bad, b.sizes(-2, -1), keepdims=0)
    return b.node("Equal", found, b.number(0.0))


def _det(b: Builder, a: list[str], _: list[int]) -> str:
    return b.node("Where", _is_finite(b, a[0]), b.node("Det", a[0]), b.number(np.nan))


def _logdet(b: Builder, a: list[str], _: list[int]) -> str:
    """By rows scaled by powers of two, which changes no digit: Det of the matrix itself would overflow."""
    exact = b.double(a[0])  # squares of float32 numbers overflow
    squares = b.node("ReduceSum", b.node("Mul", exact, exact), b.sizes(-1), keepdims=0)
    zero, one = (b.constant(number, kind=np.float64) for number in (0.0, 1.0))
    logarithms = b.single(b.node("Log", b.node("Where", b.node("Equal", squares, zero), one, squares)))
    exponents = b.node("Round", b.node("Div", logarithms, b.number(2.0 * float(np.log(2.0)))))
    exponents = b.node("Clip", exponents, b.number(-120.0), b.number(120.0))
    scales = b.node("Unsqueeze", b.node("Pow", b.number(2.0), exponents), b.sizes(-1))
    logarithm = b.node("Log", b.node("Det", b.node("Div", a[0], scales)))
    rest = b.node(
        "Mul", b.node("ReduceSum", exponents, b.sizes(-1), keepdims=0), b.number(float(np.log(2.0)))
    )
    total = b.node("Add", logarithm, rest)
    unusable = b.node("Or", b.node("IsNaN", total), b.node("IsInf", total, detect_negative=0))
    kept = b.node("And", b.node("Not", unusable), _is_finite(b, a[0]))
    return b.node("Where", kept, total, b.number(0.0))


def _hamming_distance(b: Builder, a: list[str], _: list[int]) -> str:
    return b.single(b.whole_sum(b.node("Xor", _above(b, a[0]), _above(b, a[1]))))


def _kl_divergence(b: Builder, a: list[str], dimensions: list[int]) -> str:
    zero, nan = b.number(0.0), b.number(np.nan)
    is_zero = b.node("Equal", a[1], zero)
    own = b.node("Where", is_zero, zero, b.node("Mul", a[1], b.node("Log", a[1])))
    own = b.node("Where", b.node("Less", a[1], zero), nan, own)
    total = b.single(b.whole_sum(b.node("Sub", own, b.node("Mul", a[1], a[0]))))
    if not dimensions[0]:
        return total
    rows = b.node("Gather", b.node("Shape", a[0]), b.constant(0, kind=np.int64))
    return b.node("Div", total, b.single(rows))


def _cosine_similarity(b: Builder, a: list[str], _: list[int]) -> str:
    first, second = (b.double(b.rows(each)) for each in a)
    common = b.node("Add", first, second)
    shape = b.node("Shape", common)
    first, second = (b.node("Expand", each, shape) for each in (first, second))
    smallest = b.constant(1e-8, kind=np.float64)
    norms = []
    for each in (first, second):
        squares = b.node("ReduceSum", b.node("Mul", each, each), b.sizes(1), keepdims=0)
        norms.append(b.node("Max", b.node("Sqrt", squares), smallest))
    products = b.node("ReduceSum", b.node("Mul", first, second), b.sizes(1), keepdims=0)
    cosines = b.node("Div", products, b.node("Mul", *norms))
    return b.single(b.node("ReduceSum", cosines, keepdims=0))


def _softmax(b: Builder, a: list[str], dimensions: list[int]) -> str:
    if dimensions[0]:
        return b.node("Softmax", a[0], axis=softmax_dimension(dimensions[0]))
    return b.node("Squeeze", b.node("Softmax", b.node("Reshape", a[0], b.sizes(1)), axis=0), b.sizes(0))


def _heaviside(b: Builder, a: list[str], _: list[int]) -> str:
    return b.step(_above(b, a[0]))


def _below(b: Builder, a: list[str], _: list[int]) -> str:
    return b.step(b.node("Less", a[0], b.number(0.0)))


OPERATIONS: Final[dict[str, Maker]] = {
    "add": _direct("Add"),
    "sub": _direct("Sub"),
    "mul": _direct("Mul"),
    "matmul": _direct("MatMul"),
    "less": _compared("Less"),
    "greater": _compared("Greater"),
    "equal": _compared("Equal"),
    "log": _log,
    "abs_log": _abs_log,
    "abs": _direct("Abs"),
    "square": lambda b, a, _: b.node("Mul", a[0], a[0]),
    "exp": _direct("Exp"),
    "normalize": _normalize,
    "relu": _relu,
    "sign": _sign,
    "heaviside": _heaviside,
    "reciprocal": _direct("Reciprocal"),
    "frobenius_norm": _frobenius_norm,
    "det": _det,
    "logdet": _logdet,
    "mean": _mean,
    "l1_norm": _l1_norm,
    "hamming_distance": _hamming_distance,
    "kl_divergence": _kl_divergence,
    "cosine_similarity": _cosine_similarity,
    "softmax": _softmax,
    "sigmoid": _direct("Sigmoid"),
    "ones_like": _filled(1.0),
    "zeros_like": _filled(0.0),
    "greater_than_zero": _heaviside,
    "less_than_zero": _below,
    "numel": _numel,
}
"""Every operation that ONNX can express; it has no eigenvalues."""
