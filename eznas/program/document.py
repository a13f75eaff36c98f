"""The JSON document of a program: its text, and what is needed to know that it still means the same."""

from __future__ import annotations

import json
from typing import Final

from eznas.errors import ProgramSyntaxError
from eznas.ops import OP_SET_HASH
from eznas.suggestion import quoted

FORMAT: Final = "eznas-program"
VERSION: Final = 1


def write(program_text: str, format_name: str = FORMAT) -> str:
    """The document that holds this program text."""
    fields = {"format": format_name, "version": VERSION, "program": program_text, "op_set": OP_SET_HASH}
    return json.dumps(fields)


def read(document: str, format_name: str = FORMAT) -> str:
    """The program text that a document of this format holds.

    Raises:
        ProgramSyntaxError: Not a JSON object of exactly the four fields, or one of another format, version
            or set of operations.
    """
    fields = _load(document)
    _expect(fields, "format", format_name)
    _expect(fields, "version", VERSION)
    _expect_only_known(fields)
    _expect(fields, "op_set", OP_SET_HASH)
    program_text = fields.get("program")
    if not isinstance(program_text, str):
        raise ProgramSyntaxError(f"expected the field 'program' to hold a text, got {_shown(program_text)}")
    return program_text


def _load(document: str) -> dict[str, object]:
    if not isinstance(document, str):
        raise ProgramSyntaxError(f"expected a JSON text (str), got {type(document).__name__}")
    try:
        fields = json.loads(document, object_pairs_hook=_without_repetition)
    except RecursionError:
        raise ProgramSyntaxError("expected the JSON document of a program, got deeply nested JSON") from None
    except ValueError as error:
        raise ProgramSyntaxError(f"expected the JSON document of a program: {error}") from None
    if not isinstance(fields, dict):
        raise ProgramSyntaxError(f"expected a JSON object, got {_shown(fields)}")
    return fields


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is given twice")
    return fields


def _expect(fields: dict[str, object], name: str, expected: str | int) -> None:
    came = fields.get(name)
    if type(came) is not type(expected) or came != expected:
        raise ProgramSyntaxError(f"expected the field {name!r} to be {expected!r}, got {_shown(came)}")


def _expect_only_known(fields: dict[str, object]) -> None:
    unknown = sorted(set(fields) - {"format", "version", "program", "op_set"})
    if unknown:
        raise ProgramSyntaxError(f"expected no field beside the four of a program, got {quoted(unknown[0])}")


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return quoted(value)
    return repr(value) if isinstance(value, int | float) else f"a {type(value).__name__}"
