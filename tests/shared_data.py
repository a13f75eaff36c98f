"""Facts measured by others, kept beside the repository and never in it: tests that need them skip without."""

import bz2
import csv
import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "data"

_ALLOWED = {
    ("collections", "OrderedDict"): dict,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "scalar"): np.float64(0).__reduce__()[0],
}


def shared_data(name: str) -> Path:
    """The path of a file or folder of the shared data; without it the test is skipped."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"needs ../shared/data/{name}, measured by others and not part of the repository")
    return path


def architectures_of_table(name: str) -> list[str]:
    """The column `arch` of a table, whose column `index` must count from 0."""
    with gzip.open(shared_data(name), "rt") as table:
        rows = list(csv.DictReader(table))
    assert [int(row["index"]) for row in rows] == list(range(len(rows)))
    return [row["arch"] for row in rows]


def release_states(folder: str, index: int) -> list[dict[str, Any]]:
    """What a file of the NATS-Bench release says of an architecture, for each set of hyper-parameters."""
    path = shared_data(f"nats_bench_release/{folder}/{index:06d}.pickle.pbz2")
    with bz2.open(path) as file:
        return list(_PlainUnpickler(file).load().values())


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers and NumPy scalars; anything else in a file is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"expected containers and NumPy scalars, got {module}.{name}")
        return _ALLOWED[module, name]
