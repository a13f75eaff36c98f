"""Writing at a place of a file, checksums, and errors of the operating system that name the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isal import isal_zlib
from numpy.typing import NDArray

from eznas.errors import StoreError


@contextmanager
def naming(path: Path, action: str) -> Iterator[None]:
    """Turn the operating system's errors into a `StoreError` that names the file and what failed."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot {action} {path}: {error.strerror or error}") from error


def write_at(descriptor: int, content: bytes | memoryview, offset: int) -> None:
    """Write all of the content, bytes, at a place of an open file, whatever stands there.

    Raises:
        OSError: A part or all of it could not be written.
    """
    rest = memoryview(content)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


def checksum(content: bytes | NDArray[Any], before: int = 0) -> int:
    """CRC-32, going on from that of what stands before: finds altered bytes, no protection against intent."""
    # The same numbers by carry-less multiplication: on mapped values in memory 2.2 to 3.5 times as fast as
    # zlib 1.2.13, at 0.8 to 0.9 of the speed of NumPy's sum. Both let other Python threads run.
    return isal_zlib.crc32(content if isinstance(content, bytes) else content.data, before)
