from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_programs import programs

from eznas.errors import ProgramSyntaxError
from eznas.ops import OP_SET_HASH
from eznas.program import Program


def altered(**changes: object) -> str:
    return json.dumps(json.loads(Program.parse("abs(T3)").to_json()) | changes)


@given(programs())
@settings(max_examples=100, deadline=None)
def test_document_is_read_back_as_the_same_program(program: Program):
    assert Program.from_json(program.to_json()) == program


def test_document_holds_format_version_text_and_the_set_of_operations():
    assert json.loads(Program.parse("abs(T3)").to_json()) == {
        "format": "eznas-program",
        "version": 1,
        "program": "abs(T3)",
        "op_set": OP_SET_HASH,
    }


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (altered(format="other"), "field 'format' to be 'eznas-program', got 'other'"),
        (altered(version=2), "field 'version' to be 1, got 2"),
        (altered(version=True), "field 'version' to be 1, got True"),
        (altered(version="1"), "field 'version' to be 1, got '1'"),
        (altered(op_set="0" * 64), "field 'op_set' to be"),
        (altered(op_set=None), "field 'op_set' to be .* got nothing"),
        (altered(program=3), "field 'program' to hold a text, got 3"),
        (altered(program=["T3"]), "field 'program' to hold a text, got a list"),
        (altered(program="abs(T3"), r"expected '\)' to close 'abs'"),
        (altered(note=""), "no field beside the four of a program, got 'note'"),
        (json.dumps({"format": "eznas-program"}), "field 'version' to be 1, got nothing"),
        ('{"format": "eznas-program", "format": "eznas-program"}', "a field is given twice"),
        ("", "expected the JSON document of a program"),
        ("abs(T3)", "expected the JSON document of a program"),
        ("[1]", "expected a JSON object, got a list"),
        ("[" * 100_000, "deeply nested"),
        ("9" * 10_000, "expected the JSON document of a program"),
        (b"{}", r"expected a JSON text \(str\), got bytes"),
        (None, r"expected a JSON text \(str\), got NoneType"),
    ],
)
def test_altered_document_is_refused_with_the_field(document: str, said: str):
    with pytest.raises(ProgramSyntaxError, match=said):
        Program.from_json(document)


@given(st.text(max_size=30), st.integers(0, 200), st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_mutated_document_is_refused_or_still_holds_a_program(inserted: str, start: int, length: int):
    document = Program.parse("add(T3, T1_D)").to_json()
    try:
        program = Program.from_json(document[:start] + inserted + document[start + length :])
    except ProgramSyntaxError:
        return
    assert Program.from_json(program.to_json()) == program
