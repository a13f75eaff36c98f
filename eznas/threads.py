"""How many processors there are for us, and how many threads torch takes of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def available_processors() -> int:
    """The processors that this process may use; fewer than the machine has in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch work on one thread, and give it back the threads that it had.

    Small networks gain nothing from more: two threads that wait for each other on busy cores took twenty
    times the processor time of one. And long sums are split by the number of threads, so that the bits of a
    result depend on it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
