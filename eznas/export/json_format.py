"""The canonical program as a JSON document, and how it is read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from eznas.backends.eager import node_values
from eznas.errors import ExportError
from eznas.export.description import Description, described
from eznas.export.layer_source import layer_graph
from eznas.export.trials import Array, Refusal, Runner
from eznas.program import canonical_form

LARGEST_FILE: Final = 2**24
"""Bytes of a document that are read at most: ten times the largest program."""


def make_json(description: Description, path: Path) -> Runner:
    """Write the document, and run the program that is read from it."""
    path.write_text(json_text(description), encoding="utf-8")
    read = load_json(path)
    graph = layer_graph(read.program, read.to_scalar)

    def run(layer: Mapping[str, Array]) -> float:
        try:
            return float(node_values(graph, layer)[graph.roots[0]])
        except (RuntimeError, IndexError) as refusal:
            raise Refusal(str(refusal)) from refusal

    return run


def json_text(description: Description) -> str:
    """The document: the fields of the description, with the program in its canonical form."""
    canonical = replace(description, program=canonical_form(description.program))
    return json.dumps(canonical.fields(), indent=2) + "\n"


def load_json(path: Path | str) -> Description:
    """Read what `eznas export --format json` wrote.

    Raises:
        ExportError: The file cannot be read, is not such a document, or is of another version or set of
            operations.
        ProgramSyntaxError: Its program cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ExportError(f"cannot read {path}: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise ExportError(f"expected a document of at most {LARGEST_FILE} bytes in {path}, got more")
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ExportError(f"expected a JSON document in {path}: {error}") from None
    return described(fields)
