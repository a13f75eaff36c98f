import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eznas import spaces
from eznas.errors import SpaceError
from eznas.spaces import Space
from eznas.spaces.additive import Cost, block_cost
from eznas.spaces.blocks import ResidualHalving

NATS = ("nats-tss", "nats-sss")


@pytest.mark.parametrize("name", NATS)
@given(data=st.data(), classes=st.sampled_from([10, 100, 120]), resolution=st.sampled_from([32, 16]))
@settings(max_examples=4, deadline=None)
def test_costs_are_those_of_the_built_network(
    name: str, data: st.DataObject, classes: int, resolution: int
) -> None:
    space = spaces.get(name)
    text = data.draw(st.sampled_from(space.architectures()))
    assert space.parameters(text, classes) == Space.parameters(space, text, classes)
    assert space.flops(text, classes, resolution) == Space.flops(space, text, classes, resolution)


@pytest.mark.parametrize("name", NATS)
def test_costs_of_a_text_that_is_no_architecture_are_refused(name: str) -> None:
    for ask in (spaces.get(name).parameters, spaces.get(name).flops):
        with pytest.raises(SpaceError, match="not a"):
            ask("none")


def test_counting_a_block_moves_no_random_numbers() -> None:
    before = torch.random.get_rng_state()
    block_cost(6, ResidualHalving, 3, 5)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_block_is_counted_once_for_each_question() -> None:
    made = []

    def block(inputs: int, outputs: int) -> nn.Module:
        made.append((inputs, outputs))
        return nn.Conv2d(inputs, outputs, 1, bias=False)

    assert [block_cost(3, block, 2, 5), block_cost(3, block, 2, 5)] == [Cost(10, 90)] * 2
    assert block_cost(2, block, 2, 5) == Cost(10, 40)
    assert block_cost(3, block, 2, 4) == Cost(8, 72)
    assert made == [(2, 5), (2, 5), (2, 4)]


def test_costs_add_and_multiply() -> None:
    assert Cost(1, 2) + Cost(3, 5) * 2 == Cost(7, 12)
