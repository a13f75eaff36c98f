"""Where compiled kernels are kept on the disk."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba.core.registry import cpu_target

_PREFIX = "kernels-"
_UNUSED_SECONDS = 30 * 24 * 3600
_SOURCES = Path(__file__).parent
_CONFIG: Any = numba.config


@functools.cache
def cache_folder() -> Path | None:
    """The folder of these sources, compiler versions and processor; None if no folder can be written.

    It lies in the folder that the environment variable NUMBA_CACHE_DIR names, else in the user's cache.

    Numba alone would load stale code: it does not look for changes in the functions that a kernel calls, and
    another process that replaces a changed kernel writes its index before its code. In a folder that belongs
    to one state of all sources, and with one signature a kernel, processes can only write the same code to
    the same names, each file by renaming it.
    """
    base = Path(_CONFIG.CACHE_DIR) if _CONFIG.CACHE_DIR else platformdirs.user_cache_path("eznas")
    folder = base / f"{_PREFIX}{_fingerprint()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        os.utime(folder)
        _remove_unused(base)
    except OSError:
        return None
    return folder


def _remove_unused(base: Path) -> None:
    """Remove the folders of other sources, versions and processors that nothing has used for a month."""
    for folder in base.glob(_PREFIX + "[0-9a-f]" * 16):
        if time.time() - folder.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def compiling_into(folder: Path) -> Iterator[None]:
    """Have Numba keep the code of functions decorated meanwhile in the folder."""
    before, _CONFIG.CACHE_DIR = _CONFIG.CACHE_DIR, str(folder)
    try:
        yield
    finally:
        _CONFIG.CACHE_DIR = before


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(_SOURCES.rglob("*.py")):
        digest.update(f"{path.relative_to(_SOURCES)}\0".encode() + path.read_bytes() + b"\0")
    versions = [metadata.version(package) for package in ("numba", "llvmlite", "numpy")]
    processor = cpu_target.target_context.codegen().magic_tuple()
    digest.update(repr((versions, processor)).encode())
    return digest.hexdigest()[:16]
