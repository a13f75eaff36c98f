import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import config

from eznas_kernels import cache, loading

SOURCES = Path(loading.__file__).parent
COMPILERS = {"kernel", "reduction"}


def imported(module):
    """What a module of kernels imports from its own package: modules, and names of modules."""
    found = set()
    for node in ast.walk(ast.parse((SOURCES / f"{module}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("eznas_kernels"):
            _, _, home = (node.module or "").partition(".")
            found.update(f"{home}.{alias.name}" if home else alias.name for alias in node.names)
    return found


def test_every_module_that_compiles_kernels_is_loaded():
    modules = {path.stem for path in SOURCES.glob("*.py")}
    compiling = {name for name in modules if imported(name) & {f"policy.{each}" for each in COMPILERS}}
    assert sorted(loading.MODULES) == sorted(compiling)


def test_every_module_that_the_library_takes_kernels_from_is_loaded():
    modules = {name for name in imported("library") if (SOURCES / f"{name}.py").exists()}
    assert modules
    assert modules <= set(loading.MODULES)


def test_loading_tells_of_every_module_and_leaves_nothing_to_compile():
    told = []
    loading.load(lambda done, total: told.append((done, total)))
    total = len(loading.MODULES)
    assert told == [(done, total) for done in range(1, total + 1)]
    assert {f"eznas_kernels.{name}" for name in loading.MODULES} <= set(sys.modules)
    assert not loading.needs_compiling()


LOAD = """
import sys
from eznas_kernels import loading
loading.MODULES = ("broadcasting",)
loading._useful_processes = lambda: int(sys.argv[1])
print(loading.needs_compiling())
loading.load(lambda done, total: print(done, "of", total))
from eznas_kernels import broadcasting
print(loading.needs_compiling(), sum(broadcasting.expand.stats.cache_hits.values()))
"""


def load_in_a_process(folder, processes):
    path = os.pathsep.join([str(SOURCES.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(processes)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(("processes", "hits"), [(1, 0), (2, 1)])
def test_what_was_loaded_once_is_compiled_no_more(tmp_path, processes, hits):
    # With several processes another one compiles, and the code is loaded from the disk.
    assert load_in_a_process(tmp_path, processes) == ["True", "1 of 1", f"False {hits}"]
    assert load_in_a_process(tmp_path, processes) == ["False", "1 of 1", "False 1"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder that this process uses from now on."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    cache.cache_folder.cache_clear()
    yield tmp_path
    cache.cache_folder.cache_clear()


@pytest.fixture
def sources(tmp_path_factory, monkeypatch):
    """Sources of one module that was never imported."""
    made = tmp_path_factory.mktemp("sources")
    (made / "never_imported.py").touch()
    monkeypatch.setattr(loading, "_SOURCES", made)
    monkeypatch.setattr(loading, "MODULES", ("never_imported",))
    return made


def test_code_compiled_from_files_of_another_time_or_place_is_not_counted(
    folder, sources, tmp_path_factory, monkeypatch
):
    assert loading.needs_compiling()
    loading._mark(cache.cache_folder()).touch()
    assert not loading.needs_compiling()
    os.utime(sources / "never_imported.py", (1, 1))
    assert loading.needs_compiling()
    os.utime(sources / "never_imported.py", (2, 2))
    loading._mark(cache.cache_folder()).touch()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "never_imported.py").touch()
    os.utime(elsewhere / "never_imported.py", (2, 2))
    monkeypatch.setattr(loading, "_SOURCES", elsewhere)
    assert loading.needs_compiling()


def test_without_a_cache_folder_there_is_always_something_to_compile(sources, monkeypatch):
    monkeypatch.setattr(loading, "cache_folder", lambda: None)
    assert loading.needs_compiling()


def test_a_module_that_another_process_cannot_compile_is_left_to_this_one(folder, sources):
    assert list(loading._compiled(folder, 2)) == []
    with pytest.raises(ModuleNotFoundError, match="never_imported"):
        loading.load()
    assert loading.needs_compiling()


def test_an_interruption_leaves_no_process_behind(folder, sources, monkeypatch):
    started = {}

    def start(name, _folder):
        command = "" if name == "short" else "import time; time.sleep(600)"
        started[name] = subprocess.Popen([sys.executable, "-c", command])
        return started[name]

    def interrupt(_done, _total):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "MODULES", ("long", "short"))
    monkeypatch.setattr(loading, "_mark", lambda folder: folder / "nothing")
    monkeypatch.setattr(loading, "_useful_processes", lambda: 2)
    monkeypatch.setattr(loading, "_start", start)
    with pytest.raises(KeyboardInterrupt):
        loading.load(interrupt)
    assert started["short"].returncode == 0
    assert started["long"].returncode is not None
