"""What a run was made on: processor, threads, versions."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

import torch

from eznas.threads import available_processors

_PACKAGES: Final = ("eznas", "torch", "numpy", "numba", "llvmlite", "jax", "numexpr", "pyoperon")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the versions of what was measured."""

    processor: str
    instructions: str
    """The widest vector instructions that torch uses."""
    processors: int
    memory_gib: float
    system: str
    python: str
    versions: dict[str, str]
    """Of the packages that are installed."""


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        processor=_processor(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        processors=available_processors(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        versions=_versions(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")


def _versions() -> dict[str, str]:
    from eznas import __version__

    found = {"eznas": __version__}
    for package in _PACKAGES[1:]:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
