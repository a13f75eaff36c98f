"""Train the table of a task: in parallel, resumable, the same for any number of processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from eznas.files import write_whole
from eznas.processes import in_processes
from eznas.tasks.folder import PROVENANCE_FILE, TABLE_FILE, keep_training, opened, reported
from eznas.tasks.plan import TablePlan, prepared
from eznas.tasks.provenance import provenance
from eznas.tasks.table import AccuracyTable
from eznas.tasks.training import Job, Trained, train
from eznas.threads import available_processors

Progress = Callable[[int, int], None]
"""Called with the trainings done and the trainings in all: once at the start, then after each."""


def produce_table(
    plan: TablePlan, folder: Path, processes: int | None = None, progress: Progress | None = None
) -> AccuracyTable:
    """Train every architecture of the plan with every seed, and write the table and its provenance.

    Each finished training is kept at once; a run that was ended, however it ended, goes on from there.

    Args:
        plan: What to train.
        folder: A new folder, or one in which a run of the same plan was ended.
        processes: How many trainings run at a time; one for each core by default, 1 trains in this process.
        progress: What to call as trainings end.

    Raises:
        TaskError: The folder is in use, holds the trainings of another plan or cannot be written, the
            images cannot be used, or a training fails.
        ProcessError: Another process was ended from outside.
        SpaceError: The space is unknown.
    """
    architectures = plan.sample()
    prepared(plan)  # images that cannot be used are refused before anything is written
    jobs = [(architecture, seed) for architecture in architectures for seed in range(plan.training.seeds)]
    with opened(plan, folder) as kept:
        done = {job: kept[job] for job in jobs if job in kept}
        _train_remaining(
            plan, folder, jobs, done, processes or available_processors(), progress or _no_report
        )
        table = _table(plan, architectures, done)
        with reported(folder):
            table.write(folder / TABLE_FILE)
            seconds = sum(trained.seconds for trained in done.values())
            write_whole(folder / PROVENANCE_FILE, provenance(plan, table, seconds).encode())
    return table


def _train_remaining(
    plan: TablePlan,
    folder: Path,
    jobs: list[Job],
    done: dict[Job, Trained],
    processes: int,
    progress: Progress,
) -> None:
    """Train the jobs that are not done yet, and add each to those that are and to the folder."""
    remaining = [job for job in jobs if job not in done]
    progress(len(done), len(jobs))
    with closing(in_processes(partial(_train, plan), remaining, processes)) as outcomes:
        for job, trained in outcomes:
            keep_training(folder, job, trained)
            done[job] = trained
            progress(len(done), len(jobs))


def _train(plan: TablePlan, job: Job) -> Trained:
    architecture, seed = job
    space, data = prepared(plan)
    return train(space, architecture, seed, data)


def _no_report(_done: int, _total: int) -> None:
    """Nobody wants to know."""


def _table(plan: TablePlan, architectures: list[str], done: dict[Job, Trained]) -> AccuracyTable:
    space, data = prepared(plan)
    seeds = range(plan.training.seeds)
    rows = [[done[architecture, seed] for seed in seeds] for architecture in architectures]
    return AccuracyTable.of_seeds(
        architectures,
        np.array([[trained.accuracy for trained in row] for row in rows]),
        parameters=np.array([space.parameters(text, data.classes) for text in architectures]),
        flops=np.array([space.flops(text, data.classes) for text in architectures]),
        training_seconds=np.array([round(sum(trained.seconds for trained in row), 2) for row in rows]),
    )
