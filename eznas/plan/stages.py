"""The order of calls: sections that run tile by tile over tensors of one size, and single steps between them.

A stage is one section for each size, followed by the steps that need what those made: ends of folds, matrix
routines, single numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eznas.plan.calls import Call, Sizes
from eznas_kernels.instructions import Form


class Section(NamedTuple):
    """Calls that run together, in this order."""

    calls: tuple[Call, ...]
    size: Sizes
    """The numbers in the tensors that are walked tile by tile; nothing for steps that run once each."""


def make_sections(calls: Sequence[Call], values: int) -> tuple[Section, ...]:
    """Put calls into sections.

    Args:
        calls: Each after those that it reads from.
        values: The number of values.
    """
    is_tiled = [call.is_tiled for call in calls]
    stages = _earliest_stages(calls, is_tiled, values)
    _move_to_readers(calls, is_tiled, stages, values)
    tiled: dict[tuple[int, Sizes], list[Call]] = {}
    steps: dict[int, list[Call]] = {}
    for call, tiles, stage in zip(calls, is_tiled, stages, strict=True):
        if tiles:
            tiled.setdefault((stage, call.size), []).append(call)
        else:
            steps.setdefault(stage, []).append(call)
    sections = {(stage, 0, size): Section(tuple(members), size) for (stage, size), members in tiled.items()}
    sections |= {(stage, 1, ()): Section(tuple(members), ()) for stage, members in steps.items()}
    return tuple(sections[key] for key in sorted(sections))


def _earliest_stages(calls: Sequence[Call], is_tiled: Sequence[bool], values: int) -> list[int]:
    """The first stage in which all operands of a call are there."""
    stages = []
    # The stage in which tiled calls of the same size, and in which steps, can read a value.
    for_tiles = [0] * values
    for_steps = [0] * values
    for call, tiles in zip(calls, is_tiled, strict=True):
        ready = for_tiles if tiles else for_steps
        stage = max(ready[call.first], ready[call.second], ready[call.third])
        stages.append(stage)
        for_steps[call.result] = stage
        for_tiles[call.result] = stage if tiles else stage + 1
        if call.form is Form.FINISH_MOMENTS:
            for_steps[call.result + 1] = stage
            for_tiles[call.result + 1] = stage + 1
    return stages


def _move_to_readers(calls: Sequence[Call], is_tiled: Sequence[bool], stages: list[int], values: int) -> None:
    """Move elementwise calls to the stage in which they are first read.

    Their results then need not be kept as whole tensors between stages.
    """
    first_read: list[int | None] = [None] * values
    for index in range(len(calls) - 1, -1, -1):
        call = calls[index]
        read = first_read[call.result]
        if read is not None and is_tiled[index] and call.form <= Form.FILL:
            stages[index] = read
        stage = stages[index]
        for operand in (call.first, call.second, call.third):
            known = first_read[operand]
            if known is None or stage < known:
                first_read[operand] = stage
