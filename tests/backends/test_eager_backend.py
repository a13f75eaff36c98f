"""The eager backend against the oracle, over random programs and statistics with every special value."""

from __future__ import annotations

from collections import Counter

import naive
import numpy as np
import pytest
import strategies_layers
import strategies_programs
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from program_agreement import FloatArray, Layer, Verdict, judge

from eznas.backends import ToScalar, get_backend
from eznas.backends.eager import node_values, to_number
from eznas.compile import Rejection, build_graph, infer_shapes
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry

PROGRAMS = st.integers(1, 6).flatmap(
    lambda height: strategies_programs.programs(max_height=height, max_size=24)
)


def _run(program: Program, layer: Layer) -> FloatArray:
    graph = build_graph([program])
    return node_values(graph, layer)[graph.roots[0]].numpy()


def _fits(program: Program, geometry: Geometry) -> bool:
    graph = build_graph([program])
    return not isinstance(infer_shapes(graph, geometry)[graph.roots[0]], Rejection)


def _network(*layers: Layer) -> NetworkStatistics:
    return NetworkStatistics.from_layers(layers)


def test_random_programs_agree_with_the_oracle() -> None:
    verdicts: Counter[Verdict] = Counter()

    @given(PROGRAMS, strategies_layers.geometries(), st.data())
    @settings(max_examples=300)
    def compare(program: Program, geometry: Geometry, data: st.DataObject) -> None:
        assume(program.size > 1 and _fits(program, geometry))
        layer = data.draw(strategies_layers.layers(geometry, program.terminals))
        verdict = judge(program, layer, _run)
        assert verdict is not Verdict.WRONG, (program, layer)
        verdicts[verdict] += 1

    compare()
    assert verdicts[Verdict.AGREES] > 0.93 * verdicts.total(), verdicts
    assert verdicts[Verdict.ILL_CONDITIONED] < 0.03 * verdicts.total(), verdicts


def test_the_comparison_can_fail() -> None:
    program = Program.parse("mean(add(square(T3), T1_D))")
    layer = {"T3": np.full((2, 2), 3.0, np.float32), "T1_D": np.arange(4, dtype=np.float32).reshape(2, 2)}
    assert judge(program, layer, _run) is Verdict.AGREES
    assert judge(program, layer, lambda *given: _run(*given) * 1.001) is Verdict.WRONG
    assert judge(program, layer, lambda *given: _run(*given)[None]) is Verdict.WRONG
    assert judge(program, layer, lambda *given: _run(*given) * np.nan) is Verdict.WRONG
    assert judge(program, layer, lambda *given: _run(*given) * np.inf) is Verdict.WRONG


@pytest.mark.parametrize(
    ("text", "values", "verdict"),
    [
        ("exp(T3)", [100.0, 1.0], Verdict.AGREES),
        ("log(exp(T3))", [100.0, 1.0], Verdict.FLOAT32_ROUNDS),
        ("sigmoid(exp(T3))", [100.0, 1.0], Verdict.AGREES),
        ("normalize(T3)", [100.0, 100.0], Verdict.AGREES),
    ],
)
def test_float64_decides_where_float32_cannot(text: str, values: list[float], verdict: Verdict) -> None:
    layer = {"T3": np.array([values], np.float32)}
    assert judge(Program.parse(text), layer, _run) is verdict


def test_a_number_that_is_zero_but_for_rounding_is_ill_conditioned() -> None:
    layer = {"T3": np.array([0.1, 0.2, 0.4, 0.7], np.float32)}
    program = Program.parse("mean(normalize(T3))")
    assert judge(program, layer, lambda *_: np.array(1e-15)) is Verdict.ILL_CONDITIONED


@given(st.lists(PROGRAMS, min_size=1, max_size=4), st.data())
@settings(max_examples=80)
def test_the_scalars_are_those_of_each_program_alone(programs: list[Program], data: st.DataObject) -> None:
    """Sharing subtrees and letting tensors go change nothing, to the bit."""
    geometries = data.draw(st.lists(strategies_layers.geometries(max_side=3), min_size=1, max_size=2))
    programs = [program for program in programs if all(_fits(program, each) for each in geometries)]
    terminals = strategies_layers.read_by(programs)
    network = _network(*(data.draw(strategies_layers.layers(each, terminals)) for each in geometries))
    to_scalar = data.draw(st.sampled_from(ToScalar))
    scalars = get_backend("eager").layer_scalars(build_graph(programs), network, to_scalar)
    alone = [
        [to_number(torch.from_numpy(_run(program, layer)), to_scalar) for layer in network.layers]
        for program in programs
    ]
    np.testing.assert_array_equal(scalars, np.array(alone).reshape(scalars.shape))


@given(PROGRAMS, strategies_layers.geometries(), st.data())
@settings(max_examples=60)
def test_the_scalars_are_the_mean_and_the_norm_of_the_oracle(
    program: Program, geometry: Geometry, data: st.DataObject
) -> None:
    assume(_fits(program, geometry))
    layer = data.draw(
        strategies_layers.layers(geometry, program.terminals, bounds=strategies_layers.MODERATE, specials=())
    )
    assume(judge(program, layer, _run) is Verdict.AGREES)
    expected = naive.evaluate(program.tokens, layer)
    sizes = np.abs(expected).mean()
    for to_scalar, right in (
        (ToScalar.MEAN, expected.mean()),
        (ToScalar.L2_NORM, (expected**2).sum() ** 0.5),
    ):
        with np.errstate(over="ignore"):
            got = get_backend("eager").layer_scalars(build_graph([program]), _network(layer), to_scalar)
            right32 = np.float32(right)
        assert got.shape == (1, 1)
        if np.isfinite(right32):
            assert abs(got.item() - right) <= 1e-4 * (abs(right) + sizes)
        else:
            np.testing.assert_equal(got.item(), float(right32))
