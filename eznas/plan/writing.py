"""Values and calls as they are written one after the other, each of equal operands once."""

from __future__ import annotations

from math import prod
from typing import Final, NamedTuple

from eznas.compile import KEEP_SIGNS, SIGNS, ShapeColumn
from eznas.errors import EznasError
from eznas.plan.calls import NOTHING, Call, Place, Sizes, Value
from eznas.terminals import Shape
from eznas_kernels.instructions import Form

MAXIMUM_DIMENSIONS: Final = 4


class Held(NamedTuple):
    """A node's tensor: the value that holds it, and its shape."""

    value: int
    shape: ShapeColumn
    is_uniform: bool
    """Whether the value is the one number that all numbers of the tensor equal."""
    is_step: bool = False
    """Whether every number is known to be 0 or 1."""
    is_sign: bool = False
    """Whether every number is known to be -1, 0 or 1."""

    @property
    def size(self) -> Sizes:
        """The numbers in the tensor."""
        return self.shape.sizes


def gives_signs(name: str, *arguments: Held) -> bool:
    """Whether an operation gives -1, 0 or 1 alone, as far as is known of its arguments."""
    return name in SIGNS or (name in KEEP_SIGNS and all(argument.is_sign for argument in arguments))


class Writer:
    """Values and calls so far, with what was made of equal operands before."""

    def __init__(self, geometries: int) -> None:
        self.one: Sizes = (1,) * geometries
        self.none: Sizes = (0,) * geometries
        self.values = [Value(Place.NOWHERE, self.none)]
        self.calls: list[Call] = []
        self._below: frozenset[str] = frozenset()
        """The terminals below the node that is lowered."""
        self._made: dict[tuple[object, ...], int] = {}

    def _value(self, place: Place, size: Sizes, label: str, constant: Sizes | None = None) -> int:
        self.values.append(Value(place, size, label, constant, self._below))
        return len(self.values) - 1

    def _constant(self, label: str, numbers: Sizes) -> int:
        key = ("constant", numbers)
        if key not in self._made:
            self._made[key] = self._value(Place.NUMBER, self.one, label, numbers)
        return self._made[key]

    def _new(self, size: Sizes, label: str) -> int:
        return self._value(Place.NUMBER if size[0] == 1 else Place.TENSOR, size, label)

    def _total(
        self,
        form: Form,
        kernel: str,
        first: int,
        size: Sizes,
        second: int = NOTHING,
        repeat: Sizes | None = None,
    ) -> int:
        key = (kernel, first, second, size, repeat)
        if key not in self._made:
            total = self._made[key] = self._value(Place.TOTAL, self.none, kernel)
            self.calls.append(Call(form, kernel, total, first, size, second, repeat=repeat))
        return self._made[key]

    def _product(self, total: int, number: int, instead: int) -> int:
        """A total times a number of at most 1 in magnitude; for other numbers another total."""
        return self._derived(Form.TOTAL_PRODUCT, "product", total, number, instead)

    def _quotient(self, total: int, number: int) -> int:
        """A total over a number; 0 for NaN."""
        return self._derived(Form.TOTAL_QUOTIENT, "quotient", total, number)

    def _derived(self, form: Form, label: str, total: int, number: int, instead: int = NOTHING) -> int:
        key = (form, total, number, instead)
        if key not in self._made:
            result = self._made[key] = self._value(Place.TOTAL, self.none, label)
            self.calls.append(Call(form, "", result, total, self.one, number, instead))
        return self._made[key]

    def _finished(
        self,
        form: Form,
        label: str,
        total: int,
        size: Sizes,
        other: int = NOTHING,
        repeat: Sizes | None = None,
    ) -> int:
        key = (form, total, size, other)
        if key not in self._made:
            result = self._made[key] = self._value(Place.NUMBER, self.one, label)
            self.calls.append(Call(form, "", result, total, size, other, repeat=repeat))
        return self._made[key]

    def _moments(self, held: Held) -> int:
        """The mean; the deviation is the value after it."""
        key = ("moments", held.value)
        if key not in self._made:
            total = self._value(Place.TOTAL, self.none, "shift")
            self._value(Place.TOTAL, self.none, "sum of distances")
            self._value(Place.TOTAL, self.none, "sum of squared distances")
            self.calls.append(Call(Form.MOMENTS, "sum_of_distances", total, held.value, held.size))
            mean = self._made[key] = self._value(Place.NUMBER, self.one, "mean")
            self._value(Place.NUMBER, self.one, "deviation")
            self.calls.append(Call(Form.FINISH_MOMENTS, "", mean, total, held.size))
        return self._made[key]

    def _shaped(
        self, name: str, shape: ShapeColumn, arguments: tuple[Held, ...], sizes: tuple[Sizes, ...]
    ) -> Held:
        size = shape.sizes
        operands = [self._stretched(held, held.shape) for held in arguments]
        first, second = operands if len(operands) == 2 else (*operands, NOTHING)
        result = self._new(size, name)
        form = Form.SHAPED_UNARY if second == NOTHING else Form.SHAPED_BINARY
        self.calls.append(Call(form, name, result, first, size, second, sizes=sizes))
        return Held(result, shape, size[0] == 1)

    def _stretched(self, held: Held, shape: ShapeColumn) -> int:
        """A value with every number of a shape to which the tensor broadcasts."""
        size = shape.sizes
        if self.values[held.value].size == size:
            return held.value
        if held.is_uniform:
            return self._filled(held.value, size)
        key = ("stretched", held.value, held.shape, shape)
        if key not in self._made:
            result = self._made[key] = self._new(size, "stretched")
            sizes = _strides(held.shape, shape)
            self.calls.append(Call(Form.SHAPED_UNARY, "expand", result, held.value, size, sizes=sizes))
        return self._made[key]

    def _filled(self, number: int, size: Sizes) -> int:
        """A value with so many numbers that all equal one."""
        if size == self.one:
            return number
        key = ("filled", number, size)
        if key not in self._made:
            # A tensor even where the first geometry has one number: others may have more.
            result = self._made[key] = self._value(Place.TENSOR, size, "filled")
            self.calls.append(Call(Form.FILL, "fill", result, number, size))
        return self._made[key]


def _strides(shape: ShapeColumn, stretched: ShapeColumn) -> tuple[Sizes, ...]:
    """The stretched shape, and for each dimension the distance of neighbours in the tensor, 0 for repeats."""
    rows = [_strides_of(one, other) for one, other in zip(shape.shapes, stretched.shapes, strict=True)]
    return tuple(zip(*rows, strict=True))


def _strides_of(shape: Shape, stretched: Shape) -> Shape:
    if len(stretched) > MAXIMUM_DIMENSIONS:
        raise EznasError(f"expected at most {MAXIMUM_DIMENSIONS} dimensions, got {stretched}")
    padded = (1,) * (MAXIMUM_DIMENSIONS - len(stretched)) + stretched
    own = (1,) * (MAXIMUM_DIMENSIONS - len(shape)) + shape
    distances = [prod(own[dimension + 1 :]) if own[dimension] > 1 else 0 for dimension in range(len(own))]
    return (*padded, *distances)
