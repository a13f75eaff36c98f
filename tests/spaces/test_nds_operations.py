import pytest
import torch
from torch import nn

from eznas.spaces.counting import count_parameters
from eznas.spaces.nds.operations import OPERATIONS, FactorizedReduce

C = 6
PAIR = C * C + 2 * C
"""The weights of a 1x1 convolution and of the batch norm behind it."""

PARAMETERS = {
    "none": 0,
    "skip_connect": 0,
    "avg_pool_3x3": 0,
    "max_pool_3x3": 0,
    "max_pool_5x5": 0,
    "max_pool_7x7": 0,
    "conv_1x1": PAIR,
    "conv_3x3": 9 * C * C + 2 * C,
    "conv_3x1_1x3": 6 * C * C + 2 * C,
    "conv_7x1_1x7": 14 * C * C + 2 * C,
    "sep_conv_3x3": 2 * (9 * C + PAIR),
    "sep_conv_5x5": 2 * (25 * C + PAIR),
    "sep_conv_7x7": 2 * (49 * C + PAIR),
    "dil_conv_3x3": 9 * C + PAIR,
    "dil_conv_5x5": 25 * C + PAIR,
    "dil_sep_conv_3x3": 2 * (9 * C + PAIR),
}
REACH = {
    "none": 0,
    "skip_connect": 1,
    "avg_pool_3x3": 3,
    "conv_1x1": 1,
    "conv_3x3": 3,
    "conv_3x1_1x3": 3,
    "conv_7x1_1x7": 7,
    "sep_conv_3x3": 5,
    "sep_conv_5x5": 9,
    "sep_conv_7x7": 13,
    "dil_conv_3x3": 5,
    "dil_conv_5x5": 9,
    "dil_sep_conv_3x3": 9,
}
"""How many rows and columns of the input decide one position of the output."""


def test_every_operation_is_tested() -> None:
    assert set(PARAMETERS) == set(OPERATIONS)
    assert {name for name in OPERATIONS if not name.startswith("max_pool")} == set(REACH)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("sides", [(8, 8), (7, 4), (1, 1)])
def test_stride_halves_the_map_and_rounds_up(name: str, stride: int, sides: tuple[int, int]) -> None:
    out = OPERATIONS[name](C, stride)(torch.randn(2, C, *sides))
    assert out.shape == (2, C, *(-(-side // stride) for side in sides))


@pytest.mark.parametrize("name", OPERATIONS)
def test_parameters_follow_the_definition(name: str) -> None:
    assert count_parameters(OPERATIONS[name](C, 1)) == PARAMETERS[name]
    halving = C * C + 2 * C if name == "skip_connect" else PARAMETERS[name]
    assert count_parameters(OPERATIONS[name](C, 2)) == halving


@pytest.mark.parametrize("name", REACH)
def test_field_of_view_follows_kernel_and_dilation(name: str) -> None:
    operation = OPERATIONS[name](2, 1)
    for parameter in operation.parameters():  # positive weights: no two paths cancel, every ReLU passes
        nn.init.constant_(parameter, 1.0)
    maps = torch.ones(1, 2, 17, 17).requires_grad_()
    out = operation.eval()(maps)[0, 0, 8, 8]
    gradient = torch.autograd.grad(out, maps)[0][0].sum(0) if out.requires_grad else torch.zeros(17, 17)
    rows, columns = gradient.nonzero().T.numpy() if gradient.any() else ([], [])
    seen = [max(places) - min(places) + 1 if len(places) else 0 for places in (rows, columns)]
    assert seen == [REACH[name]] * 2


@pytest.mark.parametrize("name", [name for name, count in PARAMETERS.items() if count])
def test_convolutions_read_what_is_rectified_and_have_no_bias(name: str) -> None:
    kinds = [type(part) for part in OPERATIONS[name](C, 2).children()]
    layer = "".join({nn.ReLU: "R", nn.Conv2d: "C", nn.BatchNorm2d: "B"}[kind] for kind in kinds)
    assert layer in {"RCB", "RCCB", "RCCBRCCB"}
    assert all(
        getattr(part, "bias", None) is None for part in OPERATIONS[name](C, 2) if hasattr(part, "groups")
    )


@pytest.mark.parametrize("size", [3, 5, 7])
def test_max_pooling_takes_the_greatest_of_a_window_and_no_padding(size: int) -> None:
    maps = torch.full((1, 1, 9, 9), -2.0)
    maps[0, 0, 4, 4] = -1.0
    pooled = OPERATIONS[f"max_pool_{size}x{size}"](1, 1)(maps)
    assert (pooled == -1).sum() == size**2
    assert (pooled == -2).sum() == 81 - size**2


def test_average_pooling_does_not_count_the_padding() -> None:
    ones = torch.ones(1, 2, 5, 5)
    torch.testing.assert_close(OPERATIONS["avg_pool_3x3"](2, 1)(ones), ones)


def test_none_gives_zeros_even_for_infinity() -> None:
    assert torch.equal(OPERATIONS["none"](1, 2)(torch.full((1, 1, 4, 4), torch.inf)), torch.zeros(1, 1, 2, 2))


@pytest.mark.parametrize("side", [4, 5])
def test_factorized_reduction_reads_even_positions_and_odd_ones(side: int) -> None:
    reduction = FactorizedReduce(1, 2).eval()
    for convolution in (reduction.even, reduction.odd):
        nn.init.ones_(convolution.weight)
    reduction.norm.eps = 0.0
    positions = torch.arange(1.0, side * side + 1).reshape(1, 1, side, side)
    even, odd = reduction(positions)[0]
    assert torch.equal(even, positions[0, 0, ::2, ::2])
    shifted = torch.zeros(side + 1, side + 1)
    shifted[:side, :side] = positions[0, 0]
    assert torch.equal(odd, shifted[1::2, 1::2])
    assert torch.equal(reduction(-positions), torch.zeros_like(reduction(positions)))
