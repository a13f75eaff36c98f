"""Collect the statistics of many networks into a store: announced, resumable, never half taken for whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from eznas.errors import StoreError
from eznas.statistics import NetworkStatistics
from eznas.store.arrays import are_stored
from eznas.store.layout import Manifest, StorePlan
from eznas.store.reader import StatisticsStore
from eznas.store.sharing import holders
from eznas.store.writer import StoreWriter

SAMPLED_NETWORKS: Final = 3
"""The disk that a store needs is estimated from so many of its networks, evenly spaced."""


def collect_store(
    path: Path | str,
    names: Sequence[str],
    terminals: Sequence[str],
    collect: Callable[[str], NetworkStatistics],
    settings: Mapping[str, Any] | None = None,
    announce: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StatisticsStore:
    """Write the statistics of each network in turn, and open the finished store.

    An unfinished store of the same names, terminals and settings is gone on with; a finished one is opened.

    Args:
        path: The folder of the store.
        names: The networks, in order.
        terminals: What to keep of each.
        collect: Gives the statistics of the network of a name; must not depend on what was collected before.
        settings: How the statistics are taken; kept in the store.
        announce: Told how much disk the store will need, before it is used.
        progress: Told of the networks done and the networks in all, when it begins and after each network.

    Raises:
        StoreError: The disk is too small, or see `StoreWriter.open`.
    """
    if StatisticsStore.is_finished(path):
        return _open_same(Path(path), names, terminals, settings or {})
    with StatisticsStore.create(path, names, terminals, settings) as writer:
        _tell(progress, writer)
        first = _first_of_remaining(Path(path), writer, collect, terminals, announce)
        for name in writer.remaining:
            writer.append(name, first.pop(name) if name in first else collect(name))
            _tell(progress, writer)
        writer.finish()
    return StatisticsStore.open(path)


def _open_same(
    path: Path, names: Sequence[str], terminals: Sequence[str], settings: Mapping[str, Any]
) -> StatisticsStore:
    held = Manifest.load(path).plan
    asked = StorePlan.checked(tuple(names), tuple(terminals), settings, held.torch)
    difference = held.difference(asked)
    if difference is not None:
        raise StoreError(f"the finished store {path} has {difference}; choose another folder")
    return StatisticsStore.open(path)


def _first_of_remaining(
    path: Path,
    writer: StoreWriter,
    collect: Callable[[str], NetworkStatistics],
    terminals: Sequence[str],
    announce: Callable[[str], None] | None,
) -> dict[str, NetworkStatistics]:
    """Estimate and announce the disk that the networks to come need, and give the first of them.

    It was collected for the estimate; the others of the sample are not kept, for they may be large.
    """
    remaining = writer.remaining
    if not remaining:
        return {}
    first = collect(remaining[0])
    steps = min(SAMPLED_NETWORKS, len(remaining))
    others = [remaining[len(remaining) * step // steps] for step in range(1, steps)]
    sizes = [_stored_bytes(first, terminals), *(_stored_bytes(collect(name), terminals) for name in others)]
    need, free = len(remaining) * sum(sizes) // len(sizes), shutil.disk_usage(path).free
    text = f"the store {path} needs about {_amount(need)} for {len(remaining)} networks"
    if need > free:
        raise StoreError(f"{text}, the disk has {_amount(free)} left; collect fewer networks or terminals")
    if announce is not None:
        announce(f"{text}; {_amount(free)} are free")
    return {remaining[0]: first}


def _stored_bytes(statistics: NetworkStatistics, terminals: Sequence[str]) -> int:
    """What a store keeps of a network: a tensor that layers share is kept once."""
    held = [name for name in terminals if name in statistics.terminals]
    stored = are_stored(holders(statistics, held))
    return sum(
        statistics.layers[layer][held[column]].nbytes
        for layer, column in zip(*(axis.tolist() for axis in np.nonzero(stored)), strict=True)
    )


def _tell(progress: Callable[[int, int], None] | None, writer: StoreWriter) -> None:
    done = len(writer.completed)
    if progress is not None:
        progress(done, done + len(writer.remaining))


def _amount(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB" if size >= 2**20 else f"{size / 2**10:,.0f} KiB"
