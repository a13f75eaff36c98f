"""Geometries from the settings of a convolution: what a real network of these settings has."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eznas.errors import ConfigError
from eznas.statistics import collect_statistics, geometry_of_convolution
from eznas.terminals import Geometry


@st.composite
def _settings(draw: st.DrawFn) -> dict[str, Any]:
    groups = draw(st.integers(1, 3))
    return {
        "channels_in": groups * draw(st.integers(1, 3)),
        "channels_out": groups * draw(st.integers(1, 3)),
        "kernel": draw(st.integers(1, 5)),
        "stride": draw(st.integers(1, 3)),
        "groups": groups,
        "side": draw(st.integers(1, 9)),
        "batch": draw(st.integers(2, 3)),
        "structure": draw(st.sampled_from(["rcb", "cbr"])),
    }


@given(_settings())
@settings(max_examples=40)
def test_the_shapes_are_those_of_a_real_network(chosen: dict[str, Any]) -> None:
    kernel, channels = chosen["kernel"], chosen["channels_out"]
    convolution = nn.Conv2d(
        chosen["channels_in"],
        channels,
        kernel,
        chosen["stride"],
        padding=kernel // 2,
        groups=chosen["groups"],
        bias=False,
    )
    model = nn.Sequential(
        nn.ReLU(), convolution, nn.BatchNorm2d(channels), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)
    )
    inputs = torch.randn(chosen["batch"], chosen["channels_in"], chosen["side"], chosen["side"])
    model(inputs)
    statistics = collect_statistics(model, inputs, structure=chosen["structure"])
    assert statistics.geometries == (geometry_of_convolution(**chosen),)


def test_the_defaults_are_a_layer_of_nas_bench_201() -> None:
    assert geometry_of_convolution(16, 16) == Geometry(
        t1=(1, 16, 32, 32), t2=(1, 16, 32, 32), t3=(16, 16, 3, 3), t4=(1, 16, 32, 32)
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"side": 0}, "side must be at least 1, got 0"),
        ({"kernel": -3}, "kernel must be at least 1, got -3"),
        ({"groups": 3}, "groups must divide the channels, got 3 groups for 8 channels in and 16 out"),
        ({"channels_out": 9, "groups": 2}, "groups must divide the channels, got 2 groups"),
        ({"structure": "bcr"}, "expected a structure of rcb, cbr; got 'bcr'"),
    ],
)
def test_settings_out_of_range_are_errors(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        geometry_of_convolution(**({"channels_in": 8, "channels_out": 16} | changed))
