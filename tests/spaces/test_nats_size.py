import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nats_examples import (
    RELEASED,
    assert_costs_are_those_of_the_release,
    assert_layers_are_the_rectified_convolutions,
)
from shared_data import architectures_of_table

from eznas import spaces
from eznas.errors import SpaceError
from eznas.spaces.nats_size import NatsSize, SizeCell
from eznas.spaces.topology_cell import Cell, parse_cell

SPACE = NatsSize()
ARCHITECTURES = SPACE.architectures()

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"

architectures = st.sampled_from(ARCHITECTURES)


def changes(architecture: str) -> list[tuple[int, int]]:
    """Width before and after each of the five blocks."""
    widths = [int(width) for width in architecture.split(":")]
    return list(itertools.pairwise([widths[0], *widths]))


def block_costs(position: int, before: int, after: int) -> tuple[int, int]:
    """Convolution weights and batch-norm channels of a block; blocks 1 and 3 halve the map."""
    if position % 2:
        return 10 * before * after + 9 * after**2, 2 * after
    resized = before != after
    return (18 + resized) * before * after + 27 * after**2, (5 + resized) * after


def test_every_architecture_is_there_once() -> None:
    assert len(ARCHITECTURES) == len(set(ARCHITECTURES)) == 8**5


def test_last_width_varies_fastest() -> None:
    assert ARCHITECTURES[:2] == ["8:8:8:8:8", "8:8:8:8:16"]
    assert ARCHITECTURES[-1] == "64:64:64:64:64"


def test_order_is_that_of_the_released_index() -> None:
    assert architectures_of_table("nats_sss_90ep_test.csv.gz") == ARCHITECTURES


def test_costs_on_cifar_10_are_the_published_ones() -> None:
    assert SPACE.parameters("8:8:8:8:8") == 11_714
    assert SPACE.flops("8:8:8:8:8") == 4_481_114


@pytest.mark.parametrize("index", RELEASED)
def test_costs_are_those_of_the_release_on_every_data_set(index: int) -> None:
    assert_costs_are_those_of_the_release(SPACE, "NATS-sss-v1_0-50262-simple", index)


@given(architectures, st.integers(2, 120))
@settings(max_examples=15)
def test_parameters_follow_the_formula(architecture: str, classes: int) -> None:
    first, last = changes(architecture)[0][0], changes(architecture)[-1][1]
    expected = 27 * first + 2 * first + 2 * last + last * classes + classes
    for position, (before, after) in enumerate(changes(architecture)):
        weights, channels = block_costs(position, before, after)
        expected += weights + 2 * channels
    assert SPACE.parameters(architecture, classes) == expected


@given(architectures, st.sampled_from([4, 16, 32]))
@settings(max_examples=15)
def test_flops_follow_the_formula(architecture: str, side: int) -> None:
    first, last = changes(architecture)[0][0], changes(architecture)[-1][1]
    expected = 27 * first * side**2 + 10 * (last + 1)
    for position, (before, after) in enumerate(changes(architecture)):
        expected += block_costs(position, before, after)[0] * (side >> (position + 1) // 2) ** 2
    assert SPACE.flops(architecture, resolution=side) == expected


@given(architectures, st.integers(2, 12), st.sampled_from([16, 32]))
@settings(max_examples=6)
def test_network_turns_images_into_logits(architecture: str, classes: int, side: int) -> None:
    logits = SPACE.build(architecture, classes)(torch.randn(2, 3, side, side))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


def test_cell_that_keeps_the_width_is_a_cell_of_nas_bench_201() -> None:
    own, reference = SizeCell(8, 8), Cell(parse_cell(CELL), 8)
    reference.load_state_dict(dict(zip(reference.state_dict(), own.state_dict().values(), strict=True)))
    maps = torch.randn(2, 8, 6, 6)
    torch.testing.assert_close(own(maps), reference(maps))


@pytest.mark.parametrize("architecture", ["8:8:8:8:8", "8:16:24:32:40", "64:8:8:64:16"])
def test_layers_are_those_of_cells_and_residual_blocks(architecture: str) -> None:
    # A skip connection that changes the width holds a convolution without a ReLU before it: no layer.
    assert_layers_are_the_rectified_convolutions(SPACE, architecture, 3 * 5 + 2 * 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8:8:8:8",
        "8:8:8:8:8:8",
        "8:8:8:8:8:",
        "8::8:8:8",
        "8:8:8:8:72",
        "8:8:8:8:12",
        "08:8:8:8:8",
        " 8:8:8:8:8",
        "8:8:8:8:8\n",
        "٨:8:8:8:8",
        "8,8,8,8,8",
        CELL,
        "9" * 5000 + ":8:8:8:8",
    ],
)
def test_text_that_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(SpaceError, match=r"expected 5 widths such as '8:16:64:32:40'") as caught:
        SPACE.build(text)
    assert len(str(caught.value)) < 400


def test_space_is_found_by_its_name() -> None:
    assert isinstance(spaces.get("nats-sss"), NatsSize)
