"""Clocks: every figure is the least of several repetitions, since noise only ever adds."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

R = TypeVar("R")


def timed(function: Callable[[], R]) -> tuple[float, R]:
    """The seconds that a call takes, and what it gives."""
    begin = time.perf_counter()
    result = function()
    return time.perf_counter() - begin, result


def least_seconds(function: Callable[[], object], repeats: int) -> float:
    """The seconds of the fastest of several calls."""
    return min(timed(function)[0] for _ in range(repeats))


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Collect no garbage while something is timed: with Numba loaded, a collection takes 0.15 seconds."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
