"""Vectors of numbers held in registers, for kernels whose lanes the compiler would not find by itself.

A `Vector` of 8 float32 or of 4 float64 numbers fills one AVX register; processors of other widths use more
registers or parts of one. Each function becomes the one instruction (or few) that its name says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray

LANES = 8
"""Numbers in a vector of float32, which is the number of matrices that are worked on together."""

DOUBLE_LANES = 4
"""Numbers in a vector of float64."""


class Vector(Protocol):
    """Numbers in the lanes of a register, or for each lane whether something holds."""


Array = NDArray[np.float32] | NDArray[np.float64]


class VectorType(types.Type):
    """The type of vectors of an element's type."""

    def __init__(self, element: types.Type, lanes: int) -> None:
        self.element = element
        self.lanes = lanes
        super().__init__(name=f"Vector({element} x {lanes})")


_ELEMENTS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.boolean: ir.IntType(1)}


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: VectorType) -> None:
        machine_type = ir.VectorType(_ELEMENTS[vector.element], vector.lanes)
        super().__init__(manager, vector, machine_type)  # type: ignore[no-untyped-call]


_FLOATS = VectorType(types.float32, LANES)
_DOUBLES = VectorType(types.float64, DOUBLE_LANES)


def _machine_type(vector: VectorType) -> Any:
    return ir.VectorType(_ELEMENTS[vector.element], vector.lanes)


def _align_stack(_typing: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        builder.function.attributes.alignstack = 64
        # True of all that Numba compiles; an alignment without another attribute is not written down.
        builder.function.attributes.add("nounwind")
        return context.get_dummy_value()

    return types.void(), generate


def _lanewise(name: str, count: int = 2) -> Any:
    """An operation on the lanes of vectors of one type, named as the builder's method for it."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return getattr(builder, name)(*arguments)

    def of_one(_typing: Any, first: Any) -> Any:
        return first(first), generate

    def of_two(_typing: Any, first: Any, _second: Any) -> Any:
        return first(first, first), generate

    return intrinsic({1: of_one, 2: of_two}[count])


def _compared(relation: str, *, holds_for_nan: bool = False) -> Any:
    def typed(_typing: Any, first: Any, second: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            compare = builder.fcmp_unordered if holds_for_nan else builder.fcmp_ordered
            return compare(relation, *arguments)

        return VectorType(types.boolean, first.lanes)(first, second), generate

    return intrinsic(typed)


def _called(name: str, count: int) -> Any:
    """An operation on the lanes of some vectors of one type, named as LLVM's intrinsic."""

    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = _machine_type(signature.return_type)
        bits = vector.element.intrinsic_name
        function_type = ir.FunctionType(vector, [vector] * count)
        name_of_form = f"llvm.{name}.v{vector.count}{bits}"
        function = builder.module.globals.get(name_of_form)
        if function is None:
            function = ir.Function(builder.module, function_type, name_of_form)
        return builder.call(function, arguments)

    def of_one(_typing: Any, first: Any) -> Any:
        return first(first), generate

    def of_three(_typing: Any, first: Any, _second: Any, _third: Any) -> Any:
        return first(first, first, first), generate

    return intrinsic({1: of_one, 3: of_three}[count])


def address_of(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    """The address of an element of an array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [offset])


def read(builder: Any, address: Any, lanes: int) -> Any:
    """A vector of the elements from an address on."""
    element = address.type.pointee
    pointer = builder.bitcast(address, ir.VectorType(element, lanes).as_pointer())
    # Any start: the vectors of an array lie where its elements lie.
    return builder.load(pointer, align=4 if element == ir.FloatType() else 8)


def _read_rows(builder: Any, address: Any, stride: Any, lanes: int) -> list[Any]:
    """As many rows as lanes, a stride apart."""
    rows = []
    for _ in range(lanes):
        rows.append(read(builder, address, lanes))
        address = builder.gep(address, [stride])
    return rows


def _write(builder: Any, address: Any, vector: Any) -> None:
    pointer = builder.bitcast(address, vector.type.as_pointer())
    builder.store(vector, pointer, align=4 if vector.type.element == ir.FloatType() else 8)


def _load(_typing: Any, array: Any, _offset: Any) -> Any:
    vector = _FLOATS if array.dtype == types.float32 else _DOUBLES

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = address_of(context, builder, signature.args[0], *arguments)
        return read(builder, address, vector.lanes)

    return vector(array, types.intp), generate


def _load_widened(_typing: Any, array: Any, _offset: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = address_of(context, builder, signature.args[0], *arguments)
        return builder.fpext(read(builder, address, DOUBLE_LANES), _machine_type(_DOUBLES))

    return _DOUBLES(array, types.intp), generate


def _load_spread(_typing: Any, array: Any, _offset: Any) -> Any:
    vector = _FLOATS if array.dtype == types.float32 else _DOUBLES

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = builder.load(address_of(context, builder, signature.args[0], *arguments))
        return all_lanes(builder, number, vector)

    return vector(array, types.intp), generate


def _store(_typing: Any, array: Any, _offset: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = address_of(context, builder, signature.args[0], *arguments[:2])
        _write(builder, address, arguments[2])
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


def _spread(number: types.Type, vector: VectorType) -> Any:
    def typed(_typing: Any, _number: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return all_lanes(builder, arguments[0], vector)

        return vector(number), generate

    return intrinsic(typed)


def all_lanes(builder: Any, number: Any, vector: VectorType) -> Any:
    """A number in every lane of a vector."""
    undefined = ir.Constant(_machine_type(vector), ir.Undefined)
    first = builder.insert_element(undefined, number, ir.IntType(32)(0))
    return shuffled(builder, first, first, [0] * vector.lanes)


def _select(_typing: Any, _chosen: Any, first: Any, _second: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return first(_chosen, first, first), generate


def _larger(_typing: Any, first: Any, _second: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return first(first, first), generate


def _as_mask(_typing: Any, chosen: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = ir.VectorType(ir.IntType(32), LANES)
        return builder.bitcast(builder.sext(arguments[0], bits), _machine_type(_FLOATS))

    return _FLOATS(chosen), generate


def _select_by_mask(_typing: Any, mask: Any, first: Any, _second: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = ir.VectorType(ir.IntType(32), LANES)
        chosen = builder.icmp_signed("<", builder.bitcast(arguments[0], bits), ir.Constant(bits, None))
        return builder.select(chosen, *arguments[1:])

    return _FLOATS(mask, first, first), generate


def _bitwise(name: str) -> Any:
    """An operation on the bits of float32 lanes as whole numbers, named as the builder's method for it."""

    def typed(_typing: Any, first: Any, second: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            bits = ir.VectorType(ir.IntType(32), first.lanes)
            first_bits, second_bits = (builder.bitcast(argument, bits) for argument in arguments)
            return builder.bitcast(getattr(builder, name)(first_bits, second_bits), _machine_type(first))

        return first(first, second), generate

    return intrinsic(typed)


def _total(_typing: Any, vector: Any) -> Any:
    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (numbers,) = arguments
        lanes = signature.args[0].lanes
        while lanes > 1:
            lanes //= 2
            halves = [
                shuffled(builder, numbers, numbers, range(start, start + lanes)) for start in (0, lanes)
            ]
            numbers = builder.fadd(*halves)
        return builder.extract_element(numbers, ir.IntType(32)(0))

    return vector.element(vector), generate


def _totals(_typing: Any, first: Any, _second: Any, _third: Any, _fourth: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def sum_ofshuffled(one: Any, other: Any, *orders: Sequence[int]) -> Any:
            return builder.fadd(*(shuffled(builder, one, other, order) for order in orders))

        first_two = sum_ofshuffled(arguments[0], arguments[1], (0, 4, 2, 6), (1, 5, 3, 7))
        last_two = sum_ofshuffled(arguments[2], arguments[3], (0, 4, 2, 6), (1, 5, 3, 7))
        return sum_ofshuffled(first_two, last_two, (0, 1, 4, 5), (2, 3, 6, 7))

    return _DOUBLES(first, first, first, first), generate


def _transpose_block(
    _typing: Any, source: Any, _start: Any, _stride: Any, destination: Any, _to: Any, _to_stride: Any
) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, stride, to_array, to_start, to_stride = arguments
        address = address_of(context, builder, signature.args[0], array, start)
        to_address = address_of(context, builder, signature.args[3], to_array, to_start)
        rows = _read_rows(builder, address, stride, LANES)
        for column in _transposed(builder, rows):
            _write(builder, to_address, column)
            to_address = builder.gep(to_address, [to_stride])
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, destination, types.intp, types.intp), generate


def _transpose_widened(
    _typing: Any, source: Any, _start: Any, _stride: Any, destination: Any, _to: Any
) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, start, stride, to_array, to_start = arguments
        address = address_of(context, builder, signature.args[0], array, start)
        to_address = address_of(context, builder, signature.args[3], to_array, to_start)
        rows = _read_rows(builder, address, stride, DOUBLE_LANES)
        columns = []
        for pair in ((0, 4, 1, 5), (2, 6, 3, 7)):
            upper, lower = (shuffled(builder, rows[i], rows[i + 1], pair) for i in (0, 2))
            columns += [shuffled(builder, upper, lower, order) for order in ((0, 1, 4, 5), (2, 3, 6, 7))]
        for column in columns:
            _write(builder, to_address, builder.fpext(column, _machine_type(_DOUBLES)))
            to_address = builder.gep(to_address, [ir.IntType(64)(DOUBLE_LANES)])
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, destination, types.intp), generate


def _transposed(builder: Any, rows: Sequence[Any]) -> list[Any]:
    """Three rounds of exchanging halves: of neighbours, of pairs, and of the two sides."""
    low, high = (0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)
    pairs = [
        shuffled(builder, rows[i], rows[i + 1], order) for i in range(0, LANES, 2) for order in (low, high)
    ]
    low, high = (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)
    fours = [
        shuffled(builder, pairs[i + side], pairs[i + 2 + side], order)
        for i in (0, 4)
        for side in (0, 1)
        for order in (low, high)
    ]
    low, high = (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)
    return [shuffled(builder, fours[i], fours[i + 4], order) for order in (low, high) for i in range(4)]


def shuffled(builder: Any, first: Any, second: Any, order: Sequence[int]) -> Any:
    """The lanes of two vectors, counted through, in an order."""
    kept = ir.VectorType(ir.IntType(32), len(order))
    return builder.shuffle_vector(first, second, ir.Constant(kept, [ir.IntType(32)(i) for i in order]))


_One = Callable[[Vector], Vector]
_Two = Callable[[Vector, Vector], Vector]

align_stack = cast("Callable[[], None]", intrinsic(_align_stack))
"""Said in a kernel: vectors for which registers run out are to lie within lines of the cache.

Otherwise it is a matter of luck: exponentials took 0.26 or 0.58 ns each (AVX2).
"""

add = cast("_Two", _lanewise("fadd"))
subtract = cast("_Two", _lanewise("fsub"))
multiply = cast("_Two", _lanewise("fmul"))
divide = cast("_Two", _lanewise("fdiv"))
negate = cast("_One", _lanewise("fneg", 1))
absolute = cast("_One", _called("fabs", 1))

multiply_add = cast("Callable[[Vector, Vector, Vector], Vector]", _called("fmuladd", 3))
"""The first times the second plus the third, rounded once where the processor does so at no cost."""

exact_multiply_add = cast("Callable[[Vector, Vector, Vector], Vector]", _called("fma", 3))
"""The first times the second plus the third, rounded once."""

greater = cast("_Two", _compared(">"))
greater_or_nan = cast("_Two", _compared(">", holds_for_nan=True))
equal = cast("_Two", _compared("=="))
less = cast("_Two", _compared("<"))

select = cast("Callable[[Vector, Vector, Vector], Vector]", intrinsic(_select))
"""For each lane where the first holds the second, else the third."""

larger = cast("_Two", intrinsic(_larger))
"""The larger number of each lane; the second where one is NaN."""

as_mask = cast("_One", intrinsic(_as_mask))
"""All bits of a float32 lane where the argument holds, else none: a form that can be stored."""

select_by_mask = cast("Callable[[Vector, Vector, Vector], Vector]", intrinsic(_select_by_mask))
"""For each lane of a stored mask the second where it is set, else the third."""

bits_of_both = cast("_Two", _bitwise("and_"))
bits_of_either = cast("_Two", _bitwise("or_"))
bits_that_differ = cast("_Two", _bitwise("xor"))
add_bits = cast("_Two", _bitwise("add"))
subtract_bits = cast("_Two", _bitwise("sub"))
shift_bits = cast("_Two", _bitwise("shl"))

total = cast("Callable[[Vector], float]", intrinsic(_total))
"""The sum of the lanes, by halves."""

totals = cast("Callable[[Vector, Vector, Vector, Vector], Vector]", intrinsic(_totals))
"""The sums of the lanes of four vectors of float64, one in each lane."""

floats = cast("Callable[[np.floating[Any] | float], Vector]", _spread(types.float32, _FLOATS))
"""A float32 number in every lane."""

doubles = cast("Callable[[np.floating[Any] | float], Vector]", _spread(types.float64, _DOUBLES))
"""A float64 number in every lane."""

load = cast("Callable[[Array, int], Vector]", intrinsic(_load))
"""The elements of an array from an offset on; of float32 eight, of float64 four."""

load_widened = cast("Callable[[Array, int], Vector]", intrinsic(_load_widened))
"""Four elements of a float32 array from an offset on, as float64."""

load_spread = cast("Callable[[Array, int], Vector]", intrinsic(_load_spread))
"""One element of an array in every lane."""

store = cast("Callable[[Array, int, Vector], None]", intrinsic(_store))
"""Write the lanes to an array from an offset on."""

transpose_block = cast("Callable[[Array, int, int, Array, int, int], None]", intrinsic(_transpose_block))
"""Copy 8 rows of 8 float32 elements as columns: source, its start and stride, destination, likewise."""

transpose_widened = cast("Callable[[Array, int, int, Array, int], None]", intrinsic(_transpose_widened))
"""Copy 4 rows of 4 float32 elements as 4 columns of float64, one after the other: source, its start and
stride, destination, its start."""
