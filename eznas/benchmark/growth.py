"""Measures how time grows with programs, networks and threads, and what the memo saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from eznas.benchmark.timing import timed, without_garbage_collection
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.statistics import NetworkStatistics

REPLACED: Final = 0.3
"""The share of programs that are new in the second of two related calls."""


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """The first call of a new evaluator; the memo is off."""

    backend: str
    varied: str
    """`programs`, `networks` or `threads`."""
    programs: int
    networks: int
    threads: int
    seconds: float


@dataclass(frozen=True, slots=True)
class MemoTiming:
    """Two calls of one evaluator, the second with some of the programs replaced."""

    backend: str
    programs: int
    replaced: int
    networks: int
    first_seconds: float
    second_seconds: float
    hits: int
    """Of the second call."""
    misses: int
    subtree_hits: int
    subtree_misses: int
    memo_bytes: int

    @property
    def hit_rate(self) -> float:
        """The share of the programs of the second call that were found."""
        return self.hits / max(1, self.hits + self.misses)

    @property
    def subtree_hit_rate(self) -> float:
        """The share of the looked up subtrees of the second call that were found."""
        return self.subtree_hits / max(1, self.subtree_hits + self.subtree_misses)


def measure_growth(
    name: str,
    programs: Sequence[Program],
    networks: Sequence[NetworkStatistics],
    threads: Sequence[int],
    repeats: int,
) -> tuple[GrowthPoint, ...]:
    """Time growing numbers of programs, of networks and of threads, each with all of the others.

    Args:
        name: The backend.
        programs: A workload.
        networks: The networks.
        threads: The numbers of threads to vary over; the first is that of the other two series.
        repeats: Of each measurement; the least counts.
    """
    points = [("programs", count, len(networks), threads[0]) for count in _up_to(len(programs))]
    points += [("networks", len(programs), count, threads[0]) for count in _up_to(len(networks))]
    points += [("threads", len(programs), len(networks), count) for count in threads]
    return tuple(
        GrowthPoint(
            name,
            varied,
            count,
            held,
            used,
            _first_call(name, programs[:count], networks[:held], used, repeats),
        )
        for varied, count, held, used in points
    )


def measure_memo(
    name: str, programs: Sequence[Program], networks: Sequence[NetworkStatistics], threads: int
) -> MemoTiming:
    """Time two related calls, as two generations of an evolution are, with the memo on."""
    count = max(1, int(len(programs) / (1 + REPLACED)))
    replaced = len(programs) - count
    evaluator = Evaluator(networks, name, threads)
    with without_garbage_collection():
        first, _ = timed(partial(evaluator.score, programs[:count]))
        before = _counts(evaluator)
        second, _ = timed(partial(evaluator.score, programs[replaced:]))
    return MemoTiming(
        backend=name,
        programs=count,
        replaced=replaced,
        networks=len(networks),
        first_seconds=first,
        second_seconds=second,
        **{name: count - before[name] for name, count in _counts(evaluator).items()},
        memo_bytes=evaluator.memo.bytes + evaluator.subtree_memo.bytes,
    )


def _counts(evaluator: Evaluator) -> dict[str, int]:
    return {
        "hits": evaluator.memo.hits,
        "misses": evaluator.memo.misses,
        "subtree_hits": evaluator.subtree_memo.hits,
        "subtree_misses": evaluator.subtree_memo.misses,
    }


def _first_call(
    name: str,
    programs: Sequence[Program],
    networks: Sequence[NetworkStatistics],
    threads: int,
    repeats: int,
) -> float:
    seconds = []
    for _ in range(repeats):
        evaluator = Evaluator(networks, name, threads, memo_bytes=0)
        with without_garbage_collection():
            seconds.append(timed(partial(evaluator.score, programs))[0])
    return min(seconds)


def _up_to(most: int) -> list[int]:
    """1, 10, 100, and so on, and the most itself."""
    steps = [10**power for power in range(6) if 10**power < most]
    return [*steps, most]
