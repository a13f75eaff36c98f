"""A plan as the arrays of numbers that the machine reads."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from eznas.plan import Call, Place, Plan
from eznas_kernels.instructions import FLOAT_BYTES, Column, SizeColumn


@dataclass(frozen=True, slots=True)
class EncodedPlan:
    """What `eznas_kernels.machine.run` takes, but for the addresses."""

    instructions: NDArray[np.int32]
    """(calls, len(Column)); the slots are the values of the plan."""
    sections: NDArray[np.int64]
    """(sections, 3): first call, the one after the last, and size."""
    sizes: NDArray[np.int64]
    """One row for each call of a shaped or fused kernel, see `SizeColumn`."""
    offsets: NDArray[np.int64]
    """(values,) in bytes from the beginning of the scratch memory."""
    steps: NDArray[np.int64]
    """(values,) the bytes between neighbours, 0 for what all tiles share."""
    constant_offsets: NDArray[np.int64]
    """In numbers from the beginning of the scratch memory."""
    constants: NDArray[np.float32]
    scratch_size: int
    """The numbers in the scratch memory."""


def encode(plan: Plan, number_of_kernel: Mapping[str, int]) -> EncodedPlan:
    """Write a plan as numbers.

    Args:
        plan: The plan.
        number_of_kernel: The number of each kernel that the plan names.
    """
    calls = plan.calls
    memory = plan.memory
    sized = [call for call in calls if call.sizes]
    row_of = {id(call): row for row, call in enumerate(sized)}
    numbers = [
        (
            call.form,
            number_of_kernel[call.kernel] if call.kernel else 0,
            call.result,
            call.first,
            call.second,
            call.third,
            call.size,
            row_of.get(id(call), call.repeat),
        )
        for call in calls
    ]
    # An array of the standard library takes numbers one after the other in a third of the time.
    instructions = np.frombuffer(array("i", chain.from_iterable(numbers)), np.int32)
    ends = np.cumsum([len(section.calls) for section in plan.sections], dtype=np.int64)
    sizes = np.array([section.size for section in plan.sections], np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(ends) else ends
    steps = [
        FLOAT_BYTES if value.place in _WALKED and value.size > 1 and not tile else 0
        for value, tile in zip(plan.values, memory.is_tile, strict=True)
    ]
    constants = plan.constants
    return EncodedPlan(
        instructions=instructions.reshape(-1, len(Column)),
        sections=np.stack([starts, ends, sizes], axis=1),
        sizes=_sizes(plan, sized),
        offsets=np.array(memory.offsets, np.int64) * FLOAT_BYTES,
        steps=np.array(steps, np.int64),
        constant_offsets=np.array([memory.offsets[value] for value in constants], np.int64),
        constants=np.array(list(constants.values()), np.float32),
        scratch_size=memory.size,
    )


_WALKED = (Place.TERMINAL, Place.TENSOR)


def _sizes(plan: Plan, sized: list[Call]) -> NDArray[np.int64]:
    width = len(SizeColumn) - 1 + max((len(call.sizes) for call in sized), default=1)
    rows = np.zeros((len(sized), width), np.int64)
    for row, call in zip(rows, sized, strict=True):
        row[SizeColumn.FIRST_SIZE] = plan.values[call.first].size
        row[SizeColumn.SECOND_SIZE] = plan.values[call.second].size
        row[SizeColumn.COUNT] = len(call.sizes)
        row[SizeColumn.SIZES : SizeColumn.SIZES + len(call.sizes)] = call.sizes
    return rows
