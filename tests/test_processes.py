import multiprocessing
import os
import signal
import threading
import time
from contextlib import closing

import pytest

from eznas import processes
from eznas.errors import EznasError, ProcessError
from eznas.processes import in_processes


def square(job: int) -> tuple[int, int]:
    if job == 7:
        raise EznasError("seven is refused")
    if job == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return job * job, os.getpid()


@pytest.mark.parametrize("count", [1, 2, 9])
def test_every_job_is_done_once_by_no_more_processes_than_asked_for(count: int) -> None:
    jobs = [1, 2, 3, 4]
    found = dict(in_processes(square, jobs, count))
    assert {job: result for job, (result, _) in found.items()} == {1: 1, 2: 4, 3: 9, 4: 16}
    workers = {process for _, process in found.values()}
    assert (workers == {os.getpid()}) == (count == 1)
    assert len(workers) <= count
    assert multiprocessing.active_children() == []


def test_no_job_needs_no_process() -> None:
    assert list(in_processes(square, [], 2)) == []


@pytest.mark.parametrize("count", [1, 2])
def test_error_of_a_job_is_raised_here_after_what_ended_before(count: int) -> None:
    outcomes = in_processes(square, [7, 7], count)
    with pytest.raises(EznasError, match="seven is refused"), closing(outcomes):
        list(outcomes)
    assert multiprocessing.active_children() == []


def test_process_that_is_killed_is_reported_with_its_job() -> None:
    outcomes = in_processes(square, [13, 13], 2)
    with pytest.raises(ProcessError, match="worked on 13 was ended from outside"), closing(outcomes):
        list(outcomes)
    assert multiprocessing.active_children() == []


def test_closing_ends_the_other_processes() -> None:
    with closing(in_processes(time.sleep, [0.01, 60, 60], 2)) as outcomes:
        next(outcomes)
    assert multiprocessing.active_children() == []


def test_worker_sends_outcomes_and_failures_until_its_pipe_is_closed() -> None:
    ours, theirs = multiprocessing.Pipe()
    worker = threading.Thread(target=processes._work, args=(square, theirs))
    worker.start()
    ours.send(3)
    assert processes._outcome(ours, 3)[0] == 9
    ours.send(7)
    with pytest.raises(EznasError, match="seven is refused") as caught:
        processes._outcome(ours, 7)
    assert "test_processes.py" in "".join(caught.value.__notes__)
    ours.close()
    worker.join(timeout=10)
    assert not worker.is_alive()
