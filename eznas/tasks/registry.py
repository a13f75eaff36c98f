"""Tasks by name, or by the folder of a table of the user's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eznas import spaces
from eznas.errors import TaskError
from eznas.suggestion import unknown_name
from eznas.tasks.embedded import EMBEDDED_PLANS, embedded_folder
from eznas.tasks.folder import PLAN_FILE, PROVENANCE_FILE, TABLE_FILE, read_plan, read_progress
from eznas.tasks.imported import IMPORT_FILE, read_imported_task
from eznas.tasks.mini_batches import TrainingBatches
from eznas.tasks.plan import TablePlan, first_problem
from eznas.tasks.table import AccuracyTable, read_table
from eznas.tasks.task import Task


def names() -> list[str]:
    """The names of the tasks that eznas ships."""
    return list(EMBEDDED_PLANS)


def get(name: str) -> Task:
    """The task of this name, or of a folder that `eznas tasks train` or `eznas tasks import` made.

    Raises:
        TaskError: There is no such task, its table is not finished, or a file of it cannot be read.
        SpaceError: The space of the table cannot be imported.
    """
    if name in EMBEDDED_PLANS:
        return _from_folder(embedded_folder(name), name)
    folder = Path(name)
    if not folder.is_dir():
        raise TaskError(
            unknown_name("task", name, EMBEDDED_PLANS, "the folder of a trained or imported table")
        )
    return _from_folder(folder, name)


def _from_folder(folder: Path, source: str) -> Task:
    if (folder / IMPORT_FILE).exists():
        return read_imported_task(folder, source)
    if not (folder / TABLE_FILE).exists():
        raise TaskError(_no_table(folder))
    table = read_table(folder / TABLE_FILE)
    provenance = _read_provenance(folder / PROVENANCE_FILE)
    try:
        plan = TablePlan.model_validate(provenance.get("plan"))
    except ValidationError as error:
        raise TaskError(
            f"{folder / PROVENANCE_FILE} holds no plan of a table: {first_problem(error)}"
        ) from error
    _check_fit(folder, table, plan)
    return Task(plan.name, spaces.get(plan.space), TrainingBatches(plan), table, provenance, source)


def _no_table(folder: Path) -> str:
    if not (folder / PLAN_FILE).exists():
        return f"{folder} is not the folder of a task: it holds neither {TABLE_FILE} nor {PLAN_FILE}"
    plan = read_plan(folder)
    done, total = len(read_progress(folder)), plan.architectures * plan.training.seeds
    return (
        f"the table in {folder} is not finished: it holds {done} of {total} trainings; "
        f"run the same `eznas tasks train` again, it goes on from there"
    )


def _read_provenance(path: Path) -> dict[str, Any]:
    try:
        provenance = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise TaskError(f"cannot read the provenance {path}: {error}") from error
    if not isinstance(provenance, dict):
        raise TaskError(f"{path} is not the provenance of a table")
    return provenance


def _check_fit(folder: Path, table: AccuracyTable, plan: TablePlan) -> None:
    seeds = 0 if table.seed_accuracies is None else table.seed_accuracies.shape[1]
    found, wanted = (len(table.architectures), seeds), (plan.architectures, plan.training.seeds)
    if found != wanted:
        raise TaskError(
            f"the table in {folder} does not fit its provenance: expected {wanted[0]} architectures with "
            f"{wanted[1]} seeds, got {found[0]} with {found[1]}"
        )
