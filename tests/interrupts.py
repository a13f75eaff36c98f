"""Interrupts for tests that send them, however the tests were started."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """Handle SIGINT as Python does by default, in this process and in those that it starts meanwhile.

    A shell starts its background jobs with SIGINT ignored. Python leaves it so, and every child inherits it
    (POSIX, `exec`): an interrupt that a test sends would be lost.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
