"""From a graph and its shapes to calls of kernels.

Tensors whose numbers are all equal, such as the result of `ones_like`, are held as one number. Folds, and
operations that fold first, become a sum that can run tile by tile and a step that finishes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Final

from eznas.compile import STEPS, Graph, ShapeColumn
from eznas.errors import EznasError
from eznas.ops.rescaling import softmax_dimension
from eznas.plan.calls import Call, Place, Sizes, Value
from eznas.plan.folds import (
    FOLDS,
    SUMMED_WITH_NUMBER,
    SUMS_OF_DIFFERENCES,
    arguments_read,
    asked_for_sign,
    counted_ones,
    folded,
    folded_into,
    sums_differences,
    sums_two,
    terminals_below,
)
from eznas.plan.writing import Held, Writer, gives_signs
from eznas.terminals import Shape
from eznas_kernels.instructions import Form


@dataclass(frozen=True, slots=True)
class Lowered:
    """Calls in an order in which each comes after those that it reads from."""

    values: tuple[Value, ...]
    calls: tuple[Call, ...]
    held: tuple[Held | None, ...]
    """For each node of the graph where it is held; None for nodes that nothing reads."""


def lower(graph: Graph, shapes: Sequence[ShapeColumn]) -> Lowered:
    """Lower every node that a root depends on by more than its shape.

    Args:
        graph: Programs.
        shapes: The shapes of each node for geometries that are alike, see `ShapeTable.alike`; roots without
            shapes are left out.
    """
    nodes = sorted(_nodes_read(graph, shapes))
    lowering = _Lowering(graph, shapes, asked_for_sign(graph, nodes))
    for node in nodes:
        lowering.lower(node)
    return Lowered(tuple(lowering.values), tuple(lowering.calls), tuple(lowering.held))


_WITH_SIGN_KERNELS: Final = frozenset({"log", "abs_log", "exp", "sigmoid"})
"""Operations in whose place a kernel can stand that gives but their sign, in a sixth of the time."""

_OF_SIGNS: Final = MappingProxyType({"exp": "exp_of_sign", "sigmoid": "sigmoid_of_sign"})
"""Kernels that give the same bits of -1, 0 and 1, in 0.37 of the time for exp, 0.27 for sigmoid (AVX2)."""

_SUMS: Final = MappingProxyType({Form.BINARY: Form.SUM_OF_TWO, Form.WITH_SCALAR: Form.SUM_WITH_SCALAR})
"""How the kernel is called that sums what another one would have written."""

_CONSTANTS: Final = MappingProxyType({"ones_like": 1, "zeros_like": 0})


def _nodes_read(graph: Graph, shapes: Sequence[ShapeColumn]) -> set[int]:
    read = {root for root in graph.roots if shapes[root].has_shapes}
    for index in range(len(graph.nodes) - 1, -1, -1):
        if index in read:
            read.update(arguments_read(graph, index))
    return read


class _Lowering(Writer):
    """What graphs mean, as values and calls."""

    def __init__(self, graph: Graph, shapes: Sequence[ShapeColumn], asked_for_sign: Collection[int]) -> None:
        super().__init__(len(shapes[0].entries) if shapes else 1)
        self.graph = graph
        self.shapes = shapes
        self.asked_for_sign = asked_for_sign
        self.held: list[Held | None] = [None] * len(graph.nodes)
        self._terminals = terminals_below(graph)
        self._parts: dict[tuple[object, ...], Held] = {}

    def lower(self, index: int) -> None:
        """Hold one node, whose arguments are held."""
        node, shape = self.graph.nodes[index], self.shapes[index]
        self._below = self._terminals[index]
        if node.is_terminal:
            value = self._value(Place.TERMINAL, shape.sizes, node.name)
            self.held[index] = Held(value, shape, shape.is_single)
        elif node.name in _CONSTANTS:
            constant = self._constant(node.name, tuple(_CONSTANTS[node.name] * one for one in self.one))
            self.held[index] = Held(constant, shape, True, is_sign=True)
        elif node.name == "numel":
            constant = self._constant("numel", self.shapes[node.arguments[0]].sizes)
            self.held[index] = Held(constant, shape, True)
        elif node.name in FOLDS:
            self.held[index] = Held(self._fold(index), shape, True)
        elif counted := counted_ones(self.graph, index):
            self.held[index] = Held(self._divergence_from_ones(index, *counted), shape, True)
        elif node.name == "kl_divergence":
            self.held[index] = self._divergence(index)
        elif node.name in _WITH_SIGN_KERNELS and index in self.asked_for_sign and not shape.is_single:
            self.held[index] = self._unary(f"{node.name}_sign", shape, self._held(node.arguments[0]))
        else:
            arguments = [self._held(argument) for argument in node.arguments]
            method = _METHODS.get(node.name) or (
                _Lowering._unary if len(arguments) == 1 else _Lowering._binary
            )
            self.held[index] = method(self, node.name, shape, *arguments)

    def _held(self, node: int) -> Held:
        held = self.held[node]
        if held is None:
            raise EznasError(f"expected node {node} to be lowered before its readers")
        return held

    def _unary(self, name: str, shape: ShapeColumn, held: Held) -> Held:
        size = self.one if held.is_uniform else held.size
        kernel = _OF_SIGNS.get(name, name) if held.is_sign else name
        result = self._new(size, name)
        self.calls.append(Call(Form.UNARY, kernel, result, held.value, size))
        return Held(result, shape, held.is_uniform, name in STEPS, gives_signs(name, held))

    def _binary(self, name: str, shape: ShapeColumn, first: Held, second: Held) -> Held:
        is_uniform = first.is_uniform and second.is_uniform
        size = self.one if is_uniform else shape.sizes
        form, kernel, *operands = self._operands(name, shape, first, second)
        result = self._new(size, name)
        self.calls.append(Call(form, kernel, result, operands[0], size, operands[1]))
        return Held(result, shape, is_uniform, name in STEPS, gives_signs(name, first, second))

    def _operands(
        self, name: str, shape: ShapeColumn, first: Held, second: Held
    ) -> tuple[Form, str, int, int]:
        """How the kernel of an operation on two tensors is called, its name, and what it reads."""
        if first.is_uniform and second.is_uniform:
            return Form.BINARY, name, first.value, second.value
        if second.is_uniform:
            return Form.WITH_SCALAR, f"{name}_scalar", self._stretched(first, shape), second.value
        if first.is_uniform:
            return Form.WITH_SCALAR, f"scalar_{name}", self._stretched(second, shape), first.value
        return Form.BINARY, name, self._stretched(first, shape), self._stretched(second, shape)

    def _fold(self, index: int) -> int:
        name = self.graph.nodes[index].name
        kernel, argument = folded(self.graph, index)
        if kernel == "sum_of_values" and not sums_two(self.graph, kernel, argument):
            held = self._held(argument)
            if held.is_uniform:
                return held.value  # The mean of equal numbers is that number, exactly so in float64.
        total = self._sum_of_node(kernel, argument)
        return self._finished(FOLDS[name][1], name, total, self.shapes[argument].sizes)

    def _sum_of_node(self, kernel: str, index: int) -> int:
        """The sum over a node, which is not held where the kernel reads its operands."""
        node = self.graph.nodes[index]
        if sums_differences(self.graph, kernel, index):
            return self._sum_of_normalized(kernel, self._held(node.arguments[0]))
        if not sums_two(self.graph, kernel, index):
            return self._sum(kernel, self._held(index))
        return self._sum_of_two(node.name, self.shapes[index], *map(self._held, node.arguments))

    def _sum(self, kernel: str, held: Held) -> int:
        """The sum of what a kernel makes of each number of a tensor."""
        if held.is_uniform:
            return self._total(Form.SUM, kernel, held.value, self.one, repeat=held.size)
        return self._total(Form.SUM, kernel, held.value, held.size)

    def _sum_of_two(self, name: str, shape: ShapeColumn, first: Held, second: Held) -> int:
        """The sum of what an operation on two tensors gives."""
        size, repeat = shape.sizes, None
        if first.is_uniform and second.is_uniform:
            size, repeat = self.one, shape.sizes
        elif name not in SUMMED_WITH_NUMBER:
            first, second = (Held(self._stretched(held, shape), shape, False) for held in (first, second))
        form, kernel, *operands = self._operands(name, shape, first, second)
        return self._total(_SUMS[form], f"sum_of_{kernel}", operands[0], size, operands[1], repeat)

    def _sum_of_normalized(self, kernel: str, held: Held) -> int:
        """The sum over a normalized tensor, which is divided by the deviation rather than each number."""
        if held.is_uniform:
            return self._sum(kernel, self._normalize("normalize", held.shape, held))
        mean = self._moments(held)
        kernel, divisions = SUMS_OF_DIFFERENCES[kernel]
        total = self._total(Form.SUM_WITH_SCALAR, kernel, held.value, held.size, mean)
        for _ in range(divisions):
            total = self._quotient(total, mean + 1)
        return total

    def _hamming_distance(self, name: str, shape: ShapeColumn, first: Held, second: Held) -> Held:
        total = self._sum_of_two(name, first.shape.broadcast(second.shape), first, second)
        return Held(self._finished(Form.FINISH_TOTAL, name, total, self.one), shape, True)

    def _divergence(self, index: int) -> Held:
        """The sum of b log(b), which other divergences from the same b share, less that of b a.

        Where b is 0 or 1 everywhere, the first is 0.
        """
        name, arguments = self.graph.nodes[index]
        shape = self.shapes[index]
        first, second = map(self._held, arguments)
        stretched = first.shape.broadcast(second.shape)
        rows = first.shape.numbers(lambda shape: shape[0] if shape else 1)
        if second.is_step:
            negated = tuple(-number for number in rows)
            products = self._sum_of_two("mul", stretched, second, first)
            return Held(self._finished(Form.FINISH_RATIO, name, products, negated), shape, True)
        if first.is_uniform and not second.is_uniform and second.size == stretched.sizes:
            products = self._sum_times_number(arguments[1], second, first)
        else:
            products = self._sum_of_two("mul", stretched, second, first)
        own = self._once(("information", second), lambda: self._unary("information", second.shape, second))
        if own.size != stretched.sizes and not own.is_uniform:
            own = Held(self._stretched(own, stretched), stretched, False)
        information = self._sum("sum_of_values", own._replace(shape=stretched))
        return Held(self._finished(Form.FINISH_DIFFERENCE, name, information, rows, products), shape, True)

    def _sum_times_number(self, node: int, held: Held, number: Held) -> int:
        """The sum of a node's numbers times one number, which at most 1 needs no sum of its own.

        Products with larger numbers may overflow, and so do not add up to the product of the sum.
        """
        total = self._sum_of_node(*folded_into("sum_of_values", self.graph, node))
        kernel = "sum_of_multiples_unless_small"
        instead = self._total(Form.SUM_WITH_SCALAR, kernel, held.value, held.size, number.value)
        return self._product(total, number.value, instead)

    def _divergence_from_ones(self, index: int, kernel: str, argument: int) -> int:
        """Less the number times the ones, which are counted once for all numbers and not written."""
        name, (number, ones) = self.graph.nodes[index].name, self.graph.nodes[index].arguments
        total = self._sum_of_node(kernel, argument)
        negated = tuple(-one for one in self.one)
        size = self.shapes[ones].sizes
        return self._finished(Form.FINISH_MULTIPLE, name, total, negated, self._held(number).value, size)

    def _once(self, key: tuple[object, ...], make: Callable[[], Held]) -> Held:
        if key not in self._parts:
            self._parts[key] = make()
        return self._parts[key]

    def _normalize(self, name: str, shape: ShapeColumn, held: Held) -> Held:
        if held.is_uniform:
            # 0 / 0 everywhere, which counts as 0.
            return Held(self._constant("zeros_like", self.none), shape, True)
        mean = self._moments(held)
        result = self._new(held.size, name)
        self.calls.append(Call(Form.NORMALIZE, name, result, held.value, held.size, mean, mean + 1))
        return Held(result, shape, False)

    def _softmax(self, name: str, shape: ShapeColumn, held: Held) -> Held:
        dimension = softmax_dimension(len(shape.shape))
        lengths = shape.numbers(lambda each: prod(each[dimension : dimension + 1]))
        if held.is_uniform and not shape.is_single:
            return Held(self._softmax_of_equal(name, held.value, lengths), shape, True)
        sizes = (
            shape.numbers(lambda each: prod(each[:dimension])),
            lengths,
            shape.numbers(lambda each: prod(each[dimension + 1 :])),
        )
        return self._shaped(name, shape, (held,), sizes)

    def _softmax_of_equal(self, name: str, number: int, lengths: Sizes) -> int:
        """The one number that the softmax of equal numbers has in all places, by way of one line."""
        key = (name, number, lengths)
        if key not in self._made:
            line = self._filled(number, lengths)
            result = self._value(Place.TENSOR, lengths, name)
            sizes = (self.one, lengths, self.one)
            self.calls.append(Call(Form.SHAPED_UNARY, name, result, line, lengths, sizes=sizes))
            # The mean of equal numbers is that number, exactly so in float64.
            total = self._total(Form.SUM, "sum_of_values", result, lengths)
            self._made[key] = self._finished(Form.FINISH_MEAN, name, total, lengths)
        return self._made[key]

    def _matrices(self, name: str, shape: ShapeColumn, held: Held) -> Held:
        orders = held.shape.numbers(lambda each: each[-1])
        if held.is_uniform:
            return Held(self._determinant_of_equal(name, held.value, orders), shape, True)
        return self._shaped(name, shape, (held,), (orders,))

    def _determinant_of_equal(self, name: str, number: int, orders: Sizes) -> int:
        """The determinant of a matrix of equal numbers, or its logarithm, by way of a small matrix.

        Of equal rows, elimination leaves zeros from the second pivot on. An odd order stays odd: the product
        of as many zeros below zero is -0.0.
        """
        small = tuple(min(order, 4 + order % 2) for order in orders)
        key = (name, number, small)
        if key not in self._made:
            matrix = self._filled(number, tuple(order * order for order in small))
            result = self._made[key] = self._value(Place.NUMBER, self.one, name)
            self.calls.append(Call(Form.SHAPED_UNARY, name, result, matrix, self.one, sizes=(small,)))
        return self._made[key]

    def _rows(self, name: str, shape: ShapeColumn, held: Held) -> Held:
        return self._shaped(name, shape, (held,), (held.shape.numbers(lambda each: each[0]),))

    def _cosine_similarity(self, name: str, shape: ShapeColumn, first: Held, second: Held) -> Held:
        sizes = [
            numbers
            for held in (first, second)
            for numbers in (
                held.shape.numbers(lambda each: each[0]),
                held.shape.numbers(lambda each: prod(each[1:])),
            )
        ]
        return self._shaped(name, shape, (first, second), tuple(sizes))

    def _matmul(self, name: str, shape: ShapeColumn, first: Held, second: Held) -> Held:
        if len(first.shape.shape) == 1:
            first = first._replace(shape=first.shape.map(lambda each: (1, *each)))
        if len(second.shape.shape) == 1:
            second = second._replace(shape=second.shape.map(lambda each: (*each, 1)))
        batch = first.shape.map(_batch).broadcast(second.shape.map(_batch))
        sizes = (
            first.shape.numbers(lambda each: each[-2]),
            first.shape.numbers(lambda each: each[-1]),
            second.shape.numbers(lambda each: each[-1]),
        )
        first, left_step = self._batched(first, batch)
        second, right_step = self._batched(second, batch)
        return self._shaped(name, shape, (first, second), (*sizes, left_step, right_step))

    def _batched(self, held: Held, batch: ShapeColumn) -> tuple[Held, Sizes]:
        """Matrices for a batch, and the distance between them; 0 where one serves all."""
        own = held.shape.map(_batch)
        if own.is_single:
            return held, self.none
        steps = held.shape.numbers(lambda each: prod(each[-2:]))
        if own.sizes != batch.sizes:
            rows = zip(batch.shapes, held.shape.shapes, strict=True)
            stretched = held.shape.table.column(tuple((*leading, *each[-2:]) for leading, each in rows))
            held = Held(self._stretched(held, stretched), stretched, False)
        return held, steps


_METHODS: Final[dict[str, Callable[..., Held]]] = {
    "hamming_distance": _Lowering._hamming_distance,
    "normalize": _Lowering._normalize,
    "softmax": _Lowering._softmax,
    "det": _Lowering._matrices,
    "logdet": _Lowering._matrices,
    "eig_ratio": _Lowering._rows,
    "sym_eig_ratio": _Lowering._rows,
    "cosine_similarity": _Lowering._cosine_similarity,
    "matmul": _Lowering._matmul,
}


def _batch(shape: Shape) -> Shape:
    return shape[:-2]
