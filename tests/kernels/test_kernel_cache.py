import errno
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numba.core import caching, config, types

from eznas_kernels import cache, policy, reductions

KERNELS = Path(cache.__file__).parents[1]
PROCESSES = 3

# Each process waits for the others before it compiles.
COMPILE = """
import sys, time
from pathlib import Path
import numba
import numpy as np
meeting, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
(meeting / name).touch()
deadline = time.monotonic() + 120
while len(list(meeting.iterdir())) < count and time.monotonic() < deadline:
    time.sleep(0.001)
from eznas_kernels import reductions
print(reductions.sum_of_values(np.arange(100, dtype=np.float32)))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder that this process uses from now on."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    cache.cache_folder.cache_clear()
    yield tmp_path
    cache.cache_folder.cache_clear()


def start(folder, meeting, name):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(KERNELS)}
    command = [sys.executable, "-c", COMPILE, str(meeting), name, str(PROCESSES)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return float(output)


def imported_again(module):
    specification = importlib.util.spec_from_file_location(f"{module.__name__}_again", module.__file__)
    again = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(again)
    return again


def hits(kernel):
    return sum(kernel.stats.cache_hits.values())


def test_processes_that_compile_at_once_into_an_empty_folder_leave_a_whole_cache(folder, tmp_path_factory):
    meeting = tmp_path_factory.mktemp("meeting")
    together = [start(folder, meeting, str(number)) for number in range(PROCESSES)]
    assert [finish(process) for process in together] == [4950.0] * PROCESSES
    assert not list(folder.rglob("*.tmp.*"))
    later = imported_again(reductions)
    kernels = [getattr(later, name) for name in vars(later) if hasattr(getattr(later, name), "signatures")]
    own = [kernel for kernel in kernels if kernel.py_func.__module__ == later.__name__]
    assert len(own) > 4
    assert [hits(kernel) for kernel in own] == [1] * len(own)
    assert later.sum_of_values(np.arange(100, dtype=np.float32)) == 4950.0


def compile_kernel():
    @policy.kernel(policy.SOURCE, policy.DESTINATION)
    def double(source, destination):
        for i in range(destination.size):
            destination[i] = source[i] + source[i]

    return double


def assert_works(kernel):
    destination = np.empty(3, np.float32)
    kernel(np.ones(3, np.float32), destination)
    np.testing.assert_array_equal(destination, 2.0)


def test_a_second_compilation_is_loaded_from_the_disk(folder):
    assert hits(compile_kernel()) == 0
    again = compile_kernel()
    assert hits(again) == 1
    assert_works(again)


def test_compiling_leaves_the_cache_folder_of_other_code_alone(folder):
    compile_kernel()
    assert str(folder) == config.CACHE_DIR


@pytest.mark.parametrize("content", [b"", bytes(100)], ids=["empty", "zeros"])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_files_cut_short_are_replaced(folder, suffix, content):
    compile_kernel()
    for path in folder.rglob(f"*.{suffix}"):
        path.write_bytes(content)
    for _ in range(2):
        assert_works(compile_kernel())
    assert hits(compile_kernel()) == 1


def test_a_full_disk_costs_only_the_cache(folder, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", refuse)
    assert_works(compile_kernel())


def test_a_folder_that_cannot_be_made_costs_only_the_cache(folder, monkeypatch):
    (folder / "file").touch()
    monkeypatch.setattr(config, "CACHE_DIR", str(folder / "file"))
    assert cache.cache_folder() is None
    assert_works(compile_kernel())


def test_without_a_named_folder_the_cache_lies_in_the_users_cache_folder(folder, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda name: folder / "user" / name)
    assert cache.cache_folder().parent == folder / "user" / "eznas"
    assert hits(compile_kernel()) == 0
    assert hits(compile_kernel()) == 1


def test_changed_sources_get_a_folder_of_their_own(folder, monkeypatch, tmp_path_factory):
    sources = tmp_path_factory.mktemp("sources")
    (sources / "module.py").write_text("first")
    monkeypatch.setattr(cache, "_SOURCES", sources)
    first = cache.cache_folder()
    cache.cache_folder.cache_clear()
    assert cache.cache_folder() == first
    (sources / "module.py").write_text("second")
    cache.cache_folder.cache_clear()
    assert cache.cache_folder() != first


def test_a_mistake_in_a_kernel_is_not_hidden(folder):
    with pytest.raises(Exception, match="unknown_name"):

        @policy.kernel(types.float32, returns=types.float32)
        def mistaken(a):
            return unknown_name(a)  # noqa: F821


def test_folders_that_nothing_has_used_for_a_month_are_removed(folder):
    long_ago = time.time() - 32 * 24 * 3600
    names = [f"kernels-{'0' * 16}", f"kernels-{'1' * 16}", "kernels-of-somebody-else"]
    for name in names:
        (folder / name).mkdir()
    for name in names[0], names[2]:
        os.utime(folder / name, (long_ago, long_ago))
    ours = cache.cache_folder()
    assert {path.name for path in folder.iterdir()} == {*names[1:], ours.name}


def test_use_keeps_a_folder(folder):
    ours = cache.cache_folder()
    os.utime(ours, (0, 0))
    cache.cache_folder.cache_clear()
    assert cache.cache_folder() == ours
    assert time.time() - ours.stat().st_mtime < 3600
