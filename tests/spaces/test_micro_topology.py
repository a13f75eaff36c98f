import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eznas import spaces
from eznas.errors import SpaceError
from eznas.spaces.micro_topology import MicroTopology
from eznas.spaces.topology_cell import EDGES, OPERATIONS, Cell, format_cell, parse_cell

SPACE = MicroTopology()
ARCHITECTURES = SPACE.architectures()
WIDTHS, SIDES = (8, 16, 32), (14, 7, 4)

operations = st.tuples(*[st.sampled_from(list(OPERATIONS))] * 6)


def test_every_cell_is_there_once() -> None:
    assert len(ARCHITECTURES) == len(set(ARCHITECTURES)) == 5**6


def test_cells_are_written_as_in_nas_bench_201() -> None:
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
    cell = ("nor_conv_3x3", "none", "skip_connect", "avg_pool_3x3", "none", "nor_conv_1x1")
    assert parse_cell(text) == cell
    assert format_cell(cell) == text


@given(operations)
@settings(max_examples=50, deadline=None)
def test_cell_text_round_trips(cell: tuple[str, ...]) -> None:
    assert parse_cell(format_cell(cell)) == cell


@given(operations, st.integers(2, 12))
@settings(max_examples=15, deadline=None)
def test_parameters_follow_the_formula(cell: tuple[str, ...], classes: int) -> None:
    wide, narrow = cell.count("nor_conv_3x3"), cell.count("nor_conv_1x1")
    expected = 9 * 8 + 2 * 8 + (8 * 16 + 2 * 16) + (16 * 32 + 2 * 32)
    expected += sum(wide * (9 * c**2 + 2 * c) + narrow * (c**2 + 2 * c) for c in WIDTHS)
    expected += 2 * 32 + 32 * classes + classes
    assert SPACE.parameters(format_cell(cell), classes) == expected


@given(operations)
@settings(max_examples=15, deadline=None)
def test_flops_follow_the_formula(cell: tuple[str, ...]) -> None:
    weights = 9 * cell.count("nor_conv_3x3") + cell.count("nor_conv_1x1")
    expected = 9 * 8 * 14**2 + 8 * 16 * 7**2 + 16 * 32 * 4**2 + 10 * 33
    expected += sum(weights * c**2 * side**2 for c, side in zip(WIDTHS, SIDES, strict=True))
    assert SPACE.flops(format_cell(cell)) == expected


@given(operations, st.integers(2, 12))
@settings(max_examples=8, deadline=None)
def test_network_turns_images_into_logits(cell: tuple[str, ...], classes: int) -> None:
    logits = SPACE.build(format_cell(cell), classes)(torch.randn(3, 1, 14, 14))
    assert logits.shape == (3, classes)
    assert logits.isfinite().all()


def test_edges_end_in_each_node_in_turn() -> None:
    assert EDGES == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def test_node_sums_its_incoming_edges() -> None:
    # Node 1 is the input, node 2 twice the input by 0-2 and 1-2, node 3 three times by 0-3 and 2-3.
    cell = Cell(("skip_connect", "skip_connect", "skip_connect", "skip_connect", "none", "skip_connect"), 4)
    maps = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(cell(maps), 3 * maps)


def test_cell_that_nothing_passes_gives_zeros() -> None:
    maps = torch.randn(2, 4, 5, 5)
    assert torch.equal(Cell(("none",) * 6, 4)(maps), torch.zeros_like(maps))


def test_average_pooling_does_not_count_the_padding() -> None:
    cell = Cell(("none", "none", "none", "avg_pool_3x3", "none", "none"), 2)
    torch.testing.assert_close(cell(torch.ones(1, 2, 5, 5)), torch.ones(1, 2, 5, 5))


def test_convolutions_come_after_relu_and_before_batch_norm() -> None:
    for name, kernel in (("nor_conv_1x1", 1), ("nor_conv_3x3", 3)):
        relu, convolution, batch_norm = OPERATIONS[name](4).children()
        assert isinstance(relu, nn.ReLU)
        assert isinstance(batch_norm, nn.BatchNorm2d)
        assert isinstance(convolution, nn.Conv2d)
        assert convolution.kernel_size == (kernel, kernel)
        assert convolution.bias is None


CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|none~0|",
        CELL + CELL,
        CELL + " ",
        CELL.replace("none~0", "none~1"),
        CELL.replace("none", "nothing", 1),
        CELL.replace("+", "|"),
        CELL.replace("~2", "~٢"),
        CELL.upper(),
        "|none~0|" * 100_000,
    ],
)
def test_text_that_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(SpaceError, match="not a cell of four nodes") as caught:
        SPACE.build(text)
    assert len(str(caught.value)) < 500


def test_space_is_found_by_its_name() -> None:
    assert isinstance(spaces.get("micro-topology"), MicroTopology)
