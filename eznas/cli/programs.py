"""Programs as the command line names them: a text, a named program, or the folder of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from eznas.program import NAMED_PROGRAMS, Program

if TYPE_CHECKING:
    from eznas.evolution import Candidate
    from eznas.ranking import Contender


def program(argument: str) -> Program:
    """The program that an argument of the command line means.

    Raises:
        ProgramSyntaxError: It is no name and no folder, and cannot be read as a program either.
        RunError: The folder holds no finished run.
    """
    if argument in NAMED_PROGRAMS:
        return NAMED_PROGRAMS[argument]
    return _best(Path(argument)).program if _is_folder(argument) else Program.parse(argument)


def contender(argument: str) -> Contender:
    """The program that an argument means, with its name and its orientation; see `program`."""
    from eznas.ranking import Contender, named_contender

    if argument in NAMED_PROGRAMS:
        return named_contender(argument)
    if _is_folder(argument):
        folder = Path(argument)
        best = _best(folder)
        return Contender(f"best of {folder.name}", best.program, best.orientation)
    parsed = Program.parse(argument)
    return Contender(str(parsed), parsed)


def contenders(arguments: Iterable[str]) -> list[Contender]:
    """The programs of all arguments; see `contender`."""
    return [contender(argument) for argument in arguments]


def _best(folder: Path) -> Candidate:
    # Imports of a second, which a text or a name need not wait for.
    from eznas.evolution import RunFolder
    from eznas.evolution.outcome import read_outcome

    run = RunFolder(folder)
    return read_outcome(run.result_file, run.scores).best


def _is_folder(argument: str) -> bool:
    try:
        return argument != "" and Path(argument).is_dir()
    except (OSError, ValueError):
        return False  # longer than any path, or with a character that none may have
