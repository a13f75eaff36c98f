import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_programs import programs

from eznas.analysis import Replacement, contributions, variants
from eznas.analysis.contribution import LARGEST_PROGRAM
from eznas.errors import ConfigError
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.statistics import NetworkStatistics, geometry_of_convolution

WIDTHS = (2, 3, 4, 5, 6, 7)


def network(width):
    generator = np.random.default_rng(width)
    shapes = {"T1_D": (1, 3, 4, 4), "T3": (width, 3, 3, 3), "T3G_D": (width, 3, 3, 3)}
    return NetworkStatistics.from_layers(
        [{name: generator.standard_normal(shape, np.float32) for name, shape in shapes.items()}]
    )


NETWORKS = [network(width) for width in WIDTHS]
GEOMETRIES = [geometry_of_convolution(3, width, 3, side=4) for width in WIDTHS]
ACCURACIES = np.array([10.0, 20, 30, 40, 50, 60])
ONE, MINUS_ONE = pytest.approx(1), pytest.approx(-1)


def measured(text, accuracies=ACCURACIES, networks=NETWORKS):
    program = Program.parse(text)
    found = variants(program)
    scores = Evaluator(networks, backend="eager").score([program, *(each.program for each in found)]).values
    return contributions(
        program, scores[0], list(zip(found, scores[1:], strict=True)), accuracies, GEOMETRIES
    )


def entry(found, subtree, replacement):
    (chosen,) = [
        entry
        for entry in found.entries
        if str(entry.variant.subtree) == subtree and entry.variant.replacement == replacement
    ]
    return chosen


def test_every_subtree_but_the_whole_is_replaced_by_constants_and_by_what_it_reads():
    found = variants(Program.parse("mul(mean(T3), T1_D)"))
    assert [(each.index, each.replacement, str(each.program)) for each in found] == [
        (0, "terminal", "T1_D"),
        (0, "terminal", "T3"),
        (1, "ones", "mul(ones_like(mean(T3)), T1_D)"),
        (1, "zeros", "mul(zeros_like(mean(T3)), T1_D)"),
        (1, "terminal", "mul(T3, T1_D)"),
        (2, "ones", "mul(mean(ones_like(T3)), T1_D)"),
        (2, "zeros", "mul(mean(zeros_like(T3)), T1_D)"),
        (3, "ones", "mul(mean(T3), ones_like(T1_D))"),
        (3, "zeros", "mul(mean(T3), zeros_like(T1_D))"),
    ]


@given(programs(max_height=4, max_size=12))
@settings(max_examples=30)
def test_a_variant_differs_in_its_subtree_alone(program):
    for each in variants(program):
        before, after = program.tokens[: each.index], program.tokens[each.index + each.subtree.size :]
        assert each.program.tokens == (*before, *each.by.tokens, *after)


@pytest.mark.parametrize(
    ("text", "subtree", "replacement"),
    [
        ("add(numel(T3), zeros_like(T1_D))", "zeros_like(T1_D)", Replacement.ZEROS),
        ("mul(ones_like(mean(T1_D)), numel(T3))", "ones_like(mean(T1_D))", Replacement.ONES),
        ("add(numel(T3), mean(zeros_like(T1_D)))", "mean(zeros_like(T1_D))", Replacement.ZEROS),
    ],
)
def test_what_changes_no_score_contributes_nothing(text, subtree, replacement):
    found = entry(measured(text), subtree, replacement)
    assert (found.change, found.agreement, found.scored) == (0, ONE, 6)


def test_what_makes_the_ranking_is_lost_with_it_and_comes_first():
    found = measured("add(numel(T3), sigmoid(mean(T1_D)))")
    assert (found.tau, found.orientation) == (ONE, 1)
    lost = entry(found, "numel(T3)", Replacement.ZEROS)
    assert lost.change < -0.5
    assert found.entries[0].change <= lost.change
    assert [each.change for each in found.entries] == sorted(each.change for each in found.entries)
    kept = entry(found, "sigmoid(mean(T1_D))", Replacement.ONES)
    assert (kept.tau, kept.change) == (ONE, 0)


def test_a_constant_in_place_of_all_that_matters_has_no_correlation():
    found = entry(measured("numel(abs(T3))"), "abs(T3)", Replacement.ONES)
    assert (found.tau, found.change) == (ONE, 0)
    found = entry(measured("reciprocal(mean(square(numel(T3))))"), "numel(T3)", Replacement.ZEROS)
    assert (found.scored, found.tau, found.change) == (0, 0, MINUS_ONE)  # the reciprocal of zero
    found = entry(measured("mean(numel(T3))"), "numel(T3)", Replacement.ONES)
    assert (found.tau, found.change, found.agreement) == (0, MINUS_ONE, 0)


def test_taus_are_in_the_orientation_of_the_program():
    found = measured("reciprocal(numel(T3))")
    assert (found.orientation, found.tau) == (-1, ONE)
    same = entry(found, "T3", Replacement.ONES)
    assert (same.tau, same.change, same.agreement) == (ONE, 0, ONE)


def test_a_terminal_replaces_only_what_has_its_shape_everywhere():
    found = measured("l1_norm(mul(abs(T3), mean(T1_D)))")
    terminals = {
        (str(each.variant.subtree), str(each.variant.by))
        for each in found.entries
        if each.variant.replacement is Replacement.TERMINAL
    }
    assert terminals == {("mul(abs(T3), mean(T1_D))", "T3"), ("abs(T3)", "T3")}


def test_networks_that_either_does_not_score_are_left_out_of_both():
    program = Program.parse("exp(numel(T3))")
    ones = variants(program)[1]
    scores, others = np.array([1, 2, np.nan, 4, 3, 5.0]), np.array([1, np.nan, 3, 4, 5, 6.0])
    found = contributions(program, scores, [(ones, others)], ACCURACIES, GEOMETRIES).entries[0]
    assert found.scored == 4
    assert found.tau == ONE
    assert found.change == pytest.approx(1 - 2 / 3)


def test_the_picture_takes_the_better_constant_of_each_subtree():
    found = measured("add(numel(T3), mean(T1_D))")
    changes = found.change_without()
    assert set(changes) == {1, 2, 3, 4}
    both = [entry(found, "T3", replacement).change for replacement in (Replacement.ONES, Replacement.ZEROS)]
    assert changes[2] == max(both)


def test_the_picture_prefers_the_constant_that_scores_more_networks():
    found = measured("reciprocal(add(numel(T3), numel(T3)))")
    zeros = entry(found, "add(numel(T3), numel(T3))", Replacement.ZEROS)
    ones = entry(found, "add(numel(T3), numel(T3))", Replacement.ONES)
    assert (zeros.scored, ones.scored) == (0, 6)
    assert found.change_without()[1] == ones.change == MINUS_ONE


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=20))
@settings(max_examples=40)
def test_no_tau_is_out_of_range_and_that_of_the_program_is_not_negative(pairs):
    scores, accuracies = (np.array(column, float) for column in zip(*pairs, strict=True))
    program = Program.parse("mean(T3)")
    (variant,) = [each for each in variants(program) if each.replacement is Replacement.ONES]
    found = contributions(program, scores, [(variant, -scores)], accuracies, [])
    assert 0 <= found.tau <= 1 + 1e-9
    assert found.entries[0].tau == pytest.approx(-found.tau)
    assert found.entries[0].change == pytest.approx(-2 * found.tau)


def test_programs_beyond_the_limit_are_refused():
    tokens = ("T3",)
    while len(tokens) <= LARGEST_PROGRAM:
        tokens = ("add", *tokens, *tokens)
    with pytest.raises(ConfigError, match=f"at most {LARGEST_PROGRAM} .*got {len(tokens)}"):
        variants(Program(tokens))
