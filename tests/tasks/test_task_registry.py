import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from eznas import tasks
from eznas.errors import SpaceError, TaskError
from eznas.tasks import TablePlan
from eznas.tasks.mini_batches import TrainingBatches


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """The finished folder, to be spoilt."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def edit(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_embedded_tasks_have_names() -> None:
    assert tasks.names() == ["mnist-topology", "mnist-size"]


def test_folder_is_a_task(folder: Path, plan: TablePlan) -> None:
    task = tasks.get(str(folder))
    assert task.name == "tiny"
    assert task.batches == TrainingBatches(plan)
    assert task.space.name == "micro-size"
    assert list(task.architectures) == plan.sample()


def test_table_and_provenance_are_enough(copy: Path, plan: TablePlan) -> None:
    (copy / "plan.json").unlink()
    (copy / "progress.jsonl").unlink()
    assert tasks.get(str(copy)).batches == TrainingBatches(plan)


def test_unknown_task_is_answered_with_the_known_ones_and_the_nearest() -> None:
    expected = (
        r"unknown task 'minst-size'; expected one of mnist-topology, mnist-size, or .*mean 'mnist-size'\?"
    )
    with pytest.raises(TaskError, match=expected):
        tasks.get("minst-size")


def test_file_is_no_task(copy: Path) -> None:
    with pytest.raises(TaskError, match="unknown task"):
        tasks.get(str(copy / "table.csv"))


def test_embedded_task_without_table_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("eznas.tasks.registry.embedded_folder", lambda name: tmp_path / name)
    with pytest.raises(
        TaskError, match=r"is not the folder of a task: it holds neither table\.csv nor plan\.json"
    ):
        tasks.get("mnist-size")


def test_unfinished_folder_tells_how_far_it_is(copy: Path) -> None:
    (copy / "table.csv").unlink()
    log = copy / "progress.jsonl"
    log.write_text("\n".join(log.read_text().splitlines()[:12]) + '\n{"architecture"')
    before = log.read_bytes()
    expected = "is not finished: it holds 12 of 16 trainings; run the same `eznas tasks train` again"
    with pytest.raises(TaskError, match=expected):
        tasks.get(str(copy))
    assert log.read_bytes() == before


def test_foreign_folder_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="is not the folder of a task"):
        tasks.get(str(tmp_path))


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "[" * 100_000, b"\xff"])
def test_spoilt_provenance_is_refused(copy: Path, content: str | bytes) -> None:
    (copy / "provenance.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TaskError, match=r"provenance\.json"):
        tasks.get(str(copy))


def test_missing_provenance_is_refused(copy: Path) -> None:
    (copy / "provenance.json").unlink()
    with pytest.raises(TaskError, match="cannot read the provenance"):
        tasks.get(str(copy))


def test_provenance_with_a_bad_plan_is_refused(copy: Path) -> None:
    edit(copy / "provenance.json", lambda record: record["plan"].update(architectures="all"))  # type: ignore[attr-defined]
    with pytest.raises(
        TaskError, match=r"provenance\.json holds no plan of a table: architectures: .* got 'all'"
    ):
        tasks.get(str(copy))


def test_table_that_does_not_fit_the_plan_is_refused(copy: Path) -> None:
    rows = (copy / "table.csv").read_text().splitlines()
    (copy / "table.csv").write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(TaskError, match="expected 8 architectures with 2 seeds, got 7 with 2"):
        tasks.get(str(copy))


def test_space_that_cannot_be_imported_is_named(copy: Path) -> None:
    edit(copy / "provenance.json", lambda record: record["plan"].update(space="gone.away:Space"))  # type: ignore[attr-defined]
    with pytest.raises(SpaceError, match=r"cannot import the space 'gone\.away:Space'"):
        tasks.get(str(copy))
