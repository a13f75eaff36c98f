"""NDS: trained networks of random cells, widths and depths (Radosavovic et al., ICCV 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from eznas import spaces
from eznas.errors import SpaceError, TaskError
from eznas.spaces.nds import architecture_text
from eznas.tasks.imported_plan import AccuracyKey
from eznas.tasks.importing.json_file import number, read_json
from eznas.tasks.importing.records import Measured, Records, gathered, whole_number
from eznas.tasks.importing.request import Progress, Request, missing_key

BENCHMARK: Final = "nds"

LAST: Final = "test-last"
BEST: Final = "test-best"
"""Test accuracy after the last epoch, or after the epoch in which it was highest."""

_ON_IMAGENET: Final = "-in"


def read_nds(path: Path, request: Request, progress: Progress) -> Records:
    """The accuracies of a file such as `DARTS.json` or `Amoeba_in.json`: 100 less the recorded error.

    The file holds a list of records, or two lists `top` and `mid`. Its name tells the space, unless the
    request names one. Records of other lengths of training than the wanted one are left out.

    Raises:
        TaskError: The file cannot be read, is not in the layout, or has no accuracy of this key.
    """
    epochs = request.needed_epochs(BENCHMARK)
    space = request.space or _space_of(path)
    data_set = "imagenet" if space.endswith(_ON_IMAGENET) else "cifar10"
    records = list(_records(path))
    lengths = {len(record["test_ep_top1"]) for record in records}
    if request.data_set != data_set or request.split not in (LAST, BEST) or epochs not in lengths:
        present = [
            AccuracyKey(data_set=data_set, epochs=length, split=split)
            for length in lengths
            for split in (LAST, BEST)
        ]
        raise missing_key(path.name, request.key(), present)
    of_length = [record for record in records if len(record["test_ep_top1"]) == epochs]
    measured, strange = _measured(path.name, of_length, request.split)
    progress(1, 1)
    notes = [
        f"left out: {count:,} of {len(records):,} records {why}"
        for count, why in (
            (len(records) - len(of_length), f"of other than {epochs} epochs"),
            (len(of_length) - len(measured), f"without a network of NDS cells ({strange})"),
        )
        if count
    ]
    if not measured:
        raise TaskError(f"{path.name} holds no network of NDS cells; the first record says: {strange}")
    return gathered(BENCHMARK, path.name, space, request.key(), measured, notes)


def _space_of(path: Path) -> str:
    """The space that the name of the file tells, such as `nds-darts-in` for `DARTS_lr-wd_in.json`."""
    cells, *variants = path.name.split(".")[0].split("_")
    name = f"nds-{cells.lower()}{_ON_IMAGENET if 'in' in variants else ''}"
    if name not in spaces.names():
        known = ", ".join(known for known in spaces.names() if known.startswith("nds-"))
        raise TaskError(f"the name {path.name} tells no NDS space; give the space, one of {known}")
    return name


def _records(path: Path) -> Iterator[dict[str, Any]]:
    content = read_json(path)
    if isinstance(content, dict):
        top, middle = content.get("top"), content.get("mid")
        content = top + middle if isinstance(top, list) and isinstance(middle, list) else None
    if not isinstance(content, list) or not content:
        raise TaskError(f"{path.name} holds neither a list of records nor lists 'top' and 'mid'")
    for place, record in enumerate(content):
        errors = record.get("test_ep_top1") if isinstance(record, dict) else None
        if not isinstance(errors, list) or not errors:
            raise TaskError(f"{path.name}, record {place}: expected a list 'test_ep_top1' of errors")
        yield record


def _measured(
    name: str, records: list[dict[str, Any]], split: str
) -> tuple[list[Measured], SpaceError | None]:
    """The records with a network of cells, and what is wrong with the first other one."""
    measured, strange = [], None
    for record in records:
        try:
            architecture = architecture_text(record.get("net", {}))
        except SpaceError as error:
            strange = strange or error
            continue
        error_rate = record["test_ep_top1"][-1] if split == LAST else record.get("min_test_top1")
        accuracy = 100 - number(error_rate, f"{name}: the test error")
        costs = (whole_number(record.get(kind), 1, f"{name}: {kind}") for kind in ("params", "flops"))
        measured.append(Measured(architecture, (accuracy,), *costs))
    return measured, strange
