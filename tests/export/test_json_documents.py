import json

import pytest

from eznas import NAMED_PROGRAMS, Program
from eznas.errors import EznasError
from eznas.export import OPERATIONS_HASH, ExportError, export, load_json, operations_hash
from eznas.program import canonical_form

PROGRAM = Program.parse("add(T3G_D, abs(T3))")


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "proxy.json"
    export(PROGRAM, path, "json", structure="cbr", to_scalar="l2", orientation=-1)
    return path


def test_what_was_written_is_read_again(document):
    read = load_json(document)
    assert read.program == canonical_form(PROGRAM)
    assert (read.structure, read.to_scalar, read.orientation) == ("cbr", "l2", -1)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("format", "zip", "'format'"),
        ("version", 2, "'version'"),
        ("version", True, "'version'"),
        ("operations", "0" * 16, "'operations'"),
        ("program", 3, "'program'"),
        ("terminals", ["T3"], "terminals"),
        ("structure", "bcr", "structure"),
        ("to_scalar", None, "'to_scalar'"),
        ("orientation", 2, "orientation"),
        ("orientation", "up", "orientation"),
        ("more", 1, "'more'"),
    ],
)
def test_documents_of_another_kind_are_refused(document, field, value, message):
    document.write_text(json.dumps(json.loads(document.read_text()) | {field: value}))
    with pytest.raises(EznasError, match=message):
        load_json(document)


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff\xfe", b"{", b"[" * 100_000])
def test_what_is_no_document_is_refused(tmp_path, content):
    path = tmp_path / "proxy.json"
    path.write_bytes(content)
    with pytest.raises(ExportError):
        load_json(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ExportError, match="nowhere.json"):
        load_json(tmp_path / "nowhere.json")


def test_the_digest_changes_with_the_meaning_of_operations():
    assert operations_hash() == OPERATIONS_HASH != operations_hash(meaning_version=2)


@pytest.mark.parametrize("name", NAMED_PROGRAMS)
def test_named_programs_survive(tmp_path, name):
    export(NAMED_PROGRAMS[name], tmp_path / "proxy.json", "json")
    assert load_json(tmp_path / "proxy.json").program == NAMED_PROGRAMS[name].canonical()
