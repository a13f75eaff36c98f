"""Backends by name, and how a tensor becomes a number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eznas.backends import BACKEND_NAMES, Backend, ToScalar, get_backend
from eznas.backends.eager import to_number
from eznas.backends.tile import TileBackend
from eznas.compile import build_graph
from eznas.errors import ConfigError
from eznas.statistics import NetworkStatistics


@pytest.mark.parametrize("name", BACKEND_NAMES)
def test_every_name_gives_a_backend(name: str) -> None:
    backend = get_backend(name)
    assert isinstance(backend, Backend)
    assert backend.name in BACKEND_NAMES


def test_auto_is_compiled() -> None:
    assert isinstance(get_backend("auto"), TileBackend)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    expected = "expected one of auto, tile, fused, torchscript, eager"
    with pytest.raises(ConfigError, match=f"^unknown backend 'tiles'; {expected}$"):
        get_backend("tiles")


def test_no_programs_have_scalars_of_shape_zero_by_layers() -> None:
    network = NetworkStatistics.from_layers([{"T3": np.ones((2, 2), np.float32)}] * 3)
    scalars = get_backend("eager").layer_scalars(build_graph([]), network, ToScalar.MEAN)
    assert scalars.shape == (0, 3)


@pytest.mark.parametrize(
    ("values", "mean", "norm"),
    [([3.0, -4.0], -0.5, 5.0), ([-2.0], -2.0, 2.0), (-2.0, -2.0, 2.0), ([[1.0, np.inf]], np.inf, np.inf)],
)
def test_a_tensor_becomes_its_mean_or_its_norm(values: object, mean: float, norm: float) -> None:
    tensor = torch.tensor(values)
    assert to_number(tensor, ToScalar.MEAN) == mean
    assert to_number(tensor, ToScalar.L2_NORM) == norm
