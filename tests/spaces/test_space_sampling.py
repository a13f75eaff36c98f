from collections.abc import Sequence

import pytest
from torch import nn

from eznas import spaces
from eznas.errors import SpaceError
from eznas.spaces import Space


class Letters(Space):
    name = "letters"
    letters = "abcdefgh"

    def architectures(self) -> Sequence[str]:
        return list(self.letters)

    def build(self, architecture: str, classes: int = 10) -> nn.Module:
        raise NotImplementedError


class Repeating(Letters):
    letters = "aaaa"


def test_sample_is_distinct_in_the_order_of_the_space_and_the_same_every_time() -> None:
    drawn = Letters().sample(5, seed=1)
    assert len(set(drawn)) == 5
    assert drawn == sorted(drawn)
    assert drawn == Letters().sample(5, seed=1)
    assert {tuple(Letters().sample(5, seed)) for seed in range(20)} != {tuple(drawn)}


def test_sample_is_the_one_that_the_embedded_tables_were_drawn_by() -> None:
    drawn = spaces.get("micro-size").sample(320, seed=0)
    assert drawn[:3] == ["2x1:2x1:2x1", "2x1:2x1:8x1", "2x1:2x1:12x1"]


def test_sample_of_all_is_the_space() -> None:
    assert Letters().sample(8) == list("abcdefgh")


@pytest.mark.parametrize("count", [9, -1])
def test_sample_that_the_space_cannot_give_is_refused(count: int) -> None:
    with pytest.raises(SpaceError, match=f"{count} architectures asked for, letters holds 8"):
        Letters().sample(count)


def test_space_that_holds_an_architecture_twice_is_refused() -> None:
    with pytest.raises(SpaceError, match="the architectures of the space letters are not distinct"):
        Repeating().sample(3)
