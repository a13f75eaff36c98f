"""A plan as the arrays of numbers that the machine reads."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from eznas.plan import Call, Place, Plan
from eznas_kernels.instructions import FLOAT_BYTES, Column, Form, SizeColumn


@dataclass(frozen=True, slots=True)
class EncodedPlan:
    """What `eznas_kernels.machine.run` takes, but for the addresses."""

    instructions: NDArray[np.int32]
    """(calls, len(Column)); the slots are the values of the plan."""
    sections: NDArray[np.int64]
    """(sections, 3): first call, the one after the last, and the number of the size, -1 for steps."""
    lengths: NDArray[np.int64]
    """(geometries, sizes): what the numbers of sizes mean."""
    sizes: NDArray[np.int64]
    """(geometries, calls of shaped or fused kernels, columns), see `SizeColumn`."""
    offsets: NDArray[np.int64]
    """(values,) in bytes from the beginning of the scratch memory."""
    steps: NDArray[np.int64]
    """(values,) the bytes between neighbours, 0 for what all tiles share."""
    constants: NDArray[np.float32]
    """(constants, geometries)."""
    numbers: NDArray[np.int64]
    """(numbers that are computed, 3): slot, index in `dependencies`, and bytes from where a layer's begin."""
    number_room: int
    """The numbers of a layer, computed or constant."""
    dependencies: tuple[frozenset[str], ...]
    """The distinct sets of terminals that numbers depend on."""
    scratch_size: int
    """The numbers in the scratch memory."""


def encode(plan: Plan, number_of_kernel: Mapping[str, int]) -> EncodedPlan:
    """Write a plan as numbers.

    Args:
        plan: The plan.
        number_of_kernel: The number of each kernel that the plan names.
    """
    calls = plan.calls
    ones = (1,) * plan.geometries
    number_of_size = {ones: 0}
    told = [call for call in calls if call.sizes or call.fused]
    row_of = {id(call): row for row, call in enumerate(told)}
    rows = [
        (
            call.form,
            number_of_kernel[call.kernel] if call.kernel else 0,
            call.result,
            call.first,
            call.second,
            call.third,
            number_of_size.setdefault(call.size, len(number_of_size)),
            row_of[id(call)]
            if call.sizes or call.fused
            else number_of_size.setdefault(call.repeat or ones, len(number_of_size)),
        )
        for call in calls
    ]
    # An array of the standard library takes numbers one after the other in a third of the time.
    instructions = np.frombuffer(array("i", chain.from_iterable(rows)), np.int32)
    sections = []
    end = 0
    for section in plan.sections:
        begin, end = end, end + len(section.calls)
        sections.append((begin, end, number_of_size[section.size] if section.size else -1))
    steps = [
        FLOAT_BYTES if value.place in _WALKED and not value.is_single and not tile else 0
        for value, tile in zip(plan.values, plan.memory.is_tile, strict=True)
    ]
    numbers, dependencies = _numbers(plan)
    return EncodedPlan(
        instructions=instructions.reshape(-1, len(Column)),
        sections=np.array(sections, np.int64).reshape(-1, 3),
        lengths=np.array(list(number_of_size), np.int64).T.copy(),
        sizes=_sizes(plan, told),
        offsets=np.array(plan.memory.offsets, np.int64) * FLOAT_BYTES,
        steps=np.array(steps, np.int64),
        constants=np.array(list(plan.constants.values()), np.float32).reshape(-1, plan.geometries),
        numbers=numbers,
        number_room=plan.memory.singles,
        dependencies=dependencies,
        scratch_size=plan.memory.size,
    )


_WALKED = (Place.TERMINAL, Place.TENSOR)


def _numbers(plan: Plan) -> tuple[NDArray[np.int64], tuple[frozenset[str], ...]]:
    """What the plan makes that is one number, and the sets of terminals on which these depend."""
    row_of: dict[frozenset[str], int] = {}
    numbers = [
        (index, row_of.setdefault(value.terminals, len(row_of)), FLOAT_BYTES * offset)
        for index, (value, offset) in enumerate(zip(plan.values, plan.memory.offsets, strict=True))
        if value.place is Place.NUMBER and value.constant is None
    ]
    return np.array(numbers, np.int64).reshape(-1, 3), tuple(row_of)


def _sizes(plan: Plan, told: list[Call]) -> NDArray[np.int64]:
    width = len(SizeColumn) - 1 + max((len(call.sizes or call.fused) for call in told), default=1)
    rows = np.zeros((len(told), width, plan.geometries), np.int64)
    for row, call in zip(rows, told, strict=True):
        row[SizeColumn.FIRST_SIZE] = plan.values[call.first].size
        row[SizeColumn.SECOND_SIZE] = plan.values[call.second].size
        row[SizeColumn.COUNT] = len(call.sizes or call.fused)
        if call.form is Form.FUSED:
            row[SizeColumn.SIZES : SizeColumn.SIZES + len(call.fused)] = np.array(call.fused)[:, None]
        else:
            row[SizeColumn.SIZES : SizeColumn.SIZES + len(call.sizes)] = call.sizes
    return rows.transpose(2, 0, 1).copy()
