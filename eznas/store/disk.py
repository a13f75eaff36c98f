"""Writing at a place of a file, checksums, and errors of the operating system that name the file."""

from __future__ import annotations

import importlib
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

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
    return _crc32(content if isinstance(content, bytes) else content.data, before)


def _fastest_crc32() -> Callable[[bytes | memoryview, int], int]:
    # The same numbers by carry-less multiplication, 3.5 to 4.6 times faster than zlib 1.2.13: in 1.1 times
    # the time that NumPy takes to sum the mapped values. Both let other Python threads run.
    try:
        found: Callable[[bytes | memoryview, int], int] = importlib.import_module("isal.isal_zlib").crc32
    except ImportError:
        return zlib.crc32
    return found


_crc32: Final = _fastest_crc32()
