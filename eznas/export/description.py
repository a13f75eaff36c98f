"""What every artefact says about itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

import eznas
from eznas.backends import ToScalar
from eznas.errors import ConfigError, ExportError
from eznas.ops import OPS
from eznas.program import AnyProgram, parse_program
from eznas.statistics import Structure

FORMAT: Final = "eznas-export"
VERSION: Final = 1

MEANING_VERSION: Final = 1
"""Counts changes of what an operation gives under the same name; see `OPERATIONS_HASH`."""


def operations_hash(meaning_version: int = MEANING_VERSION) -> str:
    """A digest over the operations: numbers, names, arities, and the version of their meaning."""
    rows = [f"{op.number} {op.name} {op.arity}" for op in OPS.values()]
    return hashlib.sha256("\n".join([f"meaning {meaning_version}", *rows]).encode()).hexdigest()[:16]


OPERATIONS_HASH: Final = operations_hash()
"""Names the set of operations that an artefact was made with."""


@dataclass(frozen=True, slots=True)
class Description:
    """A proxy as its artefacts describe it.

    Attributes:
        program: The program.
        structure: The layers that it is meant for.
        to_scalar: How a layer's tensor becomes a number.
        orientation: 1 where higher scores mean higher accuracy, -1 where lower ones do, None if not known.

    Raises:
        ConfigError: Another orientation.
    """

    program: AnyProgram
    structure: Structure = Structure.RCB
    to_scalar: ToScalar = ToScalar.MEAN
    orientation: int | None = None

    def __post_init__(self) -> None:
        if self.orientation not in (1, -1, None):
            raise ConfigError(f"expected an orientation of 1, -1 or None, got {self.orientation!r}")

    def fields(self) -> dict[str, Any]:
        """The fields, in the order in which artefacts show them; all are JSON values."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "program": str(self.program),
            "operations": OPERATIONS_HASH,
            "terminals": list(self.program.terminals),
            "structure": str(self.structure),
            "to_scalar": str(self.to_scalar),
            "orientation": self.orientation,
            "eznas": eznas.__version__,
        }

    def to_json(self) -> str:
        """The fields as one JSON object."""
        return json.dumps(self.fields())


def described(fields: object) -> Description:
    """The proxy that the fields of an artefact describe.

    Raises:
        ExportError: Not such fields, or those of another version or other operations.
        ProgramSyntaxError: The program cannot be read.
    """
    if not isinstance(fields, dict):
        raise ExportError(f"expected the fields of an export as a JSON object, got a {type(fields).__name__}")
    _expect(fields, "format", FORMAT)
    _expect(fields, "version", VERSION)
    _expect(fields, "operations", OPERATIONS_HASH)
    known = {"format", "version", "program", "operations", "terminals", "structure", "to_scalar"}
    unknown = sorted(set(fields) - known - {"orientation", "eznas"})
    if unknown:
        raise ExportError(f"expected only the fields of an export, got {unknown[0]!r} too")
    program = parse_program(_text(fields, "program"))
    if fields.get("terminals") != list(program.terminals):
        raise ExportError(
            f"expected the terminals that the program reads, {', '.join(program.terminals)}; "
            f"got {fields.get('terminals')!r}"
        )
    orientation = fields.get("orientation")
    if type(orientation) is not int and orientation is not None:
        raise ExportError(f"expected an orientation of 1, -1 or null, got {orientation!r}")
    try:
        structure, to_scalar = Structure(_text(fields, "structure")), ToScalar(_text(fields, "to_scalar"))
    except ValueError as error:
        raise ExportError(f"expected a known structure and to_scalar: {error}") from None
    return Description(program, structure, to_scalar, orientation)


def _expect(fields: dict[str, object], name: str, expected: str | int) -> None:
    came = fields.get(name)
    if type(came) is not type(expected) or came != expected:
        raise ExportError(f"expected the field {name!r} to be {expected!r}, got {came!r}")


def _text(fields: dict[str, object], name: str) -> str:
    came = fields.get(name)
    if not isinstance(came, str):
        raise ExportError(f"expected the field {name!r} to hold a text, got {came!r}")
    return came
