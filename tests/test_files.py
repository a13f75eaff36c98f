from pathlib import Path

import pytest

from eznas import files
from eznas.files import locked, write_whole


def test_content_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_written_file_can_be_read_by_others(tmp_path: Path) -> None:
    write_whole(tmp_path / "figures.csv", b"")
    assert (tmp_path / "figures.csv").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("failing", ["fsync", "chmod", "replace"])
def test_failure_at_any_step_keeps_the_old_content_and_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "figures.csv"
    write_whole(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_interruption_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "figures.csv", b"new")
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        write_whole(tmp_path / "missing" / "figures.csv", b"")


def test_locked_folder_refuses_a_second_process_and_is_free_afterwards(tmp_path: Path) -> None:
    # Every opening of the lock file counts, as if it were another process.
    first, second = (locked(tmp_path, LookupError("in use")) for _ in range(2))
    with first, pytest.raises(LookupError, match="in use"), second:
        pytest.fail("entered twice")
    with locked(tmp_path, LookupError("in use")):
        pass


def test_error_inside_a_locked_folder_frees_it(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path, LookupError("in use")):
        raise KeyError
    with locked(tmp_path, LookupError("in use")):
        pass


def test_missing_folder_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "missing", LookupError("in use")):
        pytest.fail("entered")
