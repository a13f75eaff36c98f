"""Generated kernels: the same bits as the tile backend, bounded in number, and made only where they pay."""

from __future__ import annotations

import ast
from collections import Counter

import numpy as np
import pytest
import strategies_programs
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.backends import ToScalar, get_backend
from eznas.backends.fused import AutoBackend, FusedBackend, compiling, kernel_source
from eznas.backends.fused.costs import FusionCosts
from eznas.compile import ShapeTable, build_graph, fold_roots
from eznas.ops import OPS, OpKind
from eznas.plan import HEAVY, Expression, make_plan, verify
from eznas.program import Program
from eznas.statistics import NetworkStatistics, geometry_of_convolution
from eznas_kernels.elementwise import QUICK
from eznas_kernels.instructions import Form

LAYER = geometry_of_convolution(3, 3, 3, side=57)
"""Maps of 9,747 numbers: a whole tile and a part of one."""

MAPS = [name for name, op in OPS.items() if op.kind is OpKind.MAP]

CHAIN = "exp(sub(relu(T1_D), mul(T2_D, abs(sub(T1_N, mean(T1_D))))))"


def _graph(*texts: str):  # type: ignore[no-untyped-def]
    return fold_roots(build_graph([Program.parse(text) for text in texts]), "mean")


def _network(layers: int = 2) -> NetworkStatistics:
    generator = np.random.default_rng(0)
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 100.0]

    def values(shape: tuple[int, ...]) -> np.ndarray:
        array = generator.standard_normal(shape).astype(np.float32)
        array.flat[: len(special)] = special
        return array

    shape = LAYER.t1 or ()
    return NetworkStatistics.from_layers(
        [{name: values(shape) for name in ("T1_D", "T1_N", "T2_D")} for _ in range(layers)]
    )


@pytest.fixture
def no_kernels_yet(monkeypatch: pytest.MonkeyPatch) -> compiling.GeneratedKernels:
    fresh = compiling.GeneratedKernels()
    monkeypatch.setattr("eznas.backends.fused.backend.GENERATED", fresh)
    return fresh


def test_a_chain_is_one_expression_with_operands_numbered_in_the_order_of_their_use() -> None:
    graph = _graph(CHAIN)
    (expression,) = make_plan(graph, ShapeTable([LAYER]).infer(graph)).chains()
    assert str(expression) == "exp(sub(relu(array_0), mul(array_3, abs(sub_scalar(array_1, number_2)))))"


def test_what_others_read_too_is_computed_by_itself() -> None:
    graph = _graph("exp(relu(T1_D))", "abs(relu(T1_D))")
    assert not make_plan(graph, ShapeTable([LAYER]).infer(graph)).chains()


@given(
    st.lists(
        strategies_programs.programs(max_height=8, max_size=40, operations=[*MAPS, "mean", "normalize"]),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=100)
def test_plans_with_every_chain_fused_pass_the_verifier(programs: list[Program]) -> None:
    geometry = geometry_of_convolution(3, 3, 1, side=66)
    graph = fold_roots(build_graph(programs), "mean")
    plan = make_plan(graph, ShapeTable([geometry]).infer(graph), set)
    verify(plan)
    assert plan.fused == make_plan(graph, ShapeTable([geometry]).infer(graph)).chains().keys()


def test_the_source_is_python_that_names_each_operation_once() -> None:
    expression = Expression(
        (("log", (0,)), ("sub_scalar", (-1, 1)), ("scalar_sub", (2, 1)), ("mul", (-2, -3))),
        (False, True, False),
    )
    source = kernel_source(expression)
    ast.parse(source)
    body = source.partition("        for i in range(count):\n")[2].split("\n")
    assert [line.strip() for line in body if line] == [
        "step_0 = elementwise.log(array_0[i])",
        "step_1 = elementwise.sub(step_0, number_1)",
        "step_2 = elementwise.sub(number_1, array_2[i])",
        "destination[i] = elementwise.mul(step_1, step_2)",
    ]


def test_the_quick_form_of_an_operation_is_tried_first() -> None:
    source = kernel_source(Expression((("abs", (0,)), ("log", (-1,)), ("exp", (-2,))), (False,)))
    ast.parse(source)
    quick, _, careful = source.partition("    if worst > np.uint32(1118699520):\n")
    assert [line.strip() for line in quick.partition("for i in range(count):\n")[2].split("\n") if line] == [
        "step_0 = elementwise.absolute(array_0[i])",
        "step_1, strain = elementwise.quick_log(step_0)",
        "worst = strain if strain > worst else worst",
        "destination[i], strain = transcendental.quick_exp(step_1)",
        "worst = strain if strain > worst else worst",
    ]
    assert "destination[i] = transcendental.exp(step_1)" in careful


def test_the_heavy_operations_are_those_with_a_quick_form() -> None:
    assert QUICK.keys() == HEAVY


def test_a_chain_takes_in_the_exponential_of_a_sign() -> None:
    graph = _graph("exp(sigmoid(sign(T1_D)))", "sigmoid(abs(sign(T1_N)))")
    chains = {str(chain) for chain in make_plan(graph, ShapeTable([LAYER]).infer(graph)).chains()}
    assert chains == {"exp(sigmoid_of_sign(sign(array_0)))", "sigmoid_of_sign(abs(sign(array_0)))"}
    network = _network()
    tile, fused = (
        get_backend(name).layer_scalars(graph, network, ToScalar.MEAN) for name in ("tile", "fused")
    )
    np.testing.assert_array_equal(fused, tile)


def test_a_chain_has_one_exponential_or_logarithm_at_most() -> None:
    graph = fold_roots(build_graph([Program.parse("sigmoid(abs(exp(square(log(square(T1_D))))))")]), "mean")
    shapes = ShapeTable([geometry_of_convolution(3, 3, 1, side=66)]).infer(graph)
    found = make_plan(graph, shapes).chains()
    assert sorted(tuple(kernel for kernel, _ in chain.steps) for chain in found) == [
        ("exp", "abs"),
        ("square", "log", "square"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        CHAIN,
        "log(abs_log(exp(sigmoid(square(T1_D)))))",
        "sign(less_than_zero(heaviside(reciprocal(relu(T1_D)))))",
        "equal(greater(T1_D, T1_N), less(T2_D, T1_N))",
        "sub(mean(T1_N), add(greater_than_zero(T1_D), mean(T1_N)))",
    ],
)
def test_results_are_those_of_the_tile_backend_to_the_bit(text: str) -> None:
    graph, network = build_graph([Program.parse(text)]), _network()
    fused, tile = (
        get_backend(name).layer_scalars(graph, network, ToScalar.L2_NORM) for name in ("fused", "tile")
    )
    np.testing.assert_array_equal(fused, tile)


def test_the_number_of_generated_kernels_is_bounded(
    no_kernels_yet: compiling.GeneratedKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "MAXIMUM_KERNELS", 1)
    backend = FusedBackend()
    graph = build_graph([Program.parse("exp(square(reciprocal(T1_D)))"), Program.parse("exp(sign(T2_D))")])
    scalars = backend.layer_scalars(graph, _network(), ToScalar.MEAN)
    assert len(no_kernels_yet.addresses) == 1
    assert [len(each.steps) for each in no_kernels_yet.addresses] == [3]
    np.testing.assert_array_equal(
        scalars, get_backend("tile").layer_scalars(graph, _network(), ToScalar.MEAN)
    )


def test_auto_compiles_a_chain_when_it_would_have_saved_the_time_that_compiling_takes(
    no_kernels_yet: compiling.GeneratedKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = 2 * 3 * 57 * 57
    costs = FusionCosts(compile_seconds=1e-9, seconds_per_number=1e-9 / (3.5 * numbers))
    monkeypatch.setattr(FusionCosts, "of_this_machine", lambda: costs)
    backend = AutoBackend()
    graph, network = build_graph([Program.parse("exp(sign(T1_D))")]), _network(2)
    compiled = []
    found = []
    for _ in range(6):
        found.append(backend.layer_scalars(graph, network, ToScalar.MEAN))
        compiled.append(len(no_kernels_yet.addresses))
    assert compiled == [0, 0, 0, 1, 1, 1]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_the_costs_of_this_machine_are_measured_once_and_kept(
    tmp_path,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    monkeypatch.setattr("eznas.backends.fused.costs.cache_folder", lambda: tmp_path)
    measured: Counter[str] = Counter()

    def measure() -> FusionCosts:
        measured["times"] += 1
        return FusionCosts(compile_seconds=0.25, seconds_per_number=3e-11)

    monkeypatch.setattr(FusionCosts, "measure", measure)
    first, second = FusionCosts.of_this_machine(), FusionCosts.of_this_machine()
    assert first == second
    assert measured["times"] == 1
    (kept,) = tmp_path.iterdir()
    kept.write_text("{")
    assert FusionCosts.of_this_machine() == first
    assert measured["times"] == 2


def test_measured_costs_are_of_a_plausible_size() -> None:
    costs = FusionCosts.measure()
    assert costs.compile_seconds >= 0
    assert 0 <= costs.seconds_per_number < 1e-8


def test_fused_calls_are_seen_in_the_plan() -> None:
    graph = _graph(CHAIN)
    plan = make_plan(graph, ShapeTable([LAYER]).infer(graph), set)
    assert [call.form for call in plan.calls].count(Form.FUSED) == 1
