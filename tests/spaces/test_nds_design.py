from typing import Any

import pytest
from hypothesis import given
from nds_examples import AMOEBANET, DARTS_V2, designs, net

from eznas.errors import SpaceError
from eznas.spaces.nds import architecture_text, record_net
from eznas.spaces.nds.design import CellDesign, Design, Edge, format_design, parse_design

TEXT = (
    "36x20:sep_conv_3x3~0+sep_conv_3x3~1/sep_conv_3x3~0+sep_conv_3x3~1/sep_conv_3x3~1+skip_connect~0"
    "/skip_connect~0+dil_conv_3x3~2@2.3.4.5:max_pool_3x3~0+max_pool_3x3~1/skip_connect~2+max_pool_3x3~1"
    "/max_pool_3x3~0+skip_connect~2/skip_connect~2+max_pool_3x3~1@2.3.4.5"
)
SMALL = "4x3:conv_3x3~0+none~1@2:conv_1x1~1+skip_connect~0/none~2+conv_1x1~0@3.2"


def test_text_names_width_depth_and_both_cells() -> None:
    assert architecture_text(net(DARTS_V2, 36, 20)) == TEXT
    normal = CellDesign((Edge("conv_3x3", 0), Edge("none", 1)), (2,))
    reduce = CellDesign(
        (Edge("conv_1x1", 1), Edge("skip_connect", 0), Edge("none", 2), Edge("conv_1x1", 0)), (3, 2)
    )
    assert parse_design(SMALL) == Design(4, 3, normal, reduce)


@given(designs())
def test_text_and_record_say_all_of_a_design(design: Design) -> None:
    text = format_design(design)
    assert parse_design(text) == design
    assert architecture_text(record_net(text)) == text


@given(designs())
def test_text_needs_no_quotes_in_a_table_or_on_a_command_line(design: Design) -> None:
    assert set(format_design(design)) <= set("abcdefghijklmnopqrstuvwxyz_0123456789x~+/@.:")


def test_record_is_given_back_as_it_was() -> None:
    record = net(AMOEBANET, 24, 12)
    assert record_net(architecture_text(record)) == record


def test_auxiliary_head_and_drop_path_of_a_record_are_left_out() -> None:
    record = net(DARTS_V2, 16, 4)
    assert architecture_text({**record, "aux": True, "drop_prob": 0.2}) == architecture_text(record)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4x3",
        SMALL + " ",
        SMALL + ":",
        SMALL + "\n",
        SMALL.replace("4x3", "04x3"),
        SMALL.replace("4x3", "٤x3"),
        SMALL.replace("@2:", "@2.:"),
        SMALL.replace("@2:", ":"),
        SMALL.replace("~1@", "~01@"),
        SMALL.replace("+none~1", ""),
        SMALL.replace("/none~2+conv_1x1~0", "/none~2"),
        SMALL.split(":")[0],
        SMALL.upper(),
        "9" * 5000 + "x3" + SMALL[3:],
        SMALL * 10_000,
    ],
)
def test_text_that_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(SpaceError, match="not an NDS architecture: .* expected width x depth") as caught:
        parse_design(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (SMALL.replace("4x3", "5x3"), "expected an even width of at least 2 channels, got 5"),
        (SMALL.replace("4x3", "0x3"), "expected an even width of at least 2 channels, got 0"),
        (SMALL.replace("4x3", "4x0"), "expected a depth of at least one cell, got 0"),
        (SMALL.replace("none~1", "none~2"), "expected node 2 to read one of 0 to 1, got 2"),
        (SMALL.replace("none~2", "none~3"), "expected node 3 to read one of 0 to 2, got 3"),
        (SMALL.replace("@3.2", "@3.4"), r"expected to concatenate different ones of 0 to 3, got \[3, 4\]"),
        (SMALL.replace("@3.2", "@3.3"), "expected to concatenate different ones of 0 to 3"),
        (SMALL.replace("@3.2", "@1"), r"a reduction cell to concatenate nodes from 2 on, got \[1\]"),
        (SMALL.replace("conv_3x3", "conv_3x33"), "unknown operation 'conv_3x33'.*did you mean 'conv_3x3'"),
    ],
)
def test_architecture_that_cannot_be_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(SpaceError, match=problem):
        parse_design(text)


def test_example_of_the_message_is_an_architecture() -> None:
    with pytest.raises(SpaceError) as caught:
        parse_design("")
    assert parse_design(str(caught.value).split("'")[-2]).width == 16


def without(entry: str) -> dict[str, Any]:
    return {name: value for name, value in DARTS_V2.items() if name != entry}


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({}, r"net\.genotype: Field required"),
        ([], "net: Input should be a valid dictionary"),
        ({"genotype": DARTS_V2, "width": 16}, r"net\.depth: Field required"),
        (net(DARTS_V2, "wide", 4), r"net\.width: Input should be a valid integer"),  # type: ignore[arg-type]
        (net(without("reduce"), 16, 4), r"net\.genotype\.reduce: Field required"),
        (net({**DARTS_V2, "normal": [["none"]]}, 16, 4), r"net\.genotype\.normal\.0\.1: Field required"),
        (net({**DARTS_V2, "normal": [["none", 0]] * 3}, 16, 4), "two edges for each node .* got 3 edges"),
        (net({**DARTS_V2, "normal": []}, 16, 4), "two edges for each node .* got 0 edges"),
        (net({**DARTS_V2, "reduce_concat": []}, 16, 4), "expected to concatenate different ones of 0 to 5"),
        (net({**DARTS_V2, "normal": [["pool", 0]] * 8}, 16, 4), "unknown operation 'pool'"),
        (net(DARTS_V2, 15, 4), "expected an even width"),
    ],
)
def test_malformed_record_is_refused_with_the_place(record: Any, problem: str) -> None:
    with pytest.raises(SpaceError, match=problem):
        architecture_text(record)
