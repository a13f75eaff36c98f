"""NAS-Bench-Suite-Zero: validation accuracies beside scores of proxies (Krishnakumar et al., 2022)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from eznas.errors import TaskError
from eznas.spaces.topology_cell import EDGES, format_cell
from eznas.suggestion import quoted
from eznas.tasks.imported_plan import AccuracyKey
from eznas.tasks.importing.json_file import number, read_json
from eznas.tasks.importing.records import Measured, Records, gathered
from eznas.tasks.importing.request import Progress, Request, missing_key

BENCHMARK: Final = "nas-bench-suite-zero"

_OPERATIONS: Final = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
"""What the numbers of a tuple stand for."""
_TUPLE_EDGES: Final = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""What the places of a tuple stand for; the texts of the space have another order."""
_TUPLE: Final = re.compile(r"\((\d), (\d), (\d), (\d), (\d), (\d)\)")
_SPLIT: Final = "valid"
_ENOUGH_TO_TELL: Final = 20


def read_suite_zero(path: Path, request: Request, progress: Progress) -> Records:
    """The accuracies of `zc_nasbench201.json`; it has one validation accuracy an architecture and data set.

    It does not tell the epochs of training: those of the request, if any, are taken over.

    Raises:
        TaskError: The file cannot be read, is of another space, or has no accuracy of this key.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(each, dict) for each in content.values()):
        raise TaskError(f"{path.name} does not map data sets to architectures; expected {BENCHMARK}")
    if request.data_set not in content or request.split != _SPLIT:
        present = [AccuracyKey(data_set=name, epochs=None, split=_SPLIT) for name in content]
        raise missing_key(path.name, request.key(), present)
    of_data_set = content[request.data_set]
    _check_operations(path.name, of_data_set)
    measured = list(_measured(path.name, of_data_set))
    progress(1, 1)
    return gathered(BENCHMARK, path.name, "nats-tss", request.key(), measured)


def _check_operations(name: str, architectures: dict[str, Any]) -> None:
    """The file of TransNAS-Bench-101 has tuples of six numbers too, of four other operations."""
    last = str(len(_OPERATIONS) - 1)
    if len(architectures) >= _ENOUGH_TO_TELL and not any(last in text for text in architectures):
        raise TaskError(
            f"{name}: none of {len(architectures)} architectures has the operation {last}; expected those of "
            f"NAS-Bench-201"
        )


def _measured(name: str, architectures: dict[str, Any]) -> Iterator[Measured]:
    for text, record in architectures.items():
        if not isinstance(record, dict):
            raise TaskError(f"{name}: expected a record of {quoted(text)}, got {quoted(json.dumps(record))}")
        accuracy = record.get("val_accuracy")
        found = () if accuracy is None else (number(accuracy, f"{name}, {text}: val_accuracy"),)
        yield Measured(_architecture(name, text), found)


def _architecture(name: str, text: str) -> str:
    match = _TUPLE.fullmatch(text)
    numbers = [int(digit) for digit in match.groups()] if match else []
    if not numbers or max(numbers) >= len(_OPERATIONS):
        raise TaskError(
            f"{name}: expected six numbers of operations such as '(4, 0, 3, 1, 4, 3)', got {quoted(text)}"
        )
    by_edge = dict(zip(_TUPLE_EDGES, numbers, strict=True))
    return format_cell(tuple(_OPERATIONS[by_edge[edge]] for edge in EDGES))
