"""A file of values mapped into memory, and advice to the system on what of it will be read soon."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.errors import StoreError
from eznas.store.disk import naming
from eznas.store.layout import FLOAT

# Only Linux tells without waiting whether something is in memory; elsewhere the system has to find out.
_WITHOUT_WAITING: Final[int] = getattr(os, "RWF_NOWAIT", 0)


_READ_TOGETHER: Final = 2**16
"""Bytes that systems mostly read from the disk at once, so that one of them tells of all."""


class MappedFile:
    """The values of a file, which are read from the disk as they are touched.

    Args:
        file: Holds nothing but float32 numbers.
        size: Its bytes. The file may have changed since it was last looked at, and reading past its end would
            end the process.

    Raises:
        StoreError: The file is missing, of another size, or cannot be mapped.
    """

    def __init__(self, file: Path, size: int) -> None:
        with naming(file, "map"):
            check_size(file, size)
            self._descriptor = os.open(file, os.O_RDONLY)
            weakref.finalize(self, os.close, self._descriptor)
            mapped = np.memmap(file, FLOAT, mode="r") if size else np.empty(0, FLOAT)
        # A plain array over the same memory: slices of np.memmap itself take several times as long.
        self.values: NDArray[np.float32] = np.asarray(mapped)
        self.address: int = self.values.__array_interface__["data"][0]

    def read_ahead(self, first: int, end: int) -> None:
        """Have the system begin to read these values from the disk, unless they are in memory.

        Where the system takes no such advice, nothing happens.
        """
        begin, size = FLOAT.itemsize * first, FLOAT.itemsize * (end - first)
        # To advise on what is in memory takes 20 µs a MB, to look at a place of it 1 µs.
        if size and hasattr(os, "posix_fadvise") and not self._seems_in_memory(begin, size):
            # Unlike mmap.madvise, it lets other Python threads go on while the system finds room.
            os.posix_fadvise(self._descriptor, begin, size, os.POSIX_FADV_WILLNEED)

    def _seems_in_memory(self, begin: int, size: int) -> bool:
        if not _WITHOUT_WAITING:
            return False
        byte = [bytearray(1)]
        last = begin + size - 1
        places = [last] if size <= _READ_TOGETHER else [begin + size // 2, last]
        try:
            for place in places:
                os.preadv(self._descriptor, byte, place, _WITHOUT_WAITING)
        except OSError:
            # It would have to wait for the disk, or the file system cannot tell.
            return False
        return True


def check_size(file: Path, expected: int) -> None:
    """Refuse a file that is not of the expected size in bytes.

    Raises:
        StoreError: It is missing, truncated or too long.
    """
    if not file.is_file():
        raise StoreError(f"{file} is missing")
    found = file.stat().st_size
    if found != expected:
        raise StoreError(
            f"{file} is {'truncated' if found < expected else 'too long'}: "
            f"expected {expected} bytes, got {found}"
        )
