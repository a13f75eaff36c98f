import numpy as np
import pytest

from eznas import spaces
from eznas.report.search_figures import search_figure, write_search_figure
from eznas.search import Method, SearchOutcome, SearchSettings, Trajectory
from eznas.tasks import AccuracyTable, Task

TASK = Task(
    "digits",
    spaces.get("micro-size"),
    None,
    AccuracyTable(("a", "b"), np.array([90.0, 40.0])),
    {},
    "digits",
)


def outcome(trained=40, methods=tuple(Method), repetitions=3, proxy="eznas-a"):
    rows = np.arange(trained)
    trajectories = tuple(
        Trajectory(method, repetition, rows, 88 - 40 / (1 + rows) - number + repetition / 2, rows)
        for number, method in enumerate(methods)
        for repetition in range(repetitions)
    )
    settings = SearchSettings(trained=trained, repetitions=repetitions)
    return SearchOutcome(TASK, proxy, settings, trajectories, 7, 0)


def test_every_method_has_a_line_of_means_and_a_band_of_intervals():
    (axes,) = search_figure(outcome(), [85.0]).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "random search", "aging evolution", "with warm-up", "with move filter",
        "with warm-up and move filter",
    ]  # fmt: skip
    assert len(axes.collections) == 5
    first = axes.lines[0]
    np.testing.assert_allclose(first.get_ydata(), 88.5 - 40 / np.arange(1, 41))
    assert first.get_xdata()[-1] == 40
    assert axes.get_title().startswith("digits, proxy eznas-a: mean of 3 searches")


def test_a_method_has_its_colour_whatever_stands_beside_it():
    (alone,) = search_figure(outcome(methods=[Method.BOTH])).axes
    (beside,) = search_figure(outcome()).axes
    assert alone.lines[0].get_color() == beside.lines[4].get_color()
    assert len({line.get_color() for line in beside.lines[:5]}) == 5


def test_the_axis_shows_the_accuracies_near_the_best():
    (axes,) = search_figure(outcome()).axes
    low, high = axes.get_ylim()
    assert 60 < low < 70  # 84 - 40 / 2, where the first steps are below
    assert 90 < high < 93


@pytest.mark.parametrize("trained", [1, 2, 300])
def test_any_number_of_networks_can_be_drawn(trained, tmp_path):
    written = write_search_figure(outcome(trained, repetitions=1, proxy=None), tmp_path)
    assert [path.name for path in written] == ["search.png", "search.svg"]
    assert all(path.stat().st_size > 5000 for path in written)
