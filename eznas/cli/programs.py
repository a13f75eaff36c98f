"""Programs and proxies as the command line names them: a text, a name, or the folder of a run."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eznas.errors import ProgramSyntaxError
from eznas.program import NAMED_PROGRAMS, AnyProgram, Program, parse_program
from eznas.suggestion import with_nearest

_NAME: Final = re.compile(r"[\w-]+")

if TYPE_CHECKING:
    from eznas.evolution import Candidate
    from eznas.ranking import AnyContender, Contender
    from eznas.tasks import Task


def program(argument: str) -> AnyProgram:
    """The program that an argument of the command line means.

    Raises:
        ProgramSyntaxError: It is no name and no folder, and cannot be read as a program either.
        RunError: The folder holds no finished run.
    """
    if argument in NAMED_PROGRAMS:
        return NAMED_PROGRAMS[argument]
    return _best(Path(argument)).program if _is_folder(argument) else parse_program(argument)


def tree(argument: str) -> Program:
    """The expression tree of the program that an argument means; see `program`.

    Raises:
        ProgramSyntaxError: A sequential program whose tree would be too large.
    """
    chosen = program(argument)
    found = chosen if isinstance(chosen, Program) else chosen.as_tree()
    if found is None:
        raise ProgramSyntaxError(f"expected a program whose tree can be written out, got {chosen}")
    return found


def contender(argument: str) -> Contender:
    """The program that an argument means, with its name and its orientation; see `program`."""
    from eznas.ranking import Contender, named_contender

    if argument in NAMED_PROGRAMS:
        return named_contender(argument)
    if _is_folder(argument):
        folder = Path(argument)
        best = _best(folder)
        return Contender(f"best of {folder.name}", best.program, best.orientation)
    parsed = parse_program(argument)
    return Contender(str(parsed), parsed)


def contenders(arguments: Iterable[str]) -> list[AnyContender]:
    """The programs and proxies of all arguments; see `contender` for programs."""
    from eznas import proxies
    from eznas.ranking import ProxyContender

    known = proxies.names()
    return [
        ProxyContender(argument) if argument in known else _program_contender(argument, known)
        for argument in arguments
    ]


def _program_contender(argument: str, proxies: Collection[str]) -> Contender:
    try:
        return contender(argument)
    except ProgramSyntaxError as error:
        nearest = with_nearest("", argument, [*NAMED_PROGRAMS, *proxies])
        # A text with brackets is a program gone wrong, a word most likely a name.
        if not nearest or not _NAME.fullmatch(argument):
            raise
        raise ProgramSyntaxError(f"{str(error).partition(chr(10))[0]}{nearest}") from error


def evolved_on(arguments: Iterable[str], opened: Sequence[Task]) -> dict[str, frozenset[int]]:
    """For each task by name the rows whose networks the runs among the arguments evolved on."""
    from eznas import tasks
    from eznas.evolution import RunFolder

    # A task is opened once: that of NATS-Bench sizes takes a third of a second.
    names = {task.source: task.name for task in opened}
    rows: dict[str, set[int]] = {task.name: set() for task in opened}
    for argument in arguments:
        if argument in NAMED_PROGRAMS or not _is_folder(argument):
            continue
        config = RunFolder(Path(argument)).config()
        for source in config.tasks:
            if source not in names:
                names[source] = tasks.get(source).name
        evolved = {names[source] for source in config.tasks}
        for task in opened:
            if task.name in evolved:
                rows[task.name].update(task.split(config.stored_networks, config.data_seed)[0].tolist())
    return {name: frozenset(of_task) for name, of_task in rows.items()}


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
