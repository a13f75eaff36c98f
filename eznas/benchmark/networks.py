"""The networks that are measured on: drawn by a seed, their statistics kept between runs."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from eznas import spaces
from eznas.errors import ConfigError
from eznas.statistics import NetworkStatistics, collect_statistics, initialise, network_seed
from eznas.store import StatisticsStore, collect_store
from eznas.tasks import default_stores
from eznas.terminals import TERMINALS
from eznas.threads import one_torch_thread

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Which networks are measured on."""

    space: str = "nats-tss"
    count: int = 40
    seed: int = 0
    """Draws the architectures, the image, the weights and the noise."""


def architectures(settings: NetworkSettings) -> list[str]:
    """The drawn architectures; a smaller count draws the first of a larger one.

    Raises:
        SpaceError: No such space.
        ConfigError: The space holds fewer architectures.
    """
    # Sorted, so that the order in which a space lists its architectures decides nothing.
    known = sorted(spaces.get(settings.space).architectures())
    if settings.count > len(known):
        raise ConfigError(f"expected at most {len(known)} networks of {settings.space}, got {settings.count}")
    return random.Random(settings.seed).sample(known, settings.count)


def bench_networks(
    settings: NetworkSettings,
    stores: Path | str | None = None,
    announce: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> StatisticsStore:
    """All 22 statistics of the drawn networks on one Gaussian image; collected now if no run did so before.

    An interrupted collection is gone on with. The store lies below `stores`, by default
    `eznas.tasks.default_stores`.

    Raises:
        SpaceError: No such space.
        StoreError: The disk is too small, or the store was altered.
    """
    names = architectures(settings)
    digest = hashlib.blake2b(json.dumps([asdict(settings), names]).encode(), digest_size=8).hexdigest()
    return collect_store(
        Path(stores or default_stores()) / f"bench-{settings.space}-{digest}",
        names,
        tuple(TERMINALS),
        lambda name: _statistics(settings, name),
        asdict(settings),
        announce,
        progress,
    )


def _statistics(settings: NetworkSettings, name: str) -> NetworkStatistics:
    space = spaces.get(settings.space)
    weights = network_seed(settings.seed, name)
    side = space.resolution
    generator = torch.Generator().manual_seed(settings.seed)
    image = torch.randn(1, space.input_channels, side, side, generator=generator)
    with torch.random.fork_rng(devices=[]):
        model = space.build(name)
    with one_torch_thread():
        return collect_statistics(initialise(model, weights), image, seed=weights)
