import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas import spaces
from eznas.errors import SpaceError
from eznas.spaces.micro_size import MicroSize

SPACE = MicroSize()
ARCHITECTURES = SPACE.architectures()
SIDES = (14, 7, 4)
"""The map of each stage: 2x2 pooling halves and rounds up."""

architectures = st.sampled_from(ARCHITECTURES)


def stages(architecture: str) -> list[tuple[int, int]]:
    return [tuple(map(int, stage.split("x"))) for stage in architecture.split(":")]  # type: ignore[misc]


def test_every_architecture_is_there_once() -> None:
    assert len(ARCHITECTURES) == len(set(ARCHITECTURES)) == (6 * 3) ** 3


def test_last_stage_varies_fastest() -> None:
    assert ARCHITECTURES[0] == "2x1:2x1:2x1"
    assert ARCHITECTURES[1] == "2x1:2x1:2x2"
    assert ARCHITECTURES[-1] == "16x3:16x3:16x3"


@given(architectures, st.integers(2, 12))
@settings(max_examples=15, deadline=None)
def test_parameters_follow_the_formula(architecture: str, classes: int) -> None:
    widths = [width for width, _ in stages(architecture)]
    expected = 9 * widths[0] + 2 * widths[0]
    expected += sum(depth * (9 * width**2 + 2 * width) for width, depth in stages(architecture))
    expected += sum(before * after + 2 * after for before, after in itertools.pairwise(widths))
    expected += 2 * widths[-1] + widths[-1] * classes + classes
    assert SPACE.parameters(architecture, classes) == expected


@given(architectures)
@settings(max_examples=15, deadline=None)
def test_flops_follow_the_formula(architecture: str) -> None:
    widths = [width for width, _ in stages(architecture)]
    expected = 9 * widths[0] * SIDES[0] ** 2
    for (width, depth), side in zip(stages(architecture), SIDES, strict=True):
        expected += depth * 9 * width**2 * side**2
    for before, after, side in zip(widths, widths[1:], SIDES[1:], strict=False):
        expected += before * after * side**2
    expected += 10 * (widths[-1] + 1)
    assert SPACE.flops(architecture) == expected


@given(architectures, st.integers(2, 12))
@settings(max_examples=8, deadline=None)
def test_network_turns_images_into_logits(architecture: str, classes: int) -> None:
    model = SPACE.build(architecture, classes)
    logits = model(torch.randn(3, 1, 14, 14))
    assert logits.shape == (3, classes)
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8x1",
        "8x1:8x1",
        "8x1:8x1:8x1:8x1",
        "8x1:8x1:8x1:",
        "8x1::8x1",
        "8x1:8x1:8x4",
        "8x1:8x1:9x1",
        "08x1:8x1:8x1",
        " 8x1:8x1:8x1",
        "8x1:8x1:8x1\n",
        "8X1:8x1:8x1",
        "٨x1:8x1:8x1",
        "8x1,8x1,8x1",
        "9" * 5000 + "x1:8x1:8x1",
    ],
)
def test_text_that_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(SpaceError, match=r"expected 3 stages such as '8x1:16x3:6x2'") as caught:
        SPACE.build(text)
    assert len(str(caught.value)) < 400


def test_space_is_found_by_its_name() -> None:
    assert isinstance(spaces.get("micro-size"), MicroSize)
