import hashlib
import random

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
from eznas.spaces.nats_topology import NatsTopology
from eznas.spaces.topology_cell import OPERATIONS, all_cells, format_cell
from eznas.statistics import initialise

SPACE = NatsTopology()
ARCHITECTURES = SPACE.architectures()
WIDTHS, CELLS = (16, 32, 64), 5

operations = st.tuples(*[st.sampled_from(list(OPERATIONS))] * 6)


def halving(before: int, after: int) -> int:
    """Weights of the convolutions of a residual block."""
    return 9 * before * after + 9 * after**2 + before * after


def convolution_weights(cell: tuple[str, ...]) -> int:
    """Weights a pair of channels, of all convolutions of a cell."""
    return 9 * cell.count("nor_conv_3x3") + cell.count("nor_conv_1x1")


def test_every_cell_is_there_once() -> None:
    assert sorted(ARCHITECTURES) == sorted(all_cells())
    assert len(set(ARCHITECTURES)) == 15_625


def test_order_is_the_same_on_every_version_of_python() -> None:
    # The digest was taken when the order agreed with the index of all 15,625 released architectures.
    digest = hashlib.sha256("\n".join(ARCHITECTURES).encode()).hexdigest()
    assert digest == "83abc799e45cf34e9d2163654668ab998b9a54d01c39e72ca1f71f2cdf356d84"


def test_order_is_that_of_the_released_index() -> None:
    assert architectures_of_table("nats_tss_200ep_test.csv.gz") == ARCHITECTURES


def test_networks_built_one_after_the_other_are_those_built_alone() -> None:
    build, image = SPACE.builder(classes=7), torch.randn(2, 3, 8, 8)
    drawn = random.Random(3).sample(range(15_625), 6)
    for index in [*drawn, *drawn[:2]]:
        # What others left behind in a module must not show: weights, statistics of batch norms.
        model = initialise(build(ARCHITECTURES[index]), seed=index).eval()
        alone = initialise(SPACE.build(ARCHITECTURES[index], classes=7), seed=index).eval()
        assert [name for name, _ in model.named_modules()] == [name for name, _ in alone.named_modules()]
        assert all(torch.equal(*pair) for pair in zip(model.parameters(), alone.parameters(), strict=True))
        assert torch.equal(model(image), alone(image))
        model.train()


def test_builder_refuses_what_is_no_cell() -> None:
    with pytest.raises(SpaceError, match="not a cell of four nodes"):
        SPACE.builder()("|nor_conv_3x3~0|")


def test_order_leaves_the_random_numbers_of_others_alone() -> None:
    before = random.getstate()
    assert NatsTopology().architectures() == ARCHITECTURES
    assert random.getstate() == before


@pytest.mark.parametrize(
    ("index", "parameters", "flops"), [(0, 129_306, 15_647_370), (11, 802_426, 113_951_370)]
)
def test_costs_on_cifar_10_are_the_published_ones(index: int, parameters: int, flops: int) -> None:
    assert SPACE.parameters(ARCHITECTURES[index]) == parameters
    assert SPACE.flops(ARCHITECTURES[index]) == flops


@pytest.mark.parametrize("index", RELEASED)
def test_costs_are_those_of_the_release_on_every_data_set(index: int) -> None:
    assert_costs_are_those_of_the_release(SPACE, "NATS-tss-v1_0-3ffb9-simple", index)


@given(operations, st.integers(2, 120))
@settings(max_examples=10)
def test_parameters_follow_the_formula(cell: tuple[str, ...], classes: int) -> None:
    convolutions = cell.count("nor_conv_3x3") + cell.count("nor_conv_1x1")
    expected = 27 * 16 + 2 * 16
    expected += sum(CELLS * (convolution_weights(cell) * c**2 + convolutions * 2 * c) for c in WIDTHS)
    expected += halving(16, 32) + 2 * (2 * 32) + halving(32, 64) + 2 * (2 * 64)
    expected += 2 * 64 + 64 * classes + classes
    assert SPACE.parameters(format_cell(cell), classes) == expected


@given(operations, st.sampled_from([4, 16, 32]))
@settings(max_examples=10)
def test_flops_follow_the_formula(cell: tuple[str, ...], side: int) -> None:
    sides = (side, side // 2, side // 4)
    expected = 27 * 16 * side**2 + 10 * 65
    expected += sum(
        CELLS * convolution_weights(cell) * (c * s) ** 2 for c, s in zip(WIDTHS, sides, strict=True)
    )
    expected += halving(16, 32) * sides[1] ** 2 + halving(32, 64) * sides[2] ** 2
    assert SPACE.flops(format_cell(cell), resolution=side) == expected


@given(operations, st.integers(2, 12), st.sampled_from([16, 32]))
@settings(max_examples=4)
def test_network_turns_images_into_logits(cell: tuple[str, ...], classes: int, side: int) -> None:
    logits = SPACE.build(format_cell(cell), classes)(torch.randn(2, 3, side, side))
    assert logits.shape == (2, classes)
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    ("architecture", "convolutions"),
    [
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 0),
        ("|skip_connect~0|+|none~0|nor_conv_1x1~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|", 2),
        # The first two convolutions do not reach the output, the third starts from an empty node.
        ("|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|none~2|", 2),
        ("|none~0|+|skip_connect~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_1x1~2|", 2),
        (
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
            6,
        ),
    ],
)
def test_layers_are_those_of_all_cells_and_residual_blocks(architecture: str, convolutions: int) -> None:
    assert_layers_are_the_rectified_convolutions(SPACE, architecture, 3 * CELLS * convolutions + 2 * 2)


def test_text_that_is_no_cell_is_refused() -> None:
    with pytest.raises(SpaceError, match="not a cell of four nodes"):
        SPACE.build("8:8:8:8:8")


def test_space_is_found_by_its_name() -> None:
    assert isinstance(spaces.get("nats-tss"), NatsTopology)
