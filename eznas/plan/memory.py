"""Where values live in scratch memory: single numbers, tiles, and whole tensors, whose room is reused.

Offsets and sizes count float32 numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eznas.plan.calls import Place, Value
from eznas.plan.stages import Section
from eznas_kernels.instructions import TILE

CACHE_LINE: Final = 16
"""The numbers in 64 bytes."""

# Between neighbours: reading and writing a multiple of 4,096 bytes apart took a third longer (softmax).
_APART: Final = 5 * CACHE_LINE

_TILE_ROOM: Final = TILE + _APART


@dataclass(frozen=True, slots=True)
class Memory:
    """The scratch memory of a plan."""

    offsets: tuple[int, ...]
    """For each value where its numbers begin; 0 for those that are not in scratch memory."""
    is_tile: tuple[bool, ...]
    """For each value whether every tile overwrites the one before."""
    size: int
    """The numbers in all."""
    singles: int
    """How many of them, at the beginning, are values that are one number."""


def lay_out(values: Sequence[Value], sections: Sequence[Section]) -> Memory:
    """Give each value a place; single numbers keep theirs to the end."""
    spans = _spans(values, sections)
    offsets = [0] * len(values)
    is_tile = [False] * len(values)
    singles = 0
    for index, each in enumerate(values):
        if each.place is Place.NUMBER:
            offsets[index] = singles
            singles += 1
    tiles_begin = _whole_lines(singles)
    tiles = 0
    for section in sections:
        if section.size:
            results = {call.result for call in section.calls if call.result in spans}
            within = {value for value in results if spans[value][0] == spans[value][1]}
            tiles = max(tiles, _place_tiles(section, within, offsets, tiles_begin))
            for value in within:
                is_tile[value] = True
    tensors_begin = tiles_begin + tiles * _TILE_ROOM
    whole = {value: span for value, span in spans.items() if not is_tile[value]}
    end = _place_tensors(values, whole, offsets, tensors_begin)
    return Memory(tuple(offsets), tuple(is_tile), end, singles)


def _spans(values: Sequence[Value], sections: Sequence[Section]) -> dict[int, tuple[int, int]]:
    """For each tensor when it is first and last touched: a section of tiles counts once, a step by itself."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    now = 0
    for section in sections:
        for call in section.calls:
            now += not section.size
            for value in (call.result, *call.operands):
                first.setdefault(value, now)
                last[value] = now
        now += 1
    return {
        value: (begin, last[value]) for value, begin in first.items() if values[value].place is Place.TENSOR
    }


def _place_tiles(section: Section, within: set[int], offsets: list[int], begin: int) -> int:
    """Give tiles to values that live within one section; the number of tiles at once."""
    last_read = {}
    for position, call in enumerate(section.calls):
        for operand in call.operands:
            last_read[operand] = position
    free: list[int] = []
    used = 0
    for position, call in enumerate(section.calls):
        if call.result in within:
            if free:
                tile = free.pop()
            else:
                tile = used
                used += 1
            offsets[call.result] = begin + tile * _TILE_ROOM
        # Only after the result has its place: it must not overlap what the call reads.
        for operand in set(call.operands):
            if operand in within and last_read[operand] == position:
                free.append((offsets[operand] - begin) // _TILE_ROOM)
    return used


def _place_tensors(
    values: Sequence[Value], spans: dict[int, tuple[int, int]], offsets: list[int], begin: int
) -> int:
    """Give whole tensors the first gap that is free for as long as they live; the end of the memory."""
    living: list[tuple[int, int, int]] = []  # begin, end, when last touched; in the order of places
    end = begin
    for value, (first, last) in sorted(spans.items(), key=lambda item: item[1][0]):
        living = [place for place in living if place[2] >= first]
        room = _whole_lines(max(values[value].size)) + _APART
        offset = begin
        position = 0
        for taken, taken_end, _ in living:
            if taken - offset >= room:
                break
            offset = taken_end
            position += 1
        offsets[value] = offset
        living.insert(position, (offset, offset + room, last))
        end = max(end, offset + room)
    return end


def _whole_lines(size: int) -> int:
    return -(-size // CACHE_LINE) * CACHE_LINE
