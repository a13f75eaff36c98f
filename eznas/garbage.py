"""Python's garbage collections, while much is made and little of it lasts."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Have collections look through what is made from now on alone.

    The objects of Torch and Numba, a third of a million, last as long as the process. To look through them
    takes 0.2 s, half of what the paper's generations take to evaluate, and happens at any moment.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
