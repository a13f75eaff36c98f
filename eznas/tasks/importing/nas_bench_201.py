"""NAS-Bench-201: the single file that `torch.save` wrote (Dong and Yang, 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eznas.tasks.importing.nats_bench import from_release, of_selected
from eznas.tasks.importing.records import Records
from eznas.tasks.importing.request import Progress, Request
from eznas.tasks.importing.torch_archive import load_torch_archive

BENCHMARK: Final = "nas-bench-201"

_EPOCHS: Final = {"less": "12", "full": "200"}
"""What the file calls its two sets of hyper-parameters, and what NATS-Bench calls them."""


def read_nas_bench_201(path: Path, request: Request, progress: Progress) -> Records:
    """The accuracies of `NAS-Bench-201-v1_0-e61699.pth` or `NAS-Bench-201-v1_1-096897.pth`.

    The file is read into memory as a whole, which takes many times its size.

    Raises:
        TaskError: The file cannot be read, is not in the layout, or has no accuracy of this key.
    """
    request.needed_epochs(BENCHMARK)
    release = load_torch_archive(path)
    selected = from_release(release, request, path.name, progress, _renamed)
    return of_selected(BENCHMARK, path.name, request, selected)


def _renamed(states: Mapping[str, Any]) -> Mapping[str, Any]:
    return {_EPOCHS.get(name, name): state for name, state in states.items()}
