"""Statistics of the untrained networks of a task, one at a time or as a store."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import platformdirs

from eznas.statistics import NetworkStatistics, collect_statistics, network_seed
from eznas.store import StatisticsStore, collect_store
from eznas.tasks.task import Task
from eznas.terminals import TERMINALS
from eznas.threads import one_torch_thread

STORES_VARIABLE = "EZNAS_STORES"
"""The environment variable that names the folder of `default_stores`."""


def network_statistics(
    task: Task,
    architecture: str,
    terminals: Iterable[str] | None = None,
    *,
    structure: str = "rcb",
    batch_size: int = 1,
    seed: int = 0,
) -> NetworkStatistics:
    """The statistics of one untrained network, as they also stand in a store of the same settings.

    Args:
        task: The task.
        architecture: Any architecture of the task's space.
        terminals: What to collect; all 22 by default.
        structure: `rcb` or `cbr`.
        batch_size: Images in the mini-batch.
        seed: Decides the images and, together with the architecture, the weights and the noise.

    Raises:
        SpaceError: The architecture is not of the space.
    """
    weights = network_seed(seed, architecture)
    model = task.build(architecture, weights)
    inputs = task.inputs(batch_size, seed)
    with one_torch_thread():
        return collect_statistics(model, inputs, terminals, structure, seed=weights)


def collect_task(
    task: Task,
    path: Path | str,
    architectures: Sequence[str],
    *,
    terminals: Sequence[str] | None = None,
    structure: str = "rcb",
    batch_size: int = 1,
    seed: int = 0,
    announce: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StatisticsStore:
    """Collect the statistics of untrained networks of a task into a store; see `collect_store`.

    The arguments are those of `network_statistics` and `collect_store`.
    """
    wanted = tuple(terminals or TERMINALS)
    return collect_store(
        path,
        architectures,
        wanted,
        lambda architecture: network_statistics(
            task, architecture, wanted, structure=structure, batch_size=batch_size, seed=seed
        ),
        _settings(task, structure, batch_size, seed),
        announce,
        progress,
    )


def open_or_collect(
    task: Task,
    architectures: Sequence[str],
    *,
    terminals: Sequence[str] | None = None,
    structure: str = "rcb",
    batch_size: int = 1,
    seed: int = 0,
    stores: Path | str | None = None,
    announce: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StatisticsStore:
    """The store of these networks and settings below a folder of stores, collected now if it is not there.

    The folder is `default_stores` unless `stores` names another; the other arguments are those of
    `collect_task`.
    """
    wanted = tuple(terminals or TERMINALS)
    identity = [_settings(task, structure, batch_size, seed), list(architectures), wanted]
    digest = hashlib.blake2b(json.dumps(identity).encode(), digest_size=8).hexdigest()
    return collect_task(
        task,
        Path(stores or default_stores()) / f"{task.name}-{digest}",
        architectures,
        terminals=wanted,
        structure=structure,
        batch_size=batch_size,
        seed=seed,
        announce=announce,
        progress=progress,
    )


def default_stores() -> Path:
    """Where stores are kept between runs: `$EZNAS_STORES`, else the user's cache folder."""
    return Path(os.environ.get(STORES_VARIABLE) or platformdirs.user_cache_path("eznas") / "stores")


def _settings(task: Task, structure: str, batch_size: int, seed: int) -> dict[str, Any]:
    return {
        "task": task.batches.identity,
        "structure": str(structure),
        "batch_size": batch_size,
        "seed": seed,
    }
