"""Who is right where two results differ, and that a wrong one is found."""

import numpy as np
import pytest

from eznas.backends import ToScalar, get_backend
from eznas.benchmark.agreement import Verdict, compare, judge
from eznas.compile import build_graph
from eznas.program import Program

TEXTS = ["mean(abs(T1_D))", "det(T1_D)", "hamming_distance(T1_D, T1_N)"]


def scalars(networks, programs):
    graph = build_graph(programs)
    return [get_backend("eager").layer_scalars(graph, network, ToScalar.MEAN) for network in networks]


def test_eager_agrees_with_itself(networks):
    programs = [Program.parse(text) for text in TEXTS]
    found = scalars(networks, programs)
    agreement = compare(programs, networks, found, [each.copy() for each in found])
    assert agreement.compared == sum(each.size for each in found)
    assert not agreement.wrong
    assert not agreement.ill_conditioned


@pytest.mark.parametrize("wrong", [1.001, np.nan, np.inf, -1.0])
def test_a_wrong_result_is_found_and_located(networks, wrong):
    programs = [Program.parse(text) for text in TEXTS]
    expected = scalars(networks, programs)
    got = [each.copy() for each in expected]
    got[1][2, 1] *= wrong
    (difference,) = compare(programs, networks, expected, got).wrong
    assert (difference.program, difference.network, difference.layer) == (TEXTS[2], 1, 1)
    assert difference.eager == expected[1][2, 1]


def test_values_that_are_zero_by_construction_are_held_against_what_they_are_means_of(networks):
    layer = networks[0].layers[0]
    for text in ("normalize(T1_D)", "mean(normalize(T1_D))"):
        program = Program.parse(text)
        assert judge(program, layer, 1e-9, -3e-8)[0] is Verdict.AGREES
        assert judge(program, layer, 1e-9, 1e-2)[0] is Verdict.WRONG


def test_what_rounding_decides_is_ill_conditioned_and_not_wrong():
    # The rows are equal but for their last bits: the smallest eigenvalue is rounding noise.
    rows = np.random.default_rng(0).normal(size=(1, 9)).astype(np.float32)
    layer = {"T3": np.concatenate([rows, rows * np.float32(1 + 2e-7), rows * 2])}
    verdict, _ = judge(Program.parse("eig_ratio(T3)"), layer, 3e-8, -2e-8)
    assert verdict is Verdict.ILL_CONDITIONED


def test_exact_operations_are_not_excused_by_rounding(networks):
    program = Program.parse("equal(T1_D, T1_D)")
    assert judge(program, networks[0].layers[0], 1.0, 0.5)[0] is Verdict.WRONG
