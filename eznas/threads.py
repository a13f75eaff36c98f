"""How many threads torch uses, for the time of a piece of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
