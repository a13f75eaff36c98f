"""The folder of a table: the plan, the trainings done so far, and in the end the table and its provenance."""

from __future__ import annotations

import errno
import json
import math
import os
import reprlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from eznas.errors import TaskError
from eznas.files import LOCK_FILE, locked, write_whole
from eznas.tasks.plan import TablePlan, first_problem
from eznas.tasks.training import Job, Trained

PLAN_FILE: Final = "plan.json"
PROGRESS_FILE: Final = "progress.jsonl"
TABLE_FILE: Final = "table.csv"
PROVENANCE_FILE: Final = "provenance.json"


@contextmanager
def opened(plan: TablePlan, folder: Path) -> Iterator[dict[Job, Trained]]:
    """The trainings that a folder already holds, while no other process may add to them.

    A new folder is made and gets the plan. A last line that a crash tore off is dropped.

    Raises:
        TaskError: The folder is foreign, in use, holds another plan or a spoilt file, or cannot be written.
    """
    with ExitStack() as lock:
        with reported(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _check_own(folder)
            lock.enter_context(locked(folder, TaskError(f"another process trains the table in {folder}")))
            if (folder / PLAN_FILE).exists():
                _check_same_plan(plan, read_plan(folder), folder)
            else:
                write_whole(folder / PLAN_FILE, plan.model_dump_json(indent=2).encode())
            done = read_progress(folder, repair=True)
        yield done


def _check_own(folder: Path) -> None:
    if (folder / PLAN_FILE).exists():
        return
    # A crash may have left a lock, or the plan under its temporary name.
    foreign = [
        entry.name
        for entry in folder.iterdir()
        if entry.name != LOCK_FILE and not entry.name.startswith(f".{PLAN_FILE}.")
    ]
    if foreign:
        raise TaskError(
            f"{folder} holds no {PLAN_FILE} but {reprlib.repr(min(foreign))}; expected a new folder"
        )


def read_plan(folder: Path) -> TablePlan:
    """The plan that the folder keeps.

    Raises:
        TaskError: There is no plan, or it cannot be read.
    """
    path = folder / PLAN_FILE
    try:
        return TablePlan.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TaskError(f"cannot read the plan {path}: {error}") from error
    except ValidationError as error:
        raise TaskError(f"{path} is not the plan of a table: {first_problem(error)}") from error


def _check_same_plan(plan: TablePlan, kept: TablePlan, folder: Path) -> None:
    if kept == plan:
        return
    wanted, found = _flat(plan.model_dump()), _flat(kept.model_dump())
    different = ", ".join(
        f"{key} {found[key]!r} instead of {wanted[key]!r}" for key in wanted if wanted[key] != found[key]
    )
    raise TaskError(f"{folder} holds trainings of another plan ({different}); choose another folder")


def _flat(fields: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in fields.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def read_progress(folder: Path, repair: bool = False) -> dict[Job, Trained]:
    """The trainings done so far, without a last line that was not written to its end.

    Args:
        folder: The folder of a table.
        repair: Cut a torn last line off the file, so that more can be appended.

    Raises:
        TaskError: The file cannot be read, or a whole line is no training.
    """
    path = folder / PROGRESS_FILE
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise TaskError(f"cannot read the trainings in {path}: {error}") from error
    whole, newline, torn = content.rpartition(b"\n")
    if torn and repair:
        write_whole(path, whole + newline)
    return dict(_training(path, number, line) for number, line in enumerate(whole.splitlines(), start=1))


def _training(path: Path, number: int, line: bytes) -> tuple[Job, Trained]:
    try:
        record = json.loads(line)
        job = (str(record["architecture"]), int(record["seed"]))
        trained = Trained(float(record["accuracy"]), float(record["seconds"]))
    except (ValueError, KeyError, TypeError) as error:
        raise TaskError(f"{path}, line {number} is no training: {line[:80]!r}") from error
    if not (0 <= trained.accuracy <= 100 and math.isfinite(trained.seconds)):
        raise TaskError(
            f"{path}, line {number}: expected an accuracy from 0 to 100 per cent, got {line[:80]!r}"
        )
    return job, trained


def keep_training(folder: Path, job: Job, trained: Trained) -> None:
    """Append one training and wait until it is on the disk.

    Raises:
        TaskError: The folder cannot be written or the disk is full; what was kept before stays.
    """
    architecture, seed = job
    record = {"architecture": architecture, "seed": seed}
    record |= {"accuracy": trained.accuracy, "seconds": round(trained.seconds, 3)}
    line = (json.dumps(record) + "\n").encode()
    with reported(folder), (folder / PROGRESS_FILE).open("ab", buffering=0) as log:
        if log.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(log.fileno())


@contextmanager
def reported(folder: Path) -> Iterator[None]:
    """Turn errors of writing into a `TaskError` that names the folder."""
    try:
        yield
    except OSError as error:
        raise TaskError(f"cannot write the table to {folder}: {error}") from error
