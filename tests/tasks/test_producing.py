import errno
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from interrupts import interruptible

from eznas import tasks
from eznas.errors import ProcessError, SpaceError, TaskError
from eznas.tasks import AccuracyTable, TablePlan, produce_table
from eznas.tasks import folder as table_folder

SCRIPT = """
import multiprocessing, os, signal, sys, time
from pathlib import Path
from eznas.tasks import TablePlan, produce_table

def killed():
    os.kill(os.getpid(), signal.SIGKILL)

def interrupted():
    # A terminal interrupts the whole group; the workers get half a second to say something about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.killpg(0, signal.SIGINT)
    time.sleep(0.5)
    raise KeyboardInterrupt

def progress(done, total):
    if done == 5:
        {action}()

if __name__ == "__main__":
    plan = TablePlan.model_validate_json(sys.argv[1])
    try:
        produce_table(plan, Path(sys.argv[2]), processes=2, progress=progress)
    except KeyboardInterrupt:
        sys.exit(f"interrupted, {{len(multiprocessing.active_children())}} workers left")
"""


def run(plan: TablePlan, folder: Path, action: str) -> subprocess.CompletedProcess[str]:
    """Train the plan in a process of its own, to which something happens after five trainings.

    It returns when every process that holds the pipes is gone: a worker left over would be a timeout.
    """
    script = folder.parent / "produce.py"
    script.write_text(SCRIPT.format(action=action))
    with interruptible():
        return subprocess.run(
            [sys.executable, str(script), plan.model_dump_json(), str(folder)],
            env={**os.environ, "PYTHONPATH": str(Path(tasks.__file__).parents[2])},
            start_new_session=True,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def lines(folder: Path) -> list[str]:
    return (folder / "progress.jsonl").read_text().splitlines()


def at(wanted: int, action: Callable[[], object]) -> Callable[[int, int], None]:
    """A progress function that acts once so many trainings are done."""

    def progress(done: int, _total: int) -> None:
        if done == wanted:
            action()

    return progress


def assert_same(first: AccuracyTable, second: AccuracyTable) -> None:
    """Equal but for the seconds, which are measured."""
    assert first.architectures == second.architectures
    for field in ("parameters", "flops", "seed_accuracies"):
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field))


def test_folder_holds_the_table_that_was_returned(
    plan: TablePlan, table: AccuracyTable, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    returned = produce_table(
        plan, tmp_path / "new" / "tiny", 1, lambda done, total: seen.append((done, total))
    )
    read = tasks.get(str(tmp_path / "new" / "tiny")).table
    assert_same(returned, read)
    np.testing.assert_array_equal(returned.training_seconds, read.training_seconds)
    assert_same(returned, table)
    assert seen == [(done, 16) for done in range(17)]
    assert list(returned.architectures) == plan.sample()
    assert returned.seed_accuracies.shape == (8, 2)


def test_table_is_the_same_for_two_processes(plan: TablePlan, table: AccuracyTable, tmp_path: Path) -> None:
    assert_same(produce_table(plan, tmp_path, processes=2), table)
    assert multiprocessing.active_children() == []


def test_finished_folder_is_not_trained_again(
    plan: TablePlan, table: AccuracyTable, folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert_same(produce_table(plan, copy, processes=2), table)
    assert lines(copy) == lines(folder)


def test_run_killed_in_the_middle_goes_on_to_the_same_table(
    plan: TablePlan, table: AccuracyTable, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    ended = run(plan, folder, "killed")
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    kept = lines(folder)
    assert len(kept) == 5
    with pytest.raises(TaskError, match="holds 5 of 16 trainings; run the same `eznas tasks train` again"):
        tasks.get(str(folder))
    assert_same(produce_table(plan, folder, processes=1), table)
    assert lines(folder)[:5] == kept


def test_ctrl_c_of_a_terminal_ends_all_processes_quietly_and_can_be_resumed(
    plan: TablePlan, table: AccuracyTable, tmp_path: Path
) -> None:
    folder = tmp_path / "interrupted"
    ended = run(plan, folder, "interrupted")
    assert ended.returncode == 1
    assert ended.stderr == "interrupted, 0 workers left\n"
    assert len(lines(folder)) == 5
    assert_same(produce_table(plan, folder, processes=1), table)


def test_ctrl_c_in_a_single_process_keeps_what_was_trained(plan: TablePlan, tmp_path: Path) -> None:
    with interruptible(), pytest.raises(KeyboardInterrupt):
        produce_table(plan, tmp_path, 1, at(3, lambda: signal.raise_signal(signal.SIGINT)))
    assert len(lines(tmp_path)) == 3


def test_worker_that_is_killed_is_reported_and_what_was_trained_is_kept(
    plan: TablePlan, tmp_path: Path
) -> None:
    def kill_one() -> None:
        multiprocessing.active_children()[0].kill()

    with pytest.raises(ProcessError, match=r"worked on \('.*', \d\) was ended from outside"):
        produce_table(plan, tmp_path, 2, at(2, kill_one))
    assert multiprocessing.active_children() == []
    assert 2 <= len(lines(tmp_path)) < 16


OWN = """
from torch import nn
from eznas.spaces import Space

class Half(Space):
    name = "half"
    input_channels = 1
    resolution = 14
    def architectures(self):
        return [str(number) for number in range(8)]
    def build(self, architecture, classes=10):
        if int(architecture) >= 4:
            raise ValueError("no blueprint")
        return nn.Sequential(nn.Flatten(), nn.Linear(14 * 14, classes))
"""


@pytest.fixture
def failing_plan(plan: TablePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TablePlan:
    """A plan whose architectures from the fifth on cannot be built."""
    (tmp_path / "half_space.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return plan.model_copy(update={"space": "half_space:Half"})


def test_architecture_that_fails_is_named_and_what_was_trained_is_kept(
    failing_plan: TablePlan, tmp_path: Path
) -> None:
    with pytest.raises(TaskError, match=r"cannot train '4' of half: ValueError: no blueprint"):
        produce_table(failing_plan, tmp_path / "half", processes=1)
    assert len(lines(tmp_path / "half")) == 8


@pytest.mark.parametrize("torn", ['{"architecture": "2x1', "x", '{"architecture": "a", "seed": 0}'])
def test_line_torn_by_a_crash_is_trained_again(
    plan: TablePlan, table: AccuracyTable, folder: Path, tmp_path: Path, torn: str
) -> None:
    copy = tmp_path / "torn"
    shutil.copytree(folder, copy)
    (copy / "table.csv").unlink()
    kept = lines(copy)[:13]
    (copy / "progress.jsonl").write_text("\n".join([*kept, torn]))
    assert_same(produce_table(plan, copy, processes=1), table)
    assert lines(copy)[:13] == kept
    assert len(table_folder.read_progress(copy)) == len(lines(copy)) == 16


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "3",
        "[]",
        '{"architecture": "2x1:2x1:2x1", "seed": 0}',
        '{"architecture": "2x1:2x1:2x1", "seed": "x", "accuracy": 1, "seconds": 1}',
        '{"architecture": "2x1:2x1:2x1", "seed": 0, "accuracy": NaN, "seconds": 1}',
        '{"architecture": "2x1:2x1:2x1", "seed": 0, "accuracy": 101, "seconds": 1}',
        '{"architecture": "2x1:2x1:2x1", "seed": 0, "accuracy": 1, "seconds": Infinity}',
    ],
)
def test_spoilt_line_is_refused_with_its_number(
    plan: TablePlan, folder: Path, tmp_path: Path, line: str
) -> None:
    copy = tmp_path / "spoilt"
    shutil.copytree(folder, copy)
    content = "\n".join([*lines(copy)[:3], line, *lines(copy)[3:]]) + "\n"
    (copy / "progress.jsonl").write_text(content)
    with pytest.raises(TaskError, match=r"progress\.jsonl, line 4"):
        produce_table(plan, copy, processes=1)
    assert (copy / "progress.jsonl").read_text() == content


def test_foreign_folder_is_refused_and_left_alone(plan: TablePlan, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(TaskError, match=r"holds no plan\.json but 'thesis\.txt'; expected a new folder"):
        produce_table(plan, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_folder_left_by_a_crash_before_the_plan_was_whole_can_be_used(
    plan: TablePlan, tmp_path: Path
) -> None:
    (tmp_path / ".plan.json.a1b2").write_text('{"na')
    (tmp_path / ".lock").write_text("")
    with table_folder.opened(plan, tmp_path) as done:
        assert done == {}
    assert table_folder.read_plan(tmp_path) == plan


def test_folder_that_another_process_trains_is_refused(plan: TablePlan, tmp_path: Path) -> None:
    with table_folder.opened(plan, tmp_path):
        before = sorted(tmp_path.iterdir())
        with pytest.raises(TaskError, match="another process trains the table in"):
            produce_table(plan, tmp_path, processes=1)
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["plan.json", "progress.jsonl"])
def test_file_that_cannot_be_read_is_named(plan: TablePlan, folder: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / name).unlink()
    (copy / name).mkdir()
    with pytest.raises(TaskError, match=rf"cannot read the .*{name}.*Is a directory"):
        produce_table(plan, copy, processes=1)


def test_folder_of_another_plan_is_refused_with_the_difference(plan: TablePlan, folder: Path) -> None:
    other = plan.model_copy(update={"training": plan.training.model_copy(update={"epochs": 3})})
    with pytest.raises(
        TaskError, match=r"another plan \(training.epochs 1 instead of 3\); choose another folder"
    ):
        produce_table(other, folder)


@pytest.mark.parametrize("content", ["", "hello", "[]", '{"name": "a"}', '{"name": 1}', "{" * 100_000])
def test_spoilt_plan_is_refused(plan: TablePlan, tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(TaskError, match=r"plan\.json is not the plan of a table"):
        produce_table(plan, tmp_path)


def test_folder_that_cannot_be_made_is_refused(plan: TablePlan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TaskError, match=r"cannot write the table to .*Not a directory"):
        produce_table(plan, tmp_path / "file" / "table")


def test_unknown_space_is_refused_before_anything_is_written(plan: TablePlan, tmp_path: Path) -> None:
    with pytest.raises(SpaceError):
        produce_table(plan.model_copy(update={"space": "macro"}), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_unusable_images_are_refused_before_anything_is_written(plan: TablePlan, tmp_path: Path) -> None:
    settings = plan.training.model_copy(update={"images": str(tmp_path / "none.npz")})
    with pytest.raises(TaskError, match="no images at"):
        produce_table(plan.model_copy(update={"training": settings}), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_full_disk_keeps_what_was_trained(
    plan: TablePlan, table: AccuracyTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = 0
    fsync = os.fsync

    def full(descriptor: int) -> None:
        nonlocal synced
        synced += 1
        if synced == 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(table_folder.os, "fsync", full)
    with pytest.raises(TaskError, match=r"cannot write the table to .*No space left on device"):
        produce_table(plan, tmp_path / "full", processes=1)
    assert all(json.loads(line) for line in lines(tmp_path / "full"))
    monkeypatch.undo()
    assert_same(produce_table(plan, tmp_path / "full", processes=1), table)


def test_line_that_the_disk_took_only_a_part_of_is_reported_and_trained_again(
    folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "partial"
    shutil.copytree(folder, copy)
    log = copy / "progress.jsonl"
    done = table_folder.read_progress(copy)
    job, trained = next(iter(done.items()))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 10, hard))
    try:
        with pytest.raises(TaskError, match=r"cannot write the table to .*No space left on device"):
            table_folder.keep_training(copy, job, trained)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.read_bytes()[-1:] != b"\n"
    assert table_folder.read_progress(copy, repair=True) == done
    assert lines(copy) == lines(folder)
