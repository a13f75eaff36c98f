"""Jobs in processes of their own, one outcome after the other as they end."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from eznas.errors import EznasError, ProcessError

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


def in_processes(
    perform: Callable[[Job], Outcome], jobs: Sequence[Job], processes: int
) -> Generator[tuple[Job, Outcome]]:
    """The outcome of each job, in the order in which they end; a single process is this very process.

    Closing the iterator ends the other processes at once.

    Args:
        perform: Does one job; it goes to every process, and jobs and outcomes travel, by pickling.
        jobs: What is to be done, handed out in this order.
        processes: How many jobs are done at a time.

    Raises:
        EznasError: A job failed; what happened in another process stands in a note.
        ProcessError: Another process was ended from outside.
    """
    count = min(processes, len(jobs))
    return _in_others(perform, jobs, count) if count > 1 else _in_this_one(perform, jobs)


def _in_this_one(perform: Callable[[Job], Outcome], jobs: Sequence[Job]) -> Generator[tuple[Job, Outcome]]:
    for job in jobs:
        yield job, perform(job)


def _in_others(
    perform: Callable[[Job], Outcome], jobs: Sequence[Job], count: int
) -> Generator[tuple[Job, Outcome]]:
    processes: list[BaseProcess] = []
    running: dict[Connection, Job] = {}
    waiting = iter(jobs)
    try:
        for job in [next(waiting) for _ in range(count)]:
            process, connection = _start(perform)
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


def _start(perform: Callable[[Job], Outcome]) -> tuple[BaseProcess, Connection]:
    # Spawned, since torch's thread pools do not survive a fork.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(perform, theirs), daemon=True)
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


def _hand_out(connection: Connection, job: object) -> None:
    # A worker that is gone is found, and reported with its job, when the outcome is asked for.
    with suppress(ConnectionError):
        connection.send(job)


def _outcome(connection: Connection, job: object) -> Any:
    try:
        outcome = connection.recv()
    except (EOFError, ConnectionError) as error:
        raise ProcessError(
            f"the process that worked on {job} was ended from outside, perhaps for lack of memory; "
            f"what was done before is kept, the same command goes on"
        ) from error
    if isinstance(outcome, EznasError):
        raise outcome
    return outcome


def _work(perform: Callable[[Job], Outcome], connection: Connection) -> None:
    """Do the jobs that come through the pipe, until its other end is gone."""
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send(_attempt(perform, connection.recv()))


def _attempt(perform: Callable[[Job], Outcome], job: Job) -> Outcome | EznasError:
    try:
        return perform(job)
    except EznasError as error:
        error.add_note(traceback.format_exc())
        return error
