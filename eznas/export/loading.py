"""Runs generated files as modules, under no name that others could import."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from eznas.errors import ExportError


def loaded_module(path: Path) -> ModuleType:
    """The module of a Python file that this process has just generated; its code is run.

    Raises:
        ExportError: The file cannot be imported.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ExportError(f"expected a Python file to import, got {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
