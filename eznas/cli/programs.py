"""Programs as the command line names them: a text, a named program, or the folder of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from eznas.evolution import RunFolder
from eznas.evolution.outcome import read_outcome
from eznas.program import NAMED_PROGRAMS, Program
from eznas.ranking import Contender, named_contender


def contender(argument: str) -> Contender:
    """The program that an argument of the command line means.

    Raises:
        ProgramSyntaxError: It is no name and no folder, and cannot be read as a program either.
        RunError: The folder holds no finished run.
    """
    if argument in NAMED_PROGRAMS:
        return named_contender(argument)
    if _is_folder(argument):
        folder = Path(argument)
        run = RunFolder(folder)
        best = read_outcome(run.result_file, run.scores).best
        return Contender(f"best of {folder.name}", best.program, best.orientation)
    program = Program.parse(argument)
    return Contender(str(program), program)


def contenders(arguments: Iterable[str]) -> list[Contender]:
    """The programs of all arguments; see `contender`."""
    return [contender(argument) for argument in arguments]


def _is_folder(argument: str) -> bool:
    try:
        return argument != "" and Path(argument).is_dir()
    except (OSError, ValueError):
        return False  # longer than any path, or with a character that none may have
