"""The frozen workloads: sets of programs that are committed as text, so that runs can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from eznas.errors import ConfigError
from eznas.program import Program

WORKLOADS: Final = ("random", "evolved", "deep")
"""The workloads that speed is claimed for, of at least 100 programs each."""

ELEMENTWISE: Final = "elementwise"
"""The part that evaluators of columns of data can do too: elementwise operations and a final mean."""

WORKLOAD_NAMES: Final = (*WORKLOADS, ELEMENTWISE)

_COMMENT = "#"


@dataclass(frozen=True, slots=True)
class Workload:
    """Programs that are measured together."""

    name: str
    programs: tuple[Program, ...]
    about: str
    """How the programs were made."""

    def first(self, count: int | None) -> Workload:
        """The workload of the first programs only; all of them for None."""
        return Workload(self.name, self.programs[:count], self.about)


def load_workload(name: str) -> Workload:
    """The frozen workload of this name.

    Raises:
        ConfigError: No such workload.
    """
    if name not in WORKLOAD_NAMES:
        raise ConfigError(f"unknown workload {name!r}; expected one of {', '.join(WORKLOAD_NAMES)}")
    text = (files("eznas.benchmark") / "workloads" / f"{name}.txt").read_text(encoding="utf-8")
    return parse_workload(name, text)


def parse_workload(name: str, text: str) -> Workload:
    """A workload from its file: comments that say how it was made, then a program a line.

    Raises:
        ProgramSyntaxError: A line is neither a comment nor a program.
    """
    lines = [line.strip() for line in text.splitlines()]
    about = "\n".join(line.removeprefix(_COMMENT).strip() for line in lines if line.startswith(_COMMENT))
    programs = tuple(Program.parse(line) for line in lines if line and not line.startswith(_COMMENT))
    return Workload(name, programs, about)


def workload_text(about: Sequence[str], programs: Sequence[Program]) -> str:
    """What `parse_workload` reads."""
    return "\n".join([*(f"{_COMMENT} {line}".rstrip() for line in about), *map(str, programs)]) + "\n"
