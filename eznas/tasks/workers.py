"""Trainings in processes of their own, so that a table uses every core."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from eznas.errors import EznasError, TaskError
from eznas.tasks.plan import TablePlan, prepared
from eznas.tasks.training import Job, Trained, train


def train_jobs(plan: TablePlan, jobs: Sequence[Job], processes: int) -> Generator[tuple[Job, Trained]]:
    """The outcome of each job, in the order in which they end; a single process is this very process.

    Closing the iterator ends the other processes at once.

    Raises:
        EznasError: A training failed; what happened in another process stands in a note.
        TaskError: Another process was ended from outside.
    """
    count = min(processes, len(jobs))
    return _in_workers(plan, jobs, count) if count > 1 else _in_this_process(plan, jobs)


def _in_this_process(plan: TablePlan, jobs: Sequence[Job]) -> Generator[tuple[Job, Trained]]:
    for job in jobs:
        yield job, _train(plan, job)


def _train(plan: TablePlan, job: Job) -> Trained:
    architecture, seed = job
    space, data = prepared(plan)
    return train(space, architecture, seed, data)


def _in_workers(plan: TablePlan, jobs: Sequence[Job], count: int) -> Generator[tuple[Job, Trained]]:
    processes: list[BaseProcess] = []
    running: dict[Connection, Job] = {}
    waiting = iter(jobs)
    try:
        for job in [next(waiting) for _ in range(count)]:
            process, connection = _start(plan)
            processes.append(process)
            running[connection] = job
            _hand_out(connection, job)
        while running:
            ready = wait(list(running))
            for connection in [connection for connection in running if connection in ready]:
                job = running.pop(connection)
                yield job, _outcome(connection, job)
                following = next(waiting, None)
                if following is not None:
                    running[connection] = following
                    _hand_out(connection, following)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _start(plan: TablePlan) -> tuple[BaseProcess, Connection]:
    # Spawned, since torch's thread pools do not survive a fork.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(plan, theirs), daemon=True)
    with _interrupts_held():
        process.start()
    # Once this copy is closed, a worker that dies shows as the end of its pipe.
    theirs.close()
    return process, ours


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C from processes started meanwhile: they inherit the mask, and their parent ends them."""
    # Python starts this helper with the first process, and lifts the mask when it does.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hand_out(connection: Connection, job: Job) -> None:
    # A worker that is gone is found, and reported with its job, when the outcome is asked for.
    with suppress(ConnectionError):
        connection.send(job)


def _outcome(connection: Connection, job: Job) -> Trained:
    try:
        outcome: Trained | EznasError = connection.recv()
    except (EOFError, ConnectionError) as error:
        architecture, seed = job
        raise TaskError(
            f"the process that trained {architecture!r} with seed {seed} was ended from outside, perhaps for "
            f"lack of memory; the trainings before it are kept, the same command goes on"
        ) from error
    if isinstance(outcome, EznasError):
        raise outcome
    return outcome


def _work(plan: TablePlan, connection: Connection) -> None:
    """Train the jobs that come through the pipe, until its other end is gone."""
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send(_attempt(plan, connection.recv()))


def _attempt(plan: TablePlan, job: Job) -> Trained | EznasError:
    try:
        return _train(plan, job)
    except EznasError as error:
        error.add_note(traceback.format_exc())
        return error
