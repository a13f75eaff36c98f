import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_programs import programs

from eznas.analysis import Axis, LayerSizes, ResponseSettings, measure_response
from eznas.analysis.random_layers import DRAWN_AT_ONCE, random_layers
from eznas.errors import ConfigError
from eznas.evaluator import Evaluator
from eznas.program import NAMED_PROGRAMS, Program
from eznas.statistics import NetworkStatistics

SMALL = ResponseSettings((2, 4, 8), (1, 3), (2, 3, 6), LayerSizes(4, 3, 6), repetitions=100)


def measure(*texts, settings=SMALL, **options):
    found = measure_response([Program.parse(text) for text in texts], settings, **options)
    return {(str(response.program), response.axis): response.points for response in found}


def test_the_mean_absolute_weight_is_that_of_a_normal_value_for_any_number_of_channels():
    points = measure("mean(abs(T3))", settings=replace(SMALL, repetitions=500))
    for point in points["mean(abs(T3))", Axis.CHANNELS]:
        numbers = point.size**2 * 9
        deviation = math.sqrt((1 - 2 / math.pi) / numbers)
        assert point.mean == pytest.approx(math.sqrt(2 / math.pi), abs=4 * deviation / math.sqrt(500))
        assert point.deviation == pytest.approx(deviation, rel=0.2)
        assert point.low == pytest.approx(point.mean - 1.96 * deviation, abs=0.5 * deviation)
        assert point.high == pytest.approx(point.mean + 1.96 * deviation, abs=0.5 * deviation)


def test_the_number_of_weights_grows_with_the_square_of_kernel_and_channels_and_not_with_maps():
    points = measure("numel(T3)")
    assert [(point.size, point.mean) for point in points["numel(T3)", Axis.KERNEL]] == [(1, 16), (3, 144)]
    assert [point.mean for point in points["numel(T3)", Axis.CHANNELS]] == [36, 144, 576]
    assert [point.mean for point in points["numel(T3)", Axis.SIDE]] == [144, 144, 144]
    assert {point.deviation for found in points.values() for point in found} == {0.0}


def test_scores_are_those_of_the_evaluator_on_the_same_layers():
    program = NAMED_PROGRAMS["eznas-a"]
    layers = random_layers(SMALL.base.geometry(program.terminals), program.terminals, range(7), 0).layers
    networks = [NetworkStatistics.from_layers([layer]) for layer in layers[: SMALL.repetitions]]
    expected = Evaluator(networks).score([program]).values[0]
    point = measure(str(program))[str(program), Axis.CHANNELS][1]
    assert point.mean == expected.mean()
    assert (point.low, point.high) == tuple(np.quantile(expected, [0.025, 0.975]))


def test_results_are_those_of_the_seed_for_any_number_of_threads():
    text = "sub(l1_norm(T1_D), l1_norm(T3G_N))"
    first = measure(text, threads=1)
    assert measure(text, threads=3) == first
    assert measure(text, settings=replace(SMALL, seed=1)) != first


@given(
    st.lists(programs(max_height=3, max_size=8, terminals=("T1_D", "T3", "T4G_N")), min_size=2, max_size=3)
)
@settings(max_examples=25)
def test_programs_meet_the_same_tensors_together_and_alone(chosen):
    few = ResponseSettings((2, 3), (3,), (3, 4), LayerSizes(3, 3, 3), DRAWN_AT_ONCE + 2)
    together = measure_response(chosen, few)
    alone = [response for program in chosen for response in measure_response([program], few)]
    # As text, since NaN is not equal to itself.
    assert repr(together) == repr(tuple(alone))


def test_a_program_without_weights_does_not_respond_to_the_kernel():
    first, second = measure("l1_norm(T1G_P)")["l1_norm(T1G_P)", Axis.KERNEL]
    assert replace(first, size=second.size) == second
    assert first.deviation > 0


def test_sizes_without_a_shape_are_told_and_others_scored():
    text = "mean(matmul(T3, T1_D))"
    points = measure(text)[text, Axis.SIDE]
    assert [point.scored for point in points] == [0, 100, 0]
    assert "matmul" in points[0].failure
    assert points[1].failure is None
    assert math.isnan(points[0].mean)


def test_layers_without_a_finite_score_are_left_out_and_told():
    text = "reciprocal(heaviside(mean(T3)))"
    for point in measure(text)[text, Axis.CHANNELS]:
        assert 20 < point.scored < 80
        assert (point.mean, point.deviation) == (1, 0)
        assert "reciprocal" in point.failure


def test_the_norm_is_taken_where_it_is_asked_for():
    settings = replace(SMALL, to_scalar="l2")
    points = measure("ones_like(T3)", settings=settings)["ones_like(T3)", Axis.KERNEL]
    assert [point.mean for point in points] == [4, 12]


def test_progress_ends_with_all_layers_and_equal_ones_are_drawn_once():
    told = []
    measure("numel(T3)", progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    # Channels 2, 4 and 8, and one other kernel; maps do not matter.
    assert told[-1] == (400, 400)


def test_no_programs_have_no_response():
    assert measure_response([], SMALL) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repetitions": 0}, "repetitions must be at least 1, got 0"),
        ({"channels": ()}, "at least one channels to respond to"),
        ({"kernels": (3, 0)}, "kernel must be at least 1, got 0"),
        ({"sides": (-1,)}, "side must be at least 1, got -1"),
        ({"to_scalar": "max"}, "unknown to_scalar 'max'"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        ResponseSettings(**change)
