"""The folder of an imported task: the accuracies, what they are, and images to draw mini-batches from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from eznas import spaces
from eznas.errors import TaskError
from eznas.files import write_whole
from eznas.tasks.folder import TABLE_FILE, reported
from eznas.tasks.images import NORMALISATIONS, Images, load_images, write_npz
from eznas.tasks.imported_plan import ImportedPlan
from eznas.tasks.mini_batches import ImageBatches
from eznas.tasks.plan import first_problem
from eznas.tasks.table import AccuracyTable, read_table
from eznas.tasks.task import Task

IMPORT_FILE: Final = "task.json"
IMAGES_FILE: Final = "images.npz"

KEPT_IMAGES: Final = 1024
"""Images drawn from the source and kept, at most: the folder stands alone, and a batch needs few."""


def write_imported_task(folder: Path, plan: ImportedPlan, table: AccuracyTable, images: Images) -> None:
    """Write the folder of a task; what tells that it is whole, `task.json`, comes last.

    Args:
        folder: A new folder, or that of an import of the same name, which is replaced.
        plan: What the table holds.
        table: The accuracies.
        images: To draw mini-batches from, all of them kept; see `KEPT_IMAGES`.

    Raises:
        TaskError: The folder holds something else or cannot be written, or the images do not fit the space.
    """
    _check_images(plan, images)
    with reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _check_own(folder, plan)
        (folder / IMPORT_FILE).unlink(missing_ok=True)
        write_npz(images, folder / IMAGES_FILE)
        table.write(folder / TABLE_FILE)
        whole = plan.model_copy(update={"images_digest": _digest(folder / IMAGES_FILE)})
        write_whole(folder / IMPORT_FILE, (whole.model_dump_json(indent=2) + "\n").encode())


def _check_images(plan: ImportedPlan, images: Images) -> None:
    channels = spaces.get(plan.space).input_channels
    if images.pixels.shape[1] != channels:
        raise TaskError(
            f"{images.name} has {images.pixels.shape[1]} channels, the space {plan.space} reads {channels}"
        )
    if images.classes > plan.classes:
        raise TaskError(
            f"{images.name} holds labels up to {images.classes - 1}, the task has {plan.classes} classes"
        )
    if plan.normalisation not in NORMALISATIONS:
        known = ", ".join(NORMALISATIONS)
        raise TaskError(f"unknown normalisation {plan.normalisation!r}; expected one of {known}")


def _check_own(folder: Path, plan: ImportedPlan) -> None:
    held = {entry.name for entry in folder.iterdir()}
    if held and not held <= {IMPORT_FILE, IMAGES_FILE, TABLE_FILE}:
        raise TaskError(f"{folder} holds {min(held)!r} and is no imported task; expected a new folder")
    if IMPORT_FILE in held and read_imported_plan(folder).name != plan.name:
        raise TaskError(f"{folder} holds the task {read_imported_plan(folder).name!r}, not {plan.name!r}")


def read_imported_plan(folder: Path) -> ImportedPlan:
    """What the table in a folder holds.

    Raises:
        TaskError: The file is missing or is no plan of an import.
    """
    path = folder / IMPORT_FILE
    try:
        return ImportedPlan.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TaskError(f"cannot read the task {path}: {error}") from error
    except ValidationError as error:
        raise TaskError(f"{path} is not an imported task: {first_problem(error)}") from error


def read_imported_task(folder: Path, source: str) -> Task:
    """The task that `write_imported_task` wrote, opened by the name `source`.

    Raises:
        TaskError: A file is missing, spoilt, or does not fit the others.
        SpaceError: The space of the table cannot be imported.
    """
    plan = read_imported_plan(folder)
    table = read_table(folder / TABLE_FILE)
    images = load_images(str(folder / IMAGES_FILE))
    if _digest(folder / IMAGES_FILE) != plan.images_digest:
        raise TaskError(f"{folder / IMAGES_FILE} was altered; import the task again")
    _check_images(plan, images)
    batches = ImageBatches(plan, images)
    return Task(plan.name, spaces.get(plan.space), batches, table, {"plan": plan.model_dump()}, source)


def _digest(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=8).hexdigest()
