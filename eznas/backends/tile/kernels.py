"""The kernels that a backend can call: all of the library, and those that were made since."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from eznas_kernels.library import ADDRESSES, NUMBER_OF_KERNEL


class KernelTable:
    """The number of each kernel by name, and the addresses by number; it only grows."""

    def __init__(self) -> None:
        self.number_of = dict(NUMBER_OF_KERNEL)
        self.addresses: NDArray[np.int64] = ADDRESSES
        self._lock = threading.Lock()

    def add(self, name: str, address: int) -> None:
        """Take in a kernel; arrays of addresses given out before stay as they are."""
        with self._lock:
            self.addresses = np.append(self.addresses, np.int64(address))
            self.number_of[name] = len(self.addresses) - 1
