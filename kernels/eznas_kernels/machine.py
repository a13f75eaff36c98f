"""The machine: walks an instruction list over the layers of a network, and calls a kernel for each entry.

An instruction is a row of int32 numbers, see `instructions.py`. Its operands are slots: addresses of float32
numbers in tensors, in scratch memory, or of single numbers. Sections are runs of instructions over tensors of
one size, which are walked tile by tile, so that what one instruction writes is still in the cache when the
next one reads it; in sections of single steps each instruction runs once.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from eznas_kernels.calling import OPERANDS, caller, destination_at, source_at
from eznas_kernels.instructions import TILE, Column, Form, SizeColumn
from eznas_kernels.policy import DESTINATION, SIZES, SOURCE, kernel, scalar
from eznas_kernels.reductions import PAIR

ZERO = np.float32(0.0)

_TABLE = types.Array(types.int64, 2, "C", readonly=True)
_TABLES = types.Array(types.int64, 3, "C", readonly=True)
_INSTRUCTIONS = types.Array(types.int32, 2, "C", readonly=True)

_call_fused = caller(OPERANDS, types.int64)
_call_unary = caller(SOURCE, DESTINATION)
_call_binary = caller(SOURCE, SOURCE, DESTINATION)
_call_with_scalar = caller(SOURCE, types.float32, DESTINATION)
_call_normalize = caller(SOURCE, types.float32, types.float32, DESTINATION)
_call_fill = caller(types.float32, DESTINATION)
_call_sum = caller(SOURCE, returns=types.float64)
_call_sum_of_two = caller(SOURCE, SOURCE, returns=types.float64)
_call_sum_with_scalar = caller(SOURCE, types.float32, returns=types.float64)
_call_moments = caller(SOURCE, types.float64, returns=PAIR)
_call_shaped_unary = caller(SOURCE, SIZES, DESTINATION)
_call_shaped_binary = caller(SOURCE, SOURCE, SIZES, DESTINATION)


@scalar
def _number(address: int) -> np.float32:
    return np.float32(source_at(address, 1)[0])


@scalar
def _put_number(address: int, number: np.float32) -> None:
    destination_at(address, 1)[0] = number


@scalar
def _put_total(totals: NDArray[np.float64], index: int, value: float, start: int) -> None:
    totals[index] = value if start == 0 else totals[index] + value


@scalar
def _map(form: int, address: int, first: int, second: int, third: int, target: int, count: int) -> None:
    """Write `count` numbers, each from the numbers in its place."""
    destination = destination_at(target, count)
    if form == Form.UNARY:
        _call_unary(address, (source_at(first, count), destination))
    elif form == Form.BINARY:
        _call_binary(address, (source_at(first, count), source_at(second, count), destination))
    elif form == Form.WITH_SCALAR:
        _call_with_scalar(address, (source_at(first, count), _number(second), destination))
    elif form == Form.NORMALIZE:
        _call_normalize(address, (source_at(first, count), _number(second), _number(third), destination))
    else:
        _call_fill(address, (_number(first), destination))


@scalar
def _fold(
    form: int, address: int, first: int, second: int, total: int, repeat: int, start: int, count: int,
    totals: NDArray[np.float64],
) -> None:  # fmt: skip
    """Add what `count` numbers give, each counted `repeat` times, to a total that begins at `start` 0."""
    source = source_at(first, count)
    if form == Form.SUM:
        _put_total(totals, total, repeat * _call_sum(address, (source,)), start)
    elif form == Form.SUM_OF_TWO:
        of_two = _call_sum_of_two(address, (source, source_at(second, count)))
        _put_total(totals, total, repeat * of_two, start)
    elif form == Form.SUM_WITH_SCALAR:
        with_scalar = _call_sum_with_scalar(address, (source, _number(second)))
        _put_total(totals, total, repeat * with_scalar, start)
    else:
        if start == 0:
            # The first number, so that the distances of equal numbers are exactly zero.
            totals[total] = source[0] if np.isfinite(source[0]) else 0.0
        distances, squares = _call_moments(address, (source, totals[total]))
        _put_total(totals, total + 1, distances, start)
        _put_total(totals, total + 2, squares, start)


@scalar
def _multiple(number: float, count: float, of: int) -> float:
    """The sum of products of a number with so many ones, and zeros for the rest; 0 times infinity is NaN."""
    if not np.isfinite(number) and count < of:
        return np.nan
    return number * count


@scalar
def _derive(
    form: int, total: int, number: float, instead: int, target: int, totals: NDArray[np.float64]
) -> None:
    """Make another total of a total and a number."""
    if form == Form.TOTAL_PRODUCT:
        totals[target] = number * totals[total] if np.abs(number) <= 1.0 else totals[instead]
    else:
        quotient = totals[total] / number
        totals[target] = quotient if quotient == quotient else 0.0


@scalar
def _finish(
    form: int, total: int, other: int, number: int, target: int, size: int, of: int,
    totals: NDArray[np.float64],
) -> None:  # fmt: skip
    """Make a total into the number that it stands for, in float64 up to the one rounding."""
    value = totals[total]
    if form == Form.FINISH_MEAN:
        _put_number(target, np.float32(value / size))
    elif form == Form.FINISH_ROOT:
        _put_number(target, np.float32(np.sqrt(value)))
    elif form == Form.FINISH_TOTAL:
        _put_number(target, np.float32(value))
    elif form == Form.FINISH_RATIO:
        # Zero over a size below zero is 0.0, as eager torch's zero less nothing.
        _put_number(target, np.float32(value) / np.float32(size) + ZERO)
    elif form == Form.FINISH_DIFFERENCE:
        _put_number(target, np.float32(value - totals[other]) / np.float32(size))
    elif form == Form.FINISH_MULTIPLE:
        multiple = _multiple(np.float64(_number(number)), value, of)
        _put_number(target, np.float32(multiple) / np.float32(size) + ZERO)
    else:
        distance = totals[total + 1] / size
        variance = (totals[total + 2] - totals[total + 1] * distance) / (size - 1)
        _put_number(target, np.float32(value + distance))
        # Rounding may leave less than nothing of numbers that hardly differ.
        destination_at(target, 2)[1] = np.float32(np.sqrt(0.0 if variance < 0.0 else variance))


@scalar
def _run_shaped(
    form: int, address: int, first: int, second: int, target: int, size: int, row: NDArray[np.int64]
) -> None:
    sizes = row[SizeColumn.SIZES : SizeColumn.SIZES + row[SizeColumn.COUNT]]
    source = source_at(first, row[SizeColumn.FIRST_SIZE])
    destination = destination_at(target, size)
    if form == Form.SHAPED_UNARY:
        _call_shaped_unary(address, (source, sizes, destination))
    else:
        other = source_at(second, row[SizeColumn.SECOND_SIZE])
        _call_shaped_binary(address, (source, other, sizes, destination))


@scalar
def _run_fused(
    address: int, target: int, start: int, count: int, sizes: NDArray[np.int64], geometry: int, extra: int,
    slots: NDArray[np.int64], steps: NDArray[np.int64], operands: NDArray[np.int64],
) -> None:  # fmt: skip
    """Call a fused kernel with the addresses of its destination and of what it reads."""
    operands[0] = slots[target] + start * steps[target]
    for index in range(sizes[geometry, extra, SizeColumn.COUNT]):
        slot = sizes[geometry, extra, SizeColumn.SIZES + index]
        operands[index + 1] = slots[slot] + start * steps[slot]
    _call_fused(address, (operands, count))


@scalar
def _run(
    instructions: NDArray[np.int32],
    index: int,
    geometry: int,
    start: int,
    count: int,
    kernels: NDArray[np.int64],
    lengths: NDArray[np.int64],
    sizes: NDArray[np.int64],
    slots: NDArray[np.int64],
    steps: NDArray[np.int64],
    totals: NDArray[np.float64],
    operands: NDArray[np.int64],
) -> None:
    """Run an instruction on `count` numbers from the number `start` on.

    It is given by its index, as the geometry is: views of rows are counted, which takes 10 ns for each, and
    longer where threads share the count.
    """
    form = instructions[index, Column.FORM]
    address = kernels[instructions[index, Column.KERNEL]]
    target = instructions[index, Column.DESTINATION]
    first = instructions[index, Column.FIRST]
    extra = instructions[index, Column.EXTRA]
    second = slots[instructions[index, Column.SECOND]] + start * steps[instructions[index, Column.SECOND]]
    if form == Form.FUSED:
        _run_fused(address, target, start, count, sizes, geometry, extra, slots, steps, operands)
    elif form <= Form.FILL:
        _map(
            form, address, slots[first] + start * steps[first], second,
            slots[instructions[index, Column.THIRD]], slots[target] + start * steps[target], count,
        )  # fmt: skip
    elif form <= Form.MOMENTS:
        _fold(
            form, address, slots[first] + start * steps[first], second, target, lengths[geometry, extra],
            start, count, totals,
        )  # fmt: skip
    elif form <= Form.TOTAL_QUOTIENT:
        number = np.float64(_number(second))
        _derive(form, first, number, instructions[index, Column.THIRD], target, totals)
    elif form <= Form.FINISH_MOMENTS:
        _finish(
            form, first, instructions[index, Column.SECOND], second, slots[target],
            lengths[geometry, instructions[index, Column.SIZE]], lengths[geometry, extra], totals,
        )  # fmt: skip
    else:
        _run_shaped(
            form, address, slots[first], second, slots[target],
            lengths[geometry, instructions[index, Column.SIZE]], sizes[geometry, extra],
        )  # fmt: skip


@kernel(
    _INSTRUCTIONS, _TABLES, SIZES, _TABLE, _TABLES, SIZES, SIZES, SIZES, SIZES, _TABLE, _TABLE, _TABLE,
    types.Array(types.int64, 1, "C"), SIZES, types.Array(types.float64, 1, "C"),
    SIZES, types.Array(types.float64, 2, "C"),
)  # fmt: skip
def run(
    instructions: NDArray[np.int32],
    sections: NDArray[np.int64],
    kernels: NDArray[np.int64],
    lengths: NDArray[np.int64],
    sizes: NDArray[np.int64],
    given_slots: NDArray[np.int64],
    layers: NDArray[np.int64],
    geometries: NDArray[np.int64],
    kinds: NDArray[np.int64],
    given: NDArray[np.int64],
    numbers: NDArray[np.int64],
    rows: NDArray[np.int64],
    slots: NDArray[np.int64],
    steps: NDArray[np.int64],
    totals: NDArray[np.float64],
    results: NDArray[np.int64],
    scalars: NDArray[np.float64],
) -> None:
    """Run instructions on some layers, one after the other.

    What an instruction makes that is one number stays there for the layers to come; which of them need not
    compute it again, `kinds` and `rows` say.

    Args:
        instructions: (instructions, len(Column)).
        sections: (kinds of layers, sections, 3) first instruction, the one after the last, and the number of
            the size of the tensors that are walked in tiles, -1 for single steps.
        kernels: The addresses that instructions call.
        lengths: (geometries, sizes) what the numbers of sizes mean.
        sizes: (geometries, shaped or fused kernels, columns), see `SizeColumn`.
        given_slots: The slots whose addresses differ from layer to layer.
        layers: The layers to run on.
        geometries: For each of them its geometry.
        kinds: For each of them its kind, see `find_repeats`.
        given: (given slots, all layers) their addresses.
        numbers: (numbers, 3) for single numbers that are computed the slot, the index in `rows`, and how
            many bytes behind the address found there it lies.
        rows: (sets of numbers, layers to run on) where the numbers of a set lie.
        slots: The addresses of all slots; those given, and those of numbers, are overwritten.
        steps: For each slot the bytes from one number to the next; 0 where every tile finds the same.
        totals: Scratch memory for sums.
        results: The slots of the numbers that are wanted.
        scalars: (results, all layers) where they are put.
    """
    operands = np.empty(sizes.shape[2] + 1, np.int64)
    for position in range(layers.size):
        layer, geometry, kind = layers[position], geometries[position], kinds[position]
        for index in range(numbers.shape[0]):
            slots[numbers[index, 0]] = rows[numbers[index, 1], position] + numbers[index, 2]
        for index in range(given_slots.size):
            slots[given_slots[index]] = given[index, layer]
        for section in range(sections.shape[1]):
            first, end = sections[kind, section, 0], sections[kind, section, 1]
            number = sections[kind, section, 2]
            if number < 0:
                for index in range(first, end):
                    count = lengths[geometry, instructions[index, Column.SIZE]]
                    _run(
                        instructions, index, geometry, 0, count, kernels, lengths, sizes, slots, steps,
                        totals, operands,
                    )  # fmt: skip
                continue
            size = lengths[geometry, number]
            for start in range(0, size, TILE):
                count = min(TILE, size - start)
                for index in range(first, end):
                    _run(
                        instructions, index, geometry, start, count, kernels, lengths, sizes, slots, steps,
                        totals, operands,
                    )  # fmt: skip
        for index in range(results.size):
            scalars[index, layer] = _number(slots[results[index]])


@kernel(
    _INSTRUCTIONS, _TABLE, _TABLE,
    types.Array(types.boolean, 1, "C"), types.Array(types.boolean, 1, "C", readonly=True),
    types.Array(types.int32, 2, "C"), types.Array(types.int64, 2, "C"), returns=types.int64,
)  # fmt: skip
def select(
    instructions: NDArray[np.int32],
    sections: NDArray[np.int64],
    sizes: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    known: NDArray[np.bool_],
    selected: NDArray[np.int32],
    bounds: NDArray[np.int64],
) -> int:
    """Keep the instructions that some slots depend on.

    Args:
        instructions: As for `run`.
        sections: As for `run`.
        sizes: As for `run`.
        wanted: For each slot whether it is wanted; those that they depend on are marked as well.
        known: For each slot whether it is given, so that nothing need be run for it.
        selected: Room for all instructions; those kept are put at its beginning.
        bounds: Room for all sections; their new bounds.

    Returns:
        The number of instructions kept.
    """
    for index in range(instructions.shape[0] - 1, -1, -1):
        instruction = instructions[index]
        target = instruction[Column.DESTINATION]
        if wanted[target] and not known[target]:
            wanted[instruction[Column.FIRST]] = True
            wanted[instruction[Column.SECOND]] = True
            wanted[instruction[Column.THIRD]] = True
            if instruction[Column.FORM] == Form.FUSED:
                row = sizes[instruction[Column.EXTRA]]
                for operand in range(row[SizeColumn.COUNT]):
                    wanted[row[SizeColumn.SIZES + operand]] = True
    kept = 0
    for section in range(sections.shape[0]):
        bounds[section, 0] = kept
        for index in range(sections[section, 0], sections[section, 1]):
            target = instructions[index, Column.DESTINATION]
            if wanted[target] and not known[target]:
                selected[kept] = instructions[index]
                kept += 1
        bounds[section, 1] = kept
        bounds[section, 2] = sections[section, 2]
    return kept
