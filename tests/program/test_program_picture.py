from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_programs import programs

from eznas.errors import EznasError
from eznas.ops import OPS
from eznas.program import Program, draw
from eznas.program.layout import levels, tidy_centres
from eznas.program.picture import figure
from eznas.program.repetition import repeated_subtrees
from eznas.program.tree import MAX_HEIGHT

GAP = 0.25
SIGNATURES = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}


@given(programs(max_height=8, max_size=60, operations=("sub", "mul", "exp")), st.data())
@settings(max_examples=50, deadline=None)
def test_layout_keeps_order_and_gaps_and_centres_parents(program: Program, data: st.DataObject):
    children = program.argument_indices()
    widths = data.draw(st.lists(st.floats(0.1, 3), min_size=program.size, max_size=program.size))
    centres = tidy_centres(children, widths, GAP)
    depths = levels(children)
    for node, its_children in enumerate(children):
        if its_children:
            assert centres[node] == pytest.approx((centres[its_children[0]] + centres[its_children[-1]]) / 2)
    for depth in range(max(depths) + 1):
        row = [node for node in range(program.size) if depths[node] == depth]
        for left, right in itertools.pairwise(row):
            distance = centres[right] - widths[right] / 2 - centres[left] - widths[left] / 2
            assert distance >= GAP - 1e-9
    assert min(centre - width / 2 for centre, width in zip(centres, widths, strict=True)) == pytest.approx(0)


def test_layout_gives_equal_subtrees_equal_forms():
    program = Program.parse("sub(add(T3, mul(T3, T1_D)), add(T3, mul(T3, T1_D)))")
    centres = tidy_centres(program.argument_indices(), [1.0] * program.size, GAP)
    assert [x - centres[1] for x in centres[1:6]] == pytest.approx([x - centres[6] for x in centres[6:11]])


def test_repeated_subtrees_are_numbered_once_at_their_largest():
    program = Program.parse("sub(add(abs(T3), T1_D), mul(add(T1_D, abs(T3)), exp(T3)))")
    marks = repeated_subtrees(program.tokens)
    assert {index: (program.tokens[index], number) for index, number in marks.items()} == {
        1: ("add", 1),
        6: ("add", 1),
    }


def test_subtree_repeated_outside_a_larger_repetition_has_its_own_number():
    program = Program.parse("sub(abs(T3), mul(exp(abs(T3)), exp(abs(T3))))")
    assert sorted(repeated_subtrees(program.tokens).values()) == [1, 1, 1, 2, 2]


def test_program_without_repetition_has_no_marks():
    assert repeated_subtrees(Program.parse("sub(abs(T3), exp(T3))").tokens) == {}


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".PNG"])
def test_picture_is_written_in_the_format_of_the_suffix(tmp_path: Path, suffix: str):
    path = tmp_path / f"tree{suffix}"
    draw(Program.parse("add(mean(T3), mean(T3G_D))"), path)
    assert path.read_bytes().startswith(SIGNATURES[suffix.lower()])
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["tree", "tree.bmp", "tree.svgz", ".png"])
def test_unknown_suffix_is_refused_before_anything_is_written(tmp_path: Path, name: str):
    with pytest.raises(EznasError, match=r"ends in one of \.svg, \.png, \.pdf"):
        draw(Program.parse("T3"), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(EznasError, match=r"cannot write the picture .*missing/tree.svg.*No such file"):
        draw(Program.parse("T3"), tmp_path / "missing" / "tree.svg")


def test_failed_write_keeps_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "tree.svg"
    path.write_text("old")

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EznasError, match="No space left on device"):
        draw(Program.parse("T3"), path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["tree.svg"]


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_same_program_gives_the_same_bytes(tmp_path: Path, suffix: str):
    program = Program.parse("add(mean(abs(T3)), exp(abs(T3)))")
    for name in "ab":
        draw(program, tmp_path / f"{name}{suffix}", title="twice")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def labels(program: Program, title: str | None = None) -> list[str]:
    (axes,) = figure(program, title).axes
    return [text.get_text() for text in axes.texts]


@given(programs(max_height=4, max_size=15))
@settings(max_examples=10, deadline=None)
def test_picture_shows_the_name_of_every_node(program: Program):
    assert labels(program)[: program.size] == list(program.tokens)


def test_picture_shows_the_title():
    assert labels(Program.parse("T3"), title="100 $ of $ _x_")[-1] == "100 $ of $ _x_"


def test_long_title_widens_the_figure_and_stays_on_one_line():
    picture = figure(Program.parse("T3"), title="a long title\nabove a small tree")
    title = picture.axes[0].texts[-1]
    assert title.get_text() == "a long title above a small tree"
    extent = title.get_window_extent()
    assert picture.bbox.x0 < extent.x0 < extent.x1 < picture.bbox.x1
    assert picture.bbox.y0 < extent.y0 < extent.y1 < picture.bbox.y1


def test_figure_grows_with_the_tree():
    small = figure(Program.parse("abs(T3)")).get_size_inches()
    high = figure(Program.parse("abs(abs(abs(T3)))")).get_size_inches()
    wide = figure(Program.parse("add(T3, T3)")).get_size_inches()
    assert high[1] > small[1]
    assert wide[0] > small[0]


def test_every_label_fits_into_its_box():
    for name, op in OPS.items():
        (axes,) = figure(Program((name, *["T3"] * op.arity))).axes
        boxes = [patch.get_extents() for patch in axes.patches if patch.get_facecolor()[3]]
        assert len(boxes) == len(axes.texts)
        for box, text in zip(boxes, axes.texts, strict=True):
            label = text.get_window_extent()
            assert box.x0 < label.x0 < label.x1 < box.x1
            assert box.y0 < label.y0 < label.y1 < box.y1


def full_tree(size: int) -> Program:
    tokens: tuple[str, ...] = ("T3",)
    while len(tokens) < size:
        tokens = ("sub", *tokens, *tokens)
    return Program(tokens)


def test_highest_program_can_be_drawn(tmp_path: Path):
    draw(Program(("abs",) * MAX_HEIGHT + ("T3",)), tmp_path / "tree.svg")
    assert (tmp_path / "tree.svg").read_text().rstrip().endswith("</svg>")


def test_wide_figure_stays_within_what_readers_open():
    assert max(figure(full_tree(500)).get_size_inches()) <= 100
