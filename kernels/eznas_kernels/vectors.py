"""Vectors of numbers held in registers, for kernels whose lanes the compiler would not find by itself.

A `Vector` of `LANES` float32 or of `DOUBLE_LANES` float64 numbers fills one register of AVX-512 or AVX2, and
several of other processors. Each function becomes the one instruction (or few) that its name says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray

from eznas_kernels.processor import compiles_for

LANES = 16 if compiles_for("avx512f") else 8
"""Numbers in a vector of float32, which is the number of matrices that are worked on together."""

DOUBLE_LANES = LANES // 2
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


_BITS_OF_ELEMENTS = {types.float32: 32, types.float64: 64}
_ELEMENTS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.boolean: ir.IntType(1)}


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: VectorType) -> None:
        machine_type = ir.VectorType(_ELEMENTS[vector.element], vector.lanes)
        super().__init__(manager, vector, machine_type)  # type: ignore[no-untyped-call]


FLOATS = VectorType(types.float32, LANES)
DOUBLES = VectorType(types.float64, DOUBLE_LANES)


def machine_type(vector: VectorType) -> Any:
    """LLVM's type of a vector."""
    return ir.VectorType(_ELEMENTS[vector.element], vector.lanes)


def _whole_type(vector: VectorType) -> Any:
    """LLVM's type of a vector's bits as whole numbers."""
    return ir.VectorType(ir.IntType(_BITS_OF_ELEMENTS[vector.element]), vector.lanes)


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


def call_intrinsic(builder: Any, name: str, returned: Any, arguments: Sequence[Any]) -> Any:
    """Call LLVM's intrinsic of a whole name."""
    function = builder.module.globals.get(name)
    if function is None:
        function_type = ir.FunctionType(returned, [argument.type for argument in arguments])
        function = ir.Function(builder.module, function_type, name)
    return builder.call(function, arguments)


def _called(name: str, count: int) -> Any:
    """An operation on the lanes of some vectors of one type, named as LLVM's intrinsic."""

    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = machine_type(signature.return_type)
        name_of_form = f"llvm.{name}.v{vector.count}{vector.element.intrinsic_name}"
        return call_intrinsic(builder, name_of_form, vector, arguments)

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


def write(builder: Any, address: Any, vector: Any) -> None:
    """Put a vector from an address on."""
    pointer = builder.bitcast(address, vector.type.as_pointer())
    builder.store(vector, pointer, align=4 if vector.type.element == ir.FloatType() else 8)


def _load(_typing: Any, array: Any, _offset: Any) -> Any:
    vector = FLOATS if array.dtype == types.float32 else DOUBLES

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = address_of(context, builder, signature.args[0], *arguments)
        return read(builder, address, vector.lanes)

    return vector(array, types.intp), generate


def _load_widened(_typing: Any, array: Any, _offset: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = address_of(context, builder, signature.args[0], *arguments)
        return builder.fpext(read(builder, address, DOUBLE_LANES), machine_type(DOUBLES))

    return DOUBLES(array, types.intp), generate


def _load_spread(_typing: Any, array: Any, _offset: Any) -> Any:
    vector = FLOATS if array.dtype == types.float32 else DOUBLES

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = builder.load(address_of(context, builder, signature.args[0], *arguments))
        return all_lanes(builder, number, vector)

    return vector(array, types.intp), generate


def _store(_typing: Any, array: Any, _offset: Any, vector: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = address_of(context, builder, signature.args[0], *arguments[:2])
        write(builder, address, arguments[2])
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
    return in_lanes(builder, number, vector.lanes)


def in_lanes(builder: Any, number: Any, lanes: int) -> Any:
    """A number in so many lanes."""
    undefined = ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, number, ir.IntType(32)(0))
    return shuffled(builder, first, first, [0] * lanes)


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
        return builder.bitcast(builder.sext(arguments[0], _whole_type(FLOATS)), machine_type(FLOATS))

    return FLOATS(chosen), generate


def _bitwise(name: str) -> Any:
    """An operation on the bits of lanes as whole numbers, named as the builder's method for it."""

    def typed(_typing: Any, first: Any, second: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            bits = _whole_type(first)
            first_bits, second_bits = (builder.bitcast(argument, bits) for argument in arguments)
            return builder.bitcast(getattr(builder, name)(first_bits, second_bits), machine_type(first))

        return first(first, second), generate

    return intrinsic(typed)


def _folded(builder: Any, numbers: Any, lanes: int) -> Any:
    """The sums of the halves of a vector, of their halves, and so on, down to a number of lanes."""
    while numbers.type.count > lanes:
        half = numbers.type.count // 2
        halves = (shuffled(builder, numbers, numbers, range(i, i + half)) for i in (0, half))
        numbers = builder.fadd(*halves)
    return numbers


def _widened_half(start: int) -> Any:
    """Half of the lanes of a float32 vector as float64: those from this half on."""

    def typed(_typing: Any, numbers: Any) -> Any:
        half = VectorType(types.float64, numbers.lanes // 2)

        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            lanes = range(start * half.lanes, (start + 1) * half.lanes)
            (floats,) = arguments
            return builder.fpext(shuffled(builder, floats, floats, lanes), machine_type(half))

        return half(numbers), generate

    return intrinsic(typed)


def _count_where(_typing: Any, counts: Any, chosen: Any) -> Any:
    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = _whole_type(signature.return_type)
        # All bits of a lane where it holds, which is -1.
        sum_of_both = builder.sub(builder.bitcast(arguments[0], bits), builder.sext(arguments[1], bits))
        return builder.bitcast(sum_of_both, machine_type(signature.return_type))

    return counts(counts, chosen), generate


def _count_unequal_signs(_typing: Any, counts: Any, first: Any, _second: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = _whole_type(counts)
        count, one, other = (builder.bitcast(argument, bits) for argument in arguments)
        sign_bit = ir.Constant(bits, [bits.element.width - 1] * bits.count)
        differs = builder.lshr(builder.xor(one, other), sign_bit)
        return builder.bitcast(builder.add(count, differs), machine_type(counts))

    return counts(counts, first, first), generate


def _whole_total(_typing: Any, counts: Any) -> Any:
    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = _whole_type(signature.args[0])
        name = f"llvm.vector.reduce.add.v{bits.count}i32"
        return call_intrinsic(builder, name, bits.element, [builder.bitcast(arguments[0], bits)])

    return types.int32(counts), generate


def _total(_typing: Any, vector: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.extract_element(_folded(builder, arguments[0], 1), ir.IntType(32)(0))

    return vector.element(vector), generate


def _totals(_typing: Any, first: Any, _second: Any, _third: Any, _fourth: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def added(one: Any, other: Any, *orders: Sequence[int]) -> Any:
            return builder.fadd(*(shuffled(builder, one, other, order) for order in orders))

        fours = [_folded(builder, numbers, 4) for numbers in arguments]
        first_two = added(fours[0], fours[1], (0, 4, 2, 6), (1, 5, 3, 7))
        last_two = added(fours[2], fours[3], (0, 4, 2, 6), (1, 5, 3, 7))
        return added(first_two, last_two, (0, 1, 4, 5), (2, 3, 6, 7))

    return VectorType(types.float64, 4)(first, first, first, first), generate


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
"""All bits of a float32 lane where the argument holds, else none."""

bits_of_both = cast("_Two", _bitwise("and_"))
bits_of_either = cast("_Two", _bitwise("or_"))
add_bits = cast("_Two", _bitwise("add"))
subtract_bits = cast("_Two", _bitwise("sub"))
shift_bits = cast("_Two", _bitwise("shl"))

low_widened = cast("_One", _widened_half(0))
"""The first half of the lanes of a float32 vector, as float64."""

high_widened = cast("_One", _widened_half(1))
"""The second half of the lanes of a float32 vector, as float64."""

count_where = cast("_Two", intrinsic(_count_where))
"""Add 1 to the bits of each lane, as whole numbers, where the second holds."""

count_unequal_signs = cast("Callable[[Vector, Vector, Vector], Vector]", intrinsic(_count_unequal_signs))
"""Add 1 to the bits of each lane, as whole numbers, where two others differ in their signs."""

whole_total = cast("Callable[[Vector], int]", intrinsic(_whole_total))
"""The sum of the bits of all lanes, as whole numbers."""

total = cast("Callable[[Vector], float]", intrinsic(_total))
"""The sum of the lanes, by halves."""

totals = cast("Callable[[Vector, Vector, Vector, Vector], Vector]", intrinsic(_totals))
"""The sums of the lanes of four vectors of float64, one in each lane."""

floats = cast("Callable[[np.floating[Any] | float], Vector]", _spread(types.float32, FLOATS))
"""A float32 number in every lane."""

doubles = cast("Callable[[np.floating[Any] | float], Vector]", _spread(types.float64, DOUBLES))
"""A float64 number in every lane."""

load = cast("Callable[[Array, int], Vector]", intrinsic(_load))
"""The elements of an array from an offset on, as many as there are lanes."""

load_widened = cast("Callable[[Array, int], Vector]", intrinsic(_load_widened))
"""The elements of a float32 array from an offset on, as float64."""

load_spread = cast("Callable[[Array, int], Vector]", intrinsic(_load_spread))
"""One element of an array in every lane."""

store = cast("Callable[[Array, int, Vector], None]", intrinsic(_store))
"""Write the lanes to an array from an offset on."""
