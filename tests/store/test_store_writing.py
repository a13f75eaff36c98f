import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from sample_stores import NAMES, SETTINGS, SOME, assert_holds, contents, made_up, write_store

from eznas import files
from eznas.errors import StatisticsError, StoreError
from eznas.statistics import NetworkStatistics
from eznas.store import StatisticsStore


def write_some(path: Path, count: int) -> None:
    with StatisticsStore.create(path, NAMES, SOME, SETTINGS) as writer:
        for name in writer.remaining[:count]:
            writer.append(name, made_up(name))


def test_unfinished_store_is_gone_on_with_and_ends_as_any_other(tmp_path: Path) -> None:
    write_store(tmp_path / "at once")
    write_some(tmp_path / "bit by bit", 1)
    write_some(tmp_path / "bit by bit", 1)
    with StatisticsStore.create(tmp_path / "bit by bit", NAMES, SOME, SETTINGS) as writer:
        assert writer.completed == NAMES[:2]
        assert writer.remaining == NAMES[2:]
        writer.append(NAMES[2], made_up(NAMES[2]))
        writer.finish()
    assert contents(tmp_path / "bit by bit") == contents(tmp_path / "at once")


def test_unfinished_store_says_how_far_it_is(tmp_path: Path) -> None:
    write_some(tmp_path, 2)
    assert not StatisticsStore.is_finished(tmp_path)
    with pytest.raises(StoreError, match="unfinished: it holds 2 of 3 networks; run its collection again"):
        StatisticsStore.open(tmp_path)


def test_store_is_not_finished_before_its_last_network(tmp_path: Path) -> None:
    with StatisticsStore.create(tmp_path, NAMES, SOME) as writer:
        writer.append(NAMES[0], made_up(NAMES[0]))
        with pytest.raises(StoreError, match="2 networks of the store .* are not written yet"):
            writer.finish()
    assert not StatisticsStore.is_finished(tmp_path)


def test_networks_are_appended_in_their_order(tmp_path: Path) -> None:
    with StatisticsStore.create(tmp_path, NAMES[:1], SOME) as writer:
        with pytest.raises(StoreError, match="expected 'alpha' next in the store .*, got 'other'"):
            writer.append("other", made_up("other"))
        writer.append(NAMES[0], made_up(NAMES[0]))
        with pytest.raises(StoreError, match="expected no network next"):
            writer.append("other", made_up("other"))


def test_more_terminals_than_are_kept_do_not_matter_but_missing_ones_do(tmp_path: Path) -> None:
    with StatisticsStore.create(tmp_path, NAMES[:1], SOME) as writer:
        with pytest.raises(StoreError, match="the statistics of alpha lack T4_P, T3G_N; they hold T1_D, T3"):
            writer.append(NAMES[0], made_up(NAMES[0], ("T1_D", "T3")))
        writer.append(NAMES[0], made_up(NAMES[0]))
        writer.finish()
    assert_holds(StatisticsStore.open(tmp_path), NAMES[:1])


def test_tensors_of_other_ranks_are_kept_up_to_four_dimensions(tmp_path: Path) -> None:
    flat = NetworkStatistics.from_layers([{"T3": np.ones(5, np.float32)}])
    deep = NetworkStatistics.from_layers([{"T3": np.ones((1, 1, 1, 1, 2), np.float32)}])
    with StatisticsStore.create(tmp_path, ["flat", "deep"], ["T3"]) as writer:
        writer.append("flat", flat)
        with pytest.raises(StoreError, match="expected tensors of one to 4 dimensions"):
            writer.append("deep", deep)
        writer.append("deep", flat)
        writer.finish()
    assert StatisticsStore.open(tmp_path)[1].layers[0]["T3"].shape == (5,)


def test_wrong_dtype_never_reaches_a_store() -> None:
    with pytest.raises(StatisticsError, match="expected float32, got float64"):
        NetworkStatistics.from_layers([{"T3": np.ones((1, 1, 1, 1))}])


@pytest.mark.parametrize(
    ("names", "terminals", "settings", "text"),
    [
        ([], SOME, {}, "distinct names of networks, at least one, got 0"),
        (["a", "a"], SOME, {}, "distinct names of networks"),
        (["a"], [], {}, "distinct terminals, at least one, got none"),
        (["a"], ["T3", "T3"], {}, "distinct terminals, at least one, got T3, T3"),
        (["a"], ["T7"], {}, "unknown terminal 'T7'"),
        (["a"], SOME, {"seed": {1}}, "settings that JSON can hold"),
        (["a"], SOME, {"seed": float("nan")}, "settings that JSON can hold"),
    ],
)
def test_plan_that_cannot_be_stored_is_refused(
    tmp_path: Path, names: list[str], terminals: list[str], settings: dict[str, object], text: str
) -> None:
    with (
        pytest.raises(StoreError, match=text),
        StatisticsStore.create(tmp_path / "s", names, terminals, settings),
    ):
        pass
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("names", "terminals", "settings", "text"),
    [
        (NAMES[:2], SOME, SETTINGS, "another number of networks: 3 there, 2 asked for"),
        (("alpha", "beta", "été"), SOME, SETTINGS, r"another network: beta\|2 there, beta asked for"),
        (NAMES, SOME[:2], SETTINGS, "another list of terminals: T1_D, T3, T4_P, T3G_N there, T1_D, T3 asked"),
        (NAMES, SOME, {**SETTINGS, "seed": 4}, "another setting 'seed': 3 there, 4 asked for"),
        (NAMES, SOME, {"seed": 3}, "another setting 'inputs'"),
    ],
)
def test_unfinished_store_of_another_plan_is_refused_and_kept(
    tmp_path: Path, names: tuple[str, ...], terminals: tuple[str, ...], settings: dict[str, object], text: str
) -> None:
    write_some(tmp_path, 1)
    before = contents(tmp_path)
    with pytest.raises(StoreError, match=text), StatisticsStore.create(tmp_path, names, terminals, settings):
        pass
    assert contents(tmp_path) == before


def test_unfinished_store_of_another_torch_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_some(tmp_path, 1)
    monkeypatch.setattr("torch.__version__", "9.9")
    with pytest.raises(StoreError, match=r"another version of torch: 2\..* there, 9\.9 asked for"):
        write_some(tmp_path, 1)


def test_order_of_terminals_and_tuples_in_settings_do_not_make_another_plan(tmp_path: Path) -> None:
    with StatisticsStore.create(tmp_path, NAMES, SOME, {"sizes": (1, 2)}):
        pass
    with StatisticsStore.create(tmp_path, NAMES, SOME[::-1], {"sizes": [1, 2]}) as writer:
        assert writer.remaining == NAMES


def test_finished_store_is_not_written_to(tmp_path: Path) -> None:
    write_store(tmp_path)
    with pytest.raises(StoreError, match="is finished; choose another folder"):
        write_some(tmp_path, 1)


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(StoreError, match=r"is no store and not empty: it holds thesis\.txt"):
        write_some(tmp_path, 1)
    assert contents(tmp_path) == {"thesis.txt": b"precious"}


def test_altered_plan_is_refused(tmp_path: Path) -> None:
    write_some(tmp_path, 1)
    text = (tmp_path / "plan.json").read_text()
    (tmp_path / "plan.json").write_text(text.replace('"seed": 3', '"seed": 5'))
    with pytest.raises(StoreError, match=r"plan\.json was altered"):
        write_some(tmp_path, 1)
    with pytest.raises(StoreError, match=r"plan\.json was altered"):
        StatisticsStore.open(tmp_path)


@pytest.mark.parametrize("name", ["T1_D.f32", "T3G_N.f32"])
@pytest.mark.parametrize("damage", ["lost", "truncated", "zeroed"])
def test_networks_that_a_power_cut_spoiled_are_written_again(tmp_path: Path, name: str, damage: str) -> None:
    write_store(tmp_path / "whole")
    write_some(tmp_path / "cut", 2)
    file = tmp_path / "cut" / name
    content = file.read_bytes()
    if damage == "lost":
        file.unlink()
    else:
        file.write_bytes(content[:-4] + (b"\0" * 4 if damage == "zeroed" else b""))
    with StatisticsStore.create(tmp_path / "cut", NAMES, SOME, SETTINGS) as writer:
        assert writer.remaining == (NAMES if damage == "lost" else NAMES[1:])
        for each in writer.remaining:
            writer.append(each, made_up(each))
        writer.finish()
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    "line", [b'{"name":"be', b"garbage\n", b'{"name":"other","shapes":[],"checksums":[]}\n']
)
def test_torn_and_foreign_journal_lines_are_cut_off(tmp_path: Path, line: bytes) -> None:
    write_store(tmp_path / "whole")
    write_some(tmp_path / "torn", 1)
    with (tmp_path / "torn" / "journal.jsonl").open("ab") as journal:
        journal.write(line)
    with StatisticsStore.create(tmp_path / "torn", NAMES, SOME, SETTINGS) as writer:
        assert writer.completed == NAMES[:1]
        for name in writer.remaining:
            writer.append(name, made_up(name))
        writer.finish()
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")


def test_second_writer_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    with StatisticsStore.create(tmp_path, NAMES, SOME) as writer:
        with (
            pytest.raises(StoreError, match="another process is writing to the store"),
            StatisticsStore.create(tmp_path, NAMES, SOME),
        ):
            pass
        writer.append(NAMES[0], made_up(NAMES[0]))
    with StatisticsStore.create(tmp_path, NAMES, SOME) as writer:
        assert writer.completed == NAMES[:1]


class FullDisk:
    """Writes only so many more bytes, in all files together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
        self.free = free
        self.really = os.pwrite
        monkeypatch.setattr(os, "pwrite", self.write)

    def write(self, descriptor: int, content: memoryview, offset: int) -> int:
        if self.free == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.really(descriptor, content[: self.free], offset)
        self.free -= written
        return written


@pytest.mark.parametrize("free", [0, 1, 200, 500, 608, 650])
def test_full_disk_keeps_the_networks_before_and_writing_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    write_store(tmp_path / "whole")
    with StatisticsStore.create(tmp_path / "full", NAMES, SOME, SETTINGS) as writer:
        writer.append(NAMES[0], made_up(NAMES[0]))
        before = contents(tmp_path / "full")
        disk = FullDisk(monkeypatch, free)
        with pytest.raises(
            StoreError, match="cannot write beta.*No space left on device; the 1 networks before it are kept"
        ):
            writer.append(NAMES[1], made_up(NAMES[1]))
        assert contents(tmp_path / "full") == before
        disk.free = 10**9
        for name in writer.remaining:
            writer.append(name, made_up(name))
        writer.finish()
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_disk_that_is_full_at_the_end_leaves_an_unfinished_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with StatisticsStore.create(tmp_path, NAMES, SOME, SETTINGS) as writer:
        for name in NAMES:
            writer.append(name, made_up(name))
        with monkeypatch.context() as patch:
            patch.setattr(files.os, call, fail)
            with pytest.raises(StoreError, match="cannot write .*No space left on device"):
                writer.finish()
        assert not StatisticsStore.is_finished(tmp_path)
        writer.finish()
    assert_holds(StatisticsStore.open(tmp_path))


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot write the store .*file/store: Not a directory"):
        write_some(tmp_path / "file" / "store", 1)


def test_read_only_folder_is_refused_and_still_read() -> None:
    user = os.geteuid()
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_store(folder / "finished")
        (folder / "empty").mkdir()
        for each in (folder / "finished", folder / "empty"):
            each.chmod(0o555)
        folder.chmod(0o755)
        if user == 0:
            os.seteuid(65534)  # the superuser may write anywhere
        try:
            assert_holds(StatisticsStore.open(folder / "finished"))
            with pytest.raises(StoreError, match="cannot write the store .*empty: Permission denied"):
                write_some(folder / "empty", 1)
        finally:
            os.seteuid(user)
            for each in (folder / "finished", folder / "empty"):
                each.chmod(0o755)


def test_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_store(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(StoreError, match=f"cannot read {tmp_path}: Permission denied"):
        StatisticsStore.open(tmp_path)
