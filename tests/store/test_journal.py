import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_stores import NAMES, SETTINGS, SOME, contents, made_up, write_store

from eznas.store import StatisticsStore

JOURNAL = "journal.jsonl"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return contents(write_store(tmp_path_factory.mktemp("whole") / "store").path)


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A store of which two networks are written, the first with layers that share tensors."""
    with StatisticsStore.create(tmp_path, NAMES, SOME, SETTINGS) as writer:
        for name in NAMES[:2]:
            writer.append(name, made_up(name))
    return tmp_path


def finish(folder: Path) -> tuple[str, ...]:
    """Go on with a store; what was left to do."""
    with StatisticsStore.create(folder, NAMES, SOME, SETTINGS) as writer:
        remaining = writer.remaining
        for name in remaining:
            writer.append(name, made_up(name))
        writer.finish()
    return remaining


def sealed_line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return json.dumps({**record, "checksum": zlib.crc32(text)}, separators=(",", ":")).encode()


def test_store_with_shared_tensors_is_gone_on_with(begun: Path, whole: dict[str, bytes]) -> None:
    first = json.loads((begun / JOURNAL).read_bytes().splitlines()[0])
    assert first["holders"] == [[0, 0, 0, 0], [1, 1, 1, 1], [0, 2, 1, 2]]
    assert finish(begun) == NAMES[2:]
    assert contents(begun) == whole


def test_no_altered_byte_of_the_journal_goes_unnoticed(begun: Path, whole: dict[str, bytes]) -> None:
    lines = (begun / JOURNAL).read_bytes()
    for place in range(0, len(lines), 61):
        (begun / JOURNAL).write_bytes(lines[:place] + bytes([lines[place] ^ 1]) + lines[place + 1 :])
        with StatisticsStore.create(begun, NAMES, SOME, SETTINGS) as writer:
            assert writer.remaining == (NAMES if place < lines.index(b"\n") else NAMES[1:])
            for name in writer.remaining[:-1]:
                writer.append(name, made_up(name))
        assert (begun / JOURNAL).read_bytes() == lines
    assert finish(begun) == NAMES[2:]
    assert contents(begun) == whole


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["holders"][1].__setitem__(1, -1),
        lambda record: record["holders"][1].__setitem__(1, 2),
        lambda record: record["holders"][1].__setitem__(1, 0),
        lambda record: record["holders"][2].__setitem__(0, 2),
        lambda record: record["holders"][2].__setitem__(0, 0.0),
        lambda record: record["holders"][2].__setitem__(0, False),
        lambda record: record["holders"][2].__setitem__(0, 2**70),
        lambda record: record["holders"][2].pop(),
        lambda record: record["holders"].pop(),
        lambda record: record.pop("holders"),
        lambda record: record["shapes"][1][2].__setitem__(0, 2**62),
        lambda record: record["shapes"][1][2].__setitem__(0, 10**9),
        lambda record: record["shapes"][1][2].__setitem__(0, -1),
        lambda record: record["shapes"][2][0].__setitem__(1, 1),
        lambda record: record["shapes"].append(5),
        lambda record: record["checksums"].__setitem__(0, "0"),
        lambda record: record["checksums"].__setitem__(0, -1),
        lambda record: record["checksums"].__setitem__(0, 0),
        lambda record: record["checksums"].pop(),
        lambda record: record.update(checksums=None),
        lambda record: record.update(more=1),
    ],
)
def test_line_that_says_what_cannot_be_is_cut_off_and_its_network_written_again(
    begun: Path, whole: dict[str, bytes], change: Callable[[dict[str, Any]], None]
) -> None:
    first, second = (begun / JOURNAL).read_bytes().splitlines()
    record = json.loads(first)
    del record["checksum"]
    assert sealed_line(record) == first
    change(record)
    (begun / JOURNAL).write_bytes(sealed_line(record) + b"\n" + second + b"\n")
    assert finish(begun) == NAMES
    assert contents(begun) == whole


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"name": NaN}', b"\xff\xfe", b"[]", b'"name"', b"7", b""])
def test_line_of_anything_else_is_cut_off(begun: Path, whole: dict[str, bytes], line: bytes) -> None:
    (begun / JOURNAL).write_bytes(line + b"\n")
    assert finish(begun) == NAMES
    assert contents(begun) == whole
