import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nds_examples import AMOEBANET, DARTS_V2, designs, net
from torch import nn

from eznas import Program, collect_statistics, score_model, spaces
from eznas.errors import SpaceError
from eznas.spaces import Space
from eznas.spaces.nds import NdsSpace, architecture_text
from eznas.spaces.nds.cell import Cell, Position
from eznas.spaces.nds.design import CellDesign, Design, Edge, format_design
from eznas.spaces.nds.operations import FactorizedReduce
from eznas.statistics import initialise

CIFAR = ("nds-amoeba", "nds-darts", "nds-enas", "nds-nasnet", "nds-pnas")
IMAGENET = tuple(f"{name}-in" for name in CIFAR)


def space(name: str) -> NdsSpace:
    found = spaces.get(name)
    assert isinstance(found, NdsSpace)
    return found


def small(name: str) -> NdsSpace:
    """The space with samples that take little time."""
    base = type(space(name))
    return type(base.__name__, (base,), {"widths": (4,), "depths": (3,)})()  # type: ignore[no-any-return]


def images(name: str, batch: int = 2) -> torch.Tensor:
    side = 64 if name in IMAGENET else 16
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(4))


def test_costs_of_darts_on_cifar_are_the_published_ones() -> None:
    # 3.3 M (Liu, Simonyan and Yang, 2019, table 1), printed by the authors' code as 3.349342 MB.
    assert space("nds-darts").parameters(architecture_text(net(DARTS_V2, 36, 20))) == 3_349_342


def test_costs_of_darts_on_imagenet_are_the_published_ones() -> None:
    # 4.7 M (table 3); the 574 M multiply-adds beside it are counted in another way.
    text = architecture_text(net(DARTS_V2, 48, 14))
    assert space("nds-darts-in").parameters(text, classes=1000) == 4_718_752
    assert 520e6 < space("nds-darts-in").flops(text, classes=1000) < 574e6


def test_costs_of_amoebanet_on_cifar_are_the_published_ones() -> None:
    # AmoebaNet-A in the DARTS skeleton: 3.1 M (Liu, Simonyan and Yang, 2019, table 1).
    assert 3.1e6 < space("nds-amoeba").parameters(architecture_text(net(AMOEBANET, 36, 20))) < 3.2e6


@pytest.mark.parametrize("name", ["nds-darts", "nds-darts-in"])
@given(design=designs(), classes=st.integers(2, 30), side=st.integers(16, 40))
@settings(max_examples=6, deadline=None)
def test_costs_are_those_of_the_built_network(name: str, design: Design, classes: int, side: int) -> None:
    text = format_design(design)
    assert space(name).parameters(text, classes) == Space.parameters(space(name), text, classes)
    assert space(name).flops(text, classes, side) == Space.flops(space(name), text, classes, side)


@pytest.mark.parametrize("name", [*CIFAR, *IMAGENET])
def test_costs_of_what_a_space_draws_are_those_of_the_built_network(name: str) -> None:
    (text,) = small(name).sample(1, seed=5)
    assert small(name).parameters(text, 7) == Space.parameters(small(name), text, 7)
    assert small(name).flops(text, 7, 32) == Space.flops(small(name), text, 7, 32)


@given(design=designs(), classes=st.integers(2, 12))
@settings(max_examples=6, deadline=None)
def test_network_turns_images_into_logits(design: Design, classes: int) -> None:
    for name in ("nds-darts", "nds-darts-in"):
        logits = space(name).build(format_design(design), classes)(images(name))
        assert logits.shape == (2, classes)
        assert logits.isfinite().all()


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("nds-darts", [16]),
        ("nds-darts", [16, 8]),
        ("nds-darts", [32, 16, 8]),
        ("nds-darts", [32, 32, 16, 16, 16, 8, 8, 8]),
        ("nds-darts-in", [28, 28, 14, 14, 14, 7, 7, 7]),
    ],
)
def test_cells_at_one_and_two_thirds_of_the_depth_halve_the_map_and_double_the_channels(
    name: str, sides: list[int]
) -> None:
    text = f"4x{len(sides)}:skip_connect~0+skip_connect~1@2:max_pool_3x3~0+max_pool_3x3~1@2"
    network = space(name).build(text)
    seen: list[tuple[int, int]] = []
    for cell in network.cells:  # type: ignore[union-attr]
        cell.register_forward_hook(lambda _cell, _inputs, out: seen.append(tuple(out.shape[1:3])))
    network(torch.randn(2, 3, space(name).resolution, space(name).resolution))
    unreduced = 28 if name == "nds-darts-in" else 32
    assert seen == [(4 * unreduced // side, side) for side in sides]


def test_nodes_sum_their_edges_and_the_chosen_ones_are_concatenated_in_order() -> None:
    edges = [("skip_connect", 0), ("skip_connect", 1), ("skip_connect", 2), ("skip_connect", 2)]
    edges += [("none", 0), ("skip_connect", 1)]
    design = CellDesign(tuple(Edge(*edge) for edge in edges), (4, 3))
    cell = Cell(Position(design, (3, 5), 2, reduction=False, aligned=True))
    first, second = torch.randn(2, 3, 6, 6), torch.randn(2, 5, 6, 6)
    zero, one = cell.align[0](first), cell.align[1](second)
    torch.testing.assert_close(cell(first, second), torch.cat([one, 2 * (zero + one)], 1))


def test_first_input_is_halved_after_a_reduction_cell_and_behind_the_imagenet_stem() -> None:
    text = architecture_text(net(DARTS_V2, 4, 6))
    halved = {
        name: [
            isinstance(module.align[0], FactorizedReduce)
            for module in space(name).build(text).modules()
            if isinstance(module, Cell)
        ]
        for name in ("nds-darts", "nds-darts-in")
    }
    # Six cells reduce at 2 and 4.
    assert halved["nds-darts"] == [False, False, False, True, False, True]
    assert halved["nds-darts-in"] == [True, False, False, True, False, True]


@pytest.mark.parametrize("name", [*CIFAR, *IMAGENET])
def test_every_batch_norm_but_the_first_ends_a_layer_with_finite_statistics(name: str) -> None:
    (text,) = small(name).sample(1, seed=2)
    network = initialise(small(name).build(text), seed=1)
    layers = collect_statistics(network, images(name)).layers
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    # Only the stem's first convolution reads the images as they are.
    assert len(layers) == len(norms) - 1
    assert all(np.isfinite(array).all() for layer in layers for array in layer.values())


@pytest.mark.parametrize("name", CIFAR)
def test_named_program_has_a_score(name: str) -> None:
    (text,) = small(name).sample(1, seed=3)
    network = initialise(small(name).build(text), seed=1)
    program = Program.parse("frobenius_norm(sigmoid(logdet(sign(T1G_D))))")
    assert np.isfinite(score_model(program, network, images(name)))


@pytest.mark.parametrize("name", [*CIFAR, *IMAGENET])
def test_list_of_architectures_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(SpaceError, match=rf"{name} is too large to list; draw .* sample\(\).* imported"):
        space(name).architectures()


@pytest.mark.parametrize("name", [*CIFAR, *IMAGENET])
def test_names_are_known(name: str) -> None:
    assert name in spaces.names()
    assert space(name).name == name
    assert space(name).resolution == (224 if name in IMAGENET else 32)


def test_text_that_is_no_architecture_is_refused() -> None:
    for ask in (space("nds-enas").build, space("nds-enas").parameters, space("nds-enas").flops):
        with pytest.raises(SpaceError, match="not an NDS architecture"):
            ask("|nor_conv_3x3~0|")
