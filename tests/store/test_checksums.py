import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eznas.store import disk


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_checksums_are_those_of_zlib(content: bytes, before: int) -> None:
    assert disk.checksum(content, before) == zlib.crc32(content, before)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 255, 256, 4_095, 4_097, 1_000_003])
@pytest.mark.parametrize("start", [0, 1, 3])
def test_checksums_of_arrays_are_those_of_their_bytes(size: int, start: int) -> None:
    numbers = np.random.default_rng(size).standard_normal(size + start, np.float32)[start:]
    numbers.flags.writeable = False
    assert disk.checksum(numbers) == zlib.crc32(numbers.tobytes())
