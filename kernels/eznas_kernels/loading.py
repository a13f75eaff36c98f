"""Loading every kernel, and compiling what is not compiled yet in several processes."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

from eznas_kernels.cache import cache_folder

MODULES: Final = (
    "determinants",
    "matrix_products",
    "eigenvalues",
    "machine",
    "maps",
    "mapped_sums",
    "rescaling",
    "reductions",
    "broadcasting",
    "repeats",
    "elementwise",
)
"""The modules that compile kernels when they are imported, from the longest to the shortest to compile, so
that processes that take one after the other end at about one time."""

Progress = Callable[[int, int], None]
"""Called with the modules done and the modules in all."""

_MOST_PROCESSES: Final = 4
"""Each takes about 250 MB, and the longest module about a quarter of the time of all."""

_POLL_SECONDS: Final = 0.05

_SOURCES: Final = Path(__file__).parent


def needs_compiling() -> bool:
    """Whether `load` takes the better part of a minute rather than of a second."""
    if all(f"{__package__}.{name}" in sys.modules for name in MODULES):
        return False
    folder = cache_folder()
    return folder is None or not _mark(folder).exists()


def load(progress: Progress | None = None) -> None:
    """Import every module of kernels; what was never compiled on this machine is compiled first.

    Args:
        progress: Told of every module that is ready.
    """
    report = progress or _ignore
    folder = cache_folder()
    ready: set[str] = set()
    processes = _useful_processes()
    if processes > 1 and folder is not None and needs_compiling():
        # Closed at once, so that an interruption leaves no process behind.
        with contextlib.closing(_compiled(folder, processes)) as compiled:
            for name in compiled:
                ready.add(name)
                report(len(ready), len(MODULES))
    for name in MODULES:
        # What another process failed to compile is compiled here, which shows the error if there is one.
        importlib.import_module(f"{__package__}.{name}")
        if name not in ready:
            ready.add(name)
            report(len(ready), len(MODULES))
    if folder is not None:
        # A full disk costs the time to compile, not the run.
        with contextlib.suppress(OSError):
            _mark(folder).touch()


def _mark(folder: Path) -> Path:
    """The empty file that stands for everything loaded; those of kernels also come of half a compilation.

    Numba keeps code for sources of one path and time, of which the folder knows nothing.
    """
    stamps = [(stat.st_mtime_ns, stat.st_size) for stat in map(os.stat, map(_source, MODULES))]
    digest = hashlib.sha256(repr((str(_SOURCES), stamps)).encode()).hexdigest()
    return folder / f"complete-{digest[:16]}"


def _source(name: str) -> Path:
    return _SOURCES / f"{name}.py"


def _ignore(_done: int, _total: int) -> None:
    pass


def _useful_processes() -> int:
    if not sys.executable or getattr(sys, "frozen", False):
        return 1  # What would be started is not Python.
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, _MOST_PROCESSES)


def _compiled(folder: Path, most: int) -> Generator[str]:
    """Compile the modules in processes of their own into the cache; the names of those that succeed."""
    waiting = list(MODULES)
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < most:
                name = waiting.pop(0)
                running[name] = _start(name, folder)
            ended = [name for name, process in running.items() if process.poll() is not None]
            for name in ended:
                if running.pop(name).returncode == 0:
                    yield name
            if not ended:
                time.sleep(_POLL_SECONDS)
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def _start(name: str, folder: Path) -> subprocess.Popen[bytes]:
    path = [str(_SOURCES.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(folder.parent),
        "PYTHONPATH": os.pathsep.join(path),
    }
    # Without -P, files in the working directory could be taken for modules.
    command = [sys.executable, "-P", "-c", f"import {__package__}.{name}"]
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
