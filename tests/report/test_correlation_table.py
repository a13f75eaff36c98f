import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_comparisons import comparison, ranked

from eznas.errors import ConfigError
from eznas.report.correlation_table import comparison_table, missing_scores
from eznas.report.measures import Measure, measures


def test_contenders_are_rows_and_tasks_are_columns():
    table = comparison_table(
        Measure.TAU, [comparison("digits", {"a": 0.5, "b": 0.4}), comparison("letters", {"a": 0.3, "b": 0.2})]
    )
    assert table.columns == ("digits", "letters")
    assert [row.name for row in table.rows] == ["a", "b"]
    assert [[cell.value for cell in row.cells] for row in table.rows] == [[0.5, 0.3], [0.4, 0.2]]
    assert table.title() == "Kendall tau on 10 networks, 95 % interval"
    assert table.title(with_intervals=False) == "Kendall tau on 10 networks"


@pytest.mark.parametrize(
    ("measure", "value"),
    [(Measure.TAU, 0.5), (Measure.RHO, 0.49), (Measure.TOP_HALF, 0.48), (Measure.TOP_TENTH, 0.47)],
)
def test_each_measure_is_its_own_table(measure, value):
    table = comparison_table(measure, [comparison("digits", {"a": 0.5})])
    assert table.rows[0].cells[0].value == pytest.approx(value)


def test_a_single_test_has_its_interval_and_no_deviation():
    (row,) = comparison_table(Measure.TAU, [comparison("digits", {"a": 0.5})]).rows
    assert row.cells[0].interval == pytest.approx((0.4, 0.6))
    assert row.cells[0].deviation is None


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6))
def test_over_several_seeds_a_cell_is_their_mean_and_standard_deviation(taus):
    tests = [comparison("digits", {"a": tau}, seed=seed) for seed, tau in enumerate(taus)]
    table = comparison_table(Measure.TAU, tests)
    ((cell,),) = [row.cells for row in table.rows]
    assert cell.value == pytest.approx(statistics.fmean(taus))
    assert cell.deviation == pytest.approx(statistics.stdev(taus))
    assert cell.interval is None
    assert table.title().endswith(f"mean ± standard deviation (n = {len(taus)})")


def test_each_batch_size_is_a_column_of_its_own():
    tests = [comparison("digits", {"a": 0.5}, batch_size=size) for size in (1, 16)]
    assert comparison_table(Measure.TAU, tests).columns == ("digits, batch 1", "digits, batch 16")


def test_different_numbers_of_networks_are_named_at_each_column():
    table = comparison_table(
        Measure.TAU,
        [comparison("digits", {"a": 0.5}), comparison("letters", [ranked("a", 0.5, networks=20, scored=20)])],
    )
    assert table.headings == ("digits, 10 networks", "letters, 20 networks")
    assert table.title() == "Kendall tau, 95 % interval"


def test_equally_named_contenders_are_kept_apart():
    same = comparison("digits", [ranked("best of run", 0.5), ranked("best of run", 0.1)])
    table = comparison_table(Measure.TAU, [same])
    assert [(row.name, row.cells[0].value) for row in table.rows] == [
        ("best of run", 0.5),
        ("best of run (2)", 0.1),
    ]


def test_a_contender_without_any_score_has_no_value_and_a_note():
    table = comparison_table(
        Measure.TAU, [comparison("digits", [ranked("a", 0.5), ranked("b", 0.9, scored=0)])]
    )
    assert table.rows[1].cells == (None,)
    assert table.best(0) == {0}
    assert [(note.row, note.text) for note in table.notes] == [("b", "lacks 10 of 10 scores on digits")]


def test_a_note_counts_what_is_missing_over_all_seeds_of_each_task():
    tests = [
        comparison(task, [ranked("a", 0.5, scored=scored)], seed=seed)
        for task, scored in (("digits", 7), ("letters", 10), ("words", 9))
        for seed in (0, 1)
    ]
    (note,) = missing_scores(tests)
    assert note.text == "lacks 6 of 20 scores on digits, 2 of 20 scores on words"


def test_a_note_names_the_most_frequent_reason_whichever_the_layer():
    reasons = (("layer 3: overflow", 2), ("layer 1: singular", 3), ("layer 0: overflow", 2))
    explained = replace(ranked("a", 0.5, scored=3), reasons=reasons)
    (note,) = missing_scores([comparison("digits", [explained])])
    assert note.text == "lacks 7 of 10 scores on digits; most often: overflow"


def test_all_that_print_the_same_best_value_are_best():
    table = comparison_table(
        Measure.TAU, [comparison("digits", {"a": 0.5, "b": 0.50001, "c": 0.4, "d": -0.9})]
    )
    assert table.best(0) == {0, 1}


def test_measures_are_known_by_name_each_once():
    assert measures(["rho", "tau", "rho"]) == (Measure.RHO, Measure.TAU)
    assert measures(["rho", "all"]) == tuple(Measure)


def test_an_unknown_measure_is_refused():
    with pytest.raises(ConfigError, match=r"unknown measure 'taw'.*did you mean 'tau'"):
        measures(["taw"])
