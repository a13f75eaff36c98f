import math

import numpy as np
import pytest

from eznas.analysis import (
    Axis,
    Response,
    ResponsePoint,
    TaskAnalysis,
    contributions,
    seed_sensitivity,
    variants,
)
from eznas.program import Program
from eznas.report.response_figures import (
    contribution_figure,
    response_figure,
    seeds_figure,
    write_response_figure,
    write_task_figures,
)

PROGRAM, OTHER = Program.parse("add(numel(T3), sigmoid(T1_D))"), Program.parse("numel(T3)")
ACCURACIES = np.array([10.0, 20, 30])


def response(program, axis, *means):
    points = [
        ResponsePoint(2**step, 100, 100, mean, 0.1, mean - 0.5, mean + 0.5, None)
        if math.isfinite(mean)
        else ResponsePoint(2**step, 100, 0, mean, mean, mean, mean, "log refuses")
        for step, mean in enumerate(means)
    ]
    return Response(program, axis, tuple(points))


def responses(program, *means):
    return [response(program, axis, *means) for axis in Axis]


def found_contributions():
    scores = np.array([1.0, 2, 3])
    # Each variant loses more of the ranking than the one before; terminals are judged by shapes.
    losses = [scores, np.array([1.0, 3, 2]), np.array([2.0, 1, 3]), -scores, np.full(3, 2.0)]
    replaced = [
        (variant, losses[position % len(losses)])
        for position, variant in enumerate(v for v in variants(PROGRAM) if v.replacement != "terminal")
    ]
    return contributions(PROGRAM, scores, replaced, ACCURACIES, [])


def analysis(contribution=True):
    scores = np.array([[3.0, np.nan, 1.0], [2.0, 5.0, 1.5]])
    return TaskAnalysis(
        "digits",
        PROGRAM,
        ("a", "b", "c"),
        ACCURACIES,
        found_contributions() if contribution else None,
        None,
        seed_sensitivity((0, 1), scores, ACCURACIES),
    )


def test_the_response_has_a_row_a_program_and_a_column_a_size():
    figure = response_figure(
        [*responses(PROGRAM, 1, 2, 3), *responses(OTHER, 4, 5, 6)], 100, ["mine", "size"]
    )
    axes = figure.axes
    assert len(axes) == 6
    assert [list(panel.lines[0].get_ydata()) for panel in axes] == [[1, 2, 3]] * 3 + [[4, 5, 6]] * 3
    assert [panel.get_ylabel() for panel in axes] == ["mine\nscore", "", "", "size\nscore", "", ""]
    assert "channels" in axes[3].get_xlabel()
    assert "100 repetitions" in figure.get_suptitle()
    assert list(axes[0].get_xticks()) == [1, 2, 4]


def test_the_interval_is_drawn_around_the_mean():
    axes = response_figure(responses(PROGRAM, 1, 2, 3), 100).axes[0]
    (band,) = axes.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.5, 3.5)


@pytest.mark.parametrize(
    ("means", "scale"),
    [((1, 2, 500), "log"), ((1, 2, 3), "linear"), ((0.5, 2, 500), "symlog"), ((0, 2, 500), "linear")],
)
def test_scores_over_orders_of_magnitude_are_drawn_logarithmically(means, scale):
    # The interval reaches 0.5 below the mean: to zero, or below it.
    assert {axes.get_yscale() for axes in response_figure(responses(PROGRAM, *means), 100).axes} == {scale}


def test_sizes_without_a_score_leave_a_gap_and_none_at_all_says_so():
    nan = math.nan
    some, none, _ = response_figure(
        [
            response(PROGRAM, Axis.CHANNELS, 1, nan, 3),
            response(PROGRAM, Axis.KERNEL, nan, nan),
            response(PROGRAM, Axis.SIDE, 1, 2),
        ],
        100,
    ).axes
    np.testing.assert_array_equal(some.lines[0].get_ydata(), [1, nan, 3])
    assert [text.get_text() for text in none.texts] == ["no score"]


def test_the_tree_shows_the_change_below_every_subtree_but_the_whole():
    found = found_contributions()
    (axes,) = contribution_figure(found, "digits").axes
    texts = [text.get_text() for text in axes.texts]
    size = PROGRAM.size
    assert texts[:size] == list(PROGRAM.tokens)
    changes = found.change_without()
    # The title stands between the names and the numbers.
    numbers = [text.replace("\N{MINUS SIGN}", "-") for text in texts[-(size - 1) :]]
    assert [float(number) for number in numbers] == pytest.approx(list(changes.values()), abs=5e-4)
    assert any("digits: Kendall tau +1.000" in text for text in texts)


def test_subtrees_that_help_are_blue_and_those_without_effect_white():
    found = found_contributions()
    (axes,) = contribution_figure(found, "digits").axes
    size = PROGRAM.size
    colours = [patch.get_facecolor()[:3] for patch in axes.patches[size - 1 : 2 * size - 1]]
    changes = found.change_without()
    for index, (red, _green, blue) in enumerate(colours):
        if changes.get(index, 0.0) < -1e-9:
            assert blue > red
        else:
            assert (red, blue) == (pytest.approx(1, abs=0.01), pytest.approx(1, abs=0.01))
    assert min(changes.values()) < 0


def test_the_scores_of_all_seeds_are_drawn_in_the_order_of_their_mean():
    (axes,) = seeds_figure(analysis()).axes
    assert list(axes.lines[0].get_ydata()) == [1.25, 2.5]
    points = sorted(tuple(point) for point in axes.collections[0].get_offsets())
    assert points == [(1, 1), (1, 1.5), (2, 2), (2, 3)]
    assert "digits" in axes.get_title()


def test_an_analysis_without_seeds_has_no_figure_of_them():
    whole = analysis()
    without = TaskAnalysis("digits", PROGRAM, whole.architectures, ACCURACIES, None, None, None)
    with pytest.raises(ValueError, match="several seeds"):
        seeds_figure(without)


def test_figures_are_written_for_what_was_analysed(tmp_path):
    written = write_response_figure(responses(PROGRAM, 1, 2), tmp_path, 100)
    written += write_task_figures(analysis(), tmp_path, "-2")
    assert {path.name for path in written} == {
        f"{stem}.{suffix}"
        for stem in ("response", "contribution-digits-2", "seeds-digits-2")
        for suffix in ("png", "svg")
    }
    for path in written:
        assert path.read_bytes().startswith({".png": b"\x89PNG", ".svg": b"<?xml"}[path.suffix])
    assert {path.name for path in write_task_figures(analysis(contribution=False), tmp_path)} == {
        "seeds-digits.png",
        "seeds-digits.svg",
    }
