"""JSON files of benchmarks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eznas.errors import TaskError
from eznas.suggestion import quoted


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        TaskError: The file cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise TaskError(f"cannot read {path.name} as JSON: {error}") from error


def number(value: object, what: str) -> float:
    """A number; NaN, which some trainings end with, is one too.

    Raises:
        TaskError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TaskError(f"{what}: expected a number, got {quoted(repr(value))}")
    return float(value)
