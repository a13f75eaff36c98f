import numpy as np
import pytest
from sample_comparisons import comparison, ranked

from eznas.report import Measure, comparison_table, write_sweep_figures
from eznas.report.study_figures import heat_map, points
from eznas.report.sweep_figures import effect_of_batch_size, effect_of_seed

LONG = "reciprocal(add(frobenius_norm(T1G_P), exp(frobenius_norm(log(sigmoid(T1G_P))))))"


def sweep(tasks, seeds, sizes):
    return [
        comparison(
            task,
            {"a": 0.1 * seed + 0.01 * place, LONG: 0.2, "parameters": 0.6},
            seed=seed,
            batch_size=size,
        )
        for task in tasks
        for place, size in enumerate(sizes)
        for seed in seeds
    ]


@pytest.mark.parametrize("tasks", [["digits"], ["digits", "letters"]])
def test_the_effect_of_the_seed_shows_every_test_in_a_panel_for_each_task_and_batch_size(tasks):
    figure = effect_of_seed(sweep(tasks, [0, 1, 2], [1, 16]))
    assert len(figure.axes) == 2 * len(tasks)
    first, *_, last = figure.axes
    assert first.get_title() == "digits, batch 1"
    np.testing.assert_allclose([x for x, _ in first.collections[0].get_offsets()], [0, 0.1, 0.2])
    np.testing.assert_allclose([x for x, _ in last.collections[0].get_offsets()], [0.01, 0.11, 0.21])
    assert first.get_yticklabels()[0].get_text() == "a"
    assert len(first.get_yticklabels()[1].get_text()) < len(LONG)


@pytest.mark.parametrize("tasks", [["digits"], ["digits", "letters"]])
def test_the_effect_of_the_batch_size_is_a_line_for_each_contender(tasks):
    figure = effect_of_batch_size(sweep(tasks, [0], [1, 4, 16]))
    assert len(figure.axes) == len(tasks)
    line, other, constant = (container.lines[0] for container in figure.axes[0].containers)
    np.testing.assert_allclose(line.get_ydata().astype(float), [0, 0.01, 0.02])
    np.testing.assert_allclose(other.get_ydata().astype(float), [0.2] * 3)
    assert constant.get_linestyle() == "--"
    np.testing.assert_allclose(constant.get_xdata().astype(float), [1, 4, 16])


def test_a_contender_without_scores_leaves_a_gap():
    tests = [
        comparison("digits", [ranked("a", 0.5, scored=scored)], batch_size=size)
        for size, scored in ((1, 10), (2, 0), (4, 10))
    ]
    (axes,) = effect_of_batch_size(tests).axes
    assert len(axes.containers[0].lines[0].get_ydata()) == 2


def test_figures_are_written_only_of_what_was_varied(tmp_path):
    def written(seeds, sizes):
        return {file.name for file in write_sweep_figures(sweep(["digits"], seeds, sizes), tmp_path)}

    assert written([0], [1]) == set()
    assert written([0, 1], [1]) == {"effect-of-seed.png", "effect-of-seed.svg"}
    assert written([0], [1, 2]) == {"effect-of-batch-size.png", "effect-of-batch-size.svg"}
    assert len(written([0, 1], [1, 2])) == 4


def test_a_heat_map_writes_every_value_into_its_square():
    tests = [comparison("digits", {"a": 0.5, "b": -0.25}), comparison("letters", {"a": 0.75, "b": 0.0})]
    axes = heat_map(comparison_table(Measure.TAU, tests)).axes[0]
    assert {text.get_position(): text.get_text() for text in axes.texts} == {
        (0, 0): "+0.50",
        (1, 0): "+0.75",
        (0, 1): "-0.25",
        (1, 1): "+0.00",
    }


def test_a_heat_map_leaves_out_what_has_no_value():
    tests = [comparison("digits", [ranked("a", 0.5), ranked("b", 0.5, scored=0)])]
    assert len(heat_map(comparison_table(Measure.TAU, tests), 1).axes[0].texts) == 1


def test_points_show_every_test_behind_a_mean():
    tests = sweep(["digits", "letters"], [0, 1, 2], [1])
    panels = points(comparison_table(Measure.TAU, tests)).axes
    assert [axes.get_title() for axes in panels] == ["digits", "letters"]
    np.testing.assert_allclose([x for x, _ in panels[0].collections[0].get_offsets()], [0, 0.1, 0.2])
