"""Read pickles that hold plain containers and numbers, and nothing that could run code."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, Literal

from eznas.errors import TaskError
from eznas.suggestion import quoted
from eznas.tasks.plain_values import CONSTRUCTORS, Constructor, finished

Encoding = Literal["ASCII", "latin1", "bytes"]
"""How the byte strings of Python 2 are read, as `pickle.load` has it."""

MOST_BYTES: Final = 2**30
"""A larger (decompressed) file is refused; a batch of the images people use is a sixth of it."""

_BLOCK: Final = 2**24
_SHORT_TEXT: Final = 32
_REFUSED: Final = frozenset({"PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"})
"""Opcodes that bring objects in past `find_class`; plain values need none."""

_TUPLES: Final = frozenset({"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"})
_MOST_TUPLES: Final = 20_000
"""Python hashes nested tuples by recursion in C, and the end of the stack is the end of the process."""

_BYTES_OF_A_TUPLE: Final = 400
"""A large file may hold a tuple for so many bytes; those of NATS-Bench hold one for 1,350 at most."""


def load_plain(
    file: BinaryIO, what: str, *, encoding: Encoding = "ASCII", most_bytes: int = MOST_BYTES
) -> Any:
    """The content of a pickle of plain values; no code of the pickle's choice is ever run.

    Plain values are None, booleans, numbers, texts, bytes, lists, tuples, dictionaries (also ordered ones,
    which become dictionaries), sets, and numeric NumPy scalars, dtypes and arrays.

    Args:
        file: A binary file, at the start of the pickle.
        what: What to call it in errors; its name.
        encoding: How texts of Python 2 are read; `bytes` leaves them as they are.
        most_bytes: How large the pickle may be.

    Raises:
        TaskError: The file is no pickle, is truncated or too large, goes on after its end, or asks for
            anything else than plain values.
    """
    data = _read(file, what, most_bytes)
    end = _checked_end(data, 0, what)
    if end != len(data):
        raise TaskError(f"{what} goes on for {len(data) - end} bytes after the end of its pickle")
    return _load(io.BytesIO(data), what, encoding)


def load_plain_sequence(file: BinaryIO, what: str, *, most_bytes: int = MOST_BYTES) -> Iterator[Any]:
    """The contents of pickles that follow each other in one file; see `load_plain`.

    Raises:
        TaskError: As `load_plain`, as soon as the pickle in question is asked for.
    """
    data = _read(file, what, most_bytes)
    stream, position = io.BytesIO(data), 0
    while position < len(data):
        end = _checked_end(data, position, what)
        stream.seek(position)
        yield _load(stream, what, "ASCII")
        position = end


def _read(file: BinaryIO, what: str, most_bytes: int) -> bytes:
    """The whole file, read in blocks so that a small compressed file cannot fill the memory."""
    blocks, size = [], 0
    try:
        while block := file.read(min(_BLOCK, most_bytes + 1 - size)):
            blocks.append(block)
            size += len(block)
            if size > most_bytes:
                raise TaskError(f"{what} is larger than {most_bytes:,} bytes; expected a smaller pickle")
    except (OSError, EOFError, ValueError) as error:
        raise TaskError(f"cannot read {what}: {error}") from error
    if not blocks:
        raise TaskError(f"{what} is empty; expected a pickle")
    return b"".join(blocks)


def _load(stream: BinaryIO, what: str, encoding: Encoding) -> Any:
    try:
        return finished(_PlainUnpickler(stream, encoding=encoding).load())
    except TaskError as error:
        raise TaskError(f"{what}: {error}") from error.__cause__
    except Exception as error:  # a pickle can misuse every container in its own way
        reason = str(error).partition("\n")[0]
        raise TaskError(f"{what} is no pickle of plain values: {type(error).__name__}: {reason}") from error


class _PlainUnpickler(pickle.Unpickler):
    """Finds nothing but the constructors of plain values, each of which checks what it is given."""

    def find_class(self, module: str, name: str) -> Constructor:
        constructor = CONSTRUCTORS.get((module, name))
        if constructor is None:
            raise TaskError(
                f"refused, it asks for {quoted(f'{module}.{name}')}; "
                f"expected plain containers, numbers and NumPy arrays"
            )
        return constructor


def _checked_end(data: bytes, start: int, what: str) -> int:
    """Where the pickle ends, once each opcode is known to be harmless.

    Python's own unpickler believes the numbers in a pickle: ten bytes that put something into memory slot
    2**32 - 1 take 64 GB. So opcodes, lengths and slots are checked first.
    """
    position, tuples = start, 0
    most_tuples = max(_MOST_TUPLES, len(data) // _BYTES_OF_A_TUPLE)
    try:
        while True:
            position = _end_of_run(data, position)
            opcode = data[position]
            position += 1
            size = _SIZES[opcode]
            if size >= 0:
                position += size
                continue
            name = _NAMES[opcode]
            if name == "STOP":
                return position
            if name in _TUPLES:
                tuples += 1
                if tuples > most_tuples:
                    raise TaskError(f"{what} holds more than {most_tuples:,} tuples; expected fewer")
                continue
            if name in _REFUSED or not name:
                shown = name or f"the byte {opcode:#04x}"
                raise TaskError(f"{what}: refused, {shown} at byte {position - 1} is not of plain values")
            position = _ARGUMENTS[name](data, position)
    except (IndexError, ValueError) as error:
        raise TaskError(f"{what} is truncated or no pickle: {error}, {len(data)} bytes in all") from error


def _after_lines(count: int) -> Callable[[bytes, int], int]:
    def after(data: bytes, position: int) -> int:
        for _ in range(count):
            position = data.index(b"\n", position) + 1
        return position

    return after


def _after_counted(width: int) -> Callable[[bytes, int], int]:
    def after(data: bytes, position: int) -> int:
        start = position + width
        return start + int.from_bytes(data[position:start], "little")

    return after


def _check_slot(slot: int, data: bytes) -> None:
    if not 0 <= slot <= len(data):
        raise ValueError(f"memory slot {slot} in {len(data)} bytes")


def _after_put_line(data: bytes, position: int) -> int:
    end = data.index(b"\n", position)
    _check_slot(int(data[position:end]), data)
    return end + 1


def _after_long_put(data: bytes, position: int) -> int:
    _check_slot(int.from_bytes(data[position : position + 4], "little"), data)
    return position + 4


def _argument_checks() -> dict[str, Callable[[bytes, int], int]]:
    counted = {
        pickletools.TAKEN_FROM_ARGUMENT1: _after_counted(1),
        pickletools.TAKEN_FROM_ARGUMENT4: _after_counted(4),
        pickletools.TAKEN_FROM_ARGUMENT4U: _after_counted(4),
        pickletools.TAKEN_FROM_ARGUMENT8U: _after_counted(8),
        pickletools.UP_TO_NEWLINE: _after_lines(1),
    }
    checks = {op.name: counted[op.arg.n] for op in pickletools.opcodes if op.arg and op.arg.n < 0}
    return checks | {
        "GLOBAL": _after_lines(2),
        "INST": _after_lines(2),
        "PUT": _after_put_line,
        "LONG_BINPUT": _after_long_put,
    }


_ARGUMENTS: Final = _argument_checks()
_BY_CODE: Final = {ord(op.code): op for op in pickletools.opcodes}
_NAMES: Final = [_BY_CODE[code].name if code in _BY_CODE else "" for code in range(256)]


def _size(code: int) -> int:
    """Bytes of an argument that needs no look, -1 where one is due."""
    name = _NAMES[code]
    special = not name or name == "STOP" or name in _REFUSED or name in _TUPLES or name in _ARGUMENTS
    argument = None if special else _BY_CODE[code].arg
    return -1 if special else argument.n if argument else 0


_SIZES: Final = [_size(code) for code in range(256)]


def _run_of_harmless() -> re.Pattern[bytes]:
    """Opcodes that need no look, and short texts, as many as there are.

    A file of NATS-Bench is so checked in 2.3 ms instead of 28.
    """
    by_size: dict[int, list[int]] = {}
    for code, size in enumerate(_SIZES):
        if size >= 0:
            by_size.setdefault(size, []).append(code)
    fixed = [b"[%s]%s" % (re.escape(bytes(codes)), b"." * size) for size, codes in sorted(by_size.items())]
    texts = b"|".join(re.escape(bytes([size])) + b".{%d}" % size for size in range(_SHORT_TEXT))
    return re.compile(b"(?:%s|\\x8c(?:%s))*+" % (b"|".join(fixed), texts), re.DOTALL)


_RUN: Final = _run_of_harmless()


def _end_of_run(data: bytes, position: int) -> int:
    found = _RUN.match(data, position)
    return position if found is None else found.end()
