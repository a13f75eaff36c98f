import random
from collections import Counter

import pytest
from torch import nn

from eznas import spaces
from eznas.errors import SpaceError
from eznas.spaces import Space

# How many architectures differ in one choice: choices times alternatives of each.
NEIGHBOURS = {
    "nats-tss": 6 * 4,
    "micro-topology": 6 * 4,
    "nats-sss": 5 * 7,
    "micro-size": 3 * (5 + 2),
}


def drawn(space: Space) -> list[str]:
    return space.sample(50, seed=1)


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbours_differ_in_one_choice(name: str) -> None:
    space = spaces.get(name)
    every = [space.choices(text) for text in space.architectures()]
    assert len(set(every)) == len(every)
    own = random.Random(0).choice(every)
    distances = Counter(sum(a != b for a, b in zip(own, other, strict=True)) for other in every)
    assert (distances[0], distances[1]) == (1, NEIGHBOURS[name])


@pytest.mark.parametrize("name", [name for name in spaces.names() if name.startswith("nds-")])
def test_choices_of_nds_are_sizes_and_both_ends_of_every_edge(name: str) -> None:
    space = spaces.get(name)
    nodes = 4 if name.startswith("nds-darts") else 5
    choices = [space.choices(text) for text in drawn(space)]
    assert {len(made) for made in choices} == {2 + 2 * 2 * nodes * 2}
    assert len(set(choices)) == len(choices)


def test_choices_of_an_nds_architecture_in_its_order() -> None:
    text = "16x8:sep_conv_3x3~0+skip_connect~1@2:max_pool_3x3~0+none~1@2"
    made = ("sep_conv_3x3", 0, "skip_connect", 1, "max_pool_3x3", 0, "none", 1)
    assert spaces.get("nds-darts").choices(text) == (16, 8, *made)


@pytest.mark.parametrize("name", spaces.names())
def test_text_of_another_space_has_no_choices(name: str) -> None:
    with pytest.raises(SpaceError, match="not an? "):
        spaces.get(name).choices("not an architecture")


class Bare(Space):
    name = "bare"

    def architectures(self) -> list[str]:
        return ["one"]

    def build(self, architecture: str, classes: int = 10) -> nn.Module:
        raise NotImplementedError


def test_a_space_without_choices_says_what_it_lacks() -> None:
    with pytest.raises(SpaceError, match=r"the space bare .* neighbours of 'one'; expected it to define cho"):
        Bare().choices("one")
