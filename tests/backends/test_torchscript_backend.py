"""The torchscript backend against the eager one, to the bit: random programs, special values, threads."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pytest
import strategies
import strategies_layers
import strategies_programs
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from living_tensors import LivingTensors
from numpy.typing import NDArray

from eznas.backends import ToScalar, torchscript
from eznas.backends.eager import EagerBackend
from eznas.backends.torchscript import CALLED_BACK, KEPT_GRAPHS, TorchScriptBackend
from eznas.backends.torchscript_source import torchscript_source
from eznas.compile import Graph, Rejection, build_graph, infer_shapes
from eznas.ops import OPS
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry

PROGRAMS = st.integers(1, 6).flatmap(
    lambda height: strategies_programs.programs(max_height=height, max_size=24)
)
BACKEND = TorchScriptBackend()


def _graph(*texts: str) -> Graph:
    return build_graph([Program.parse(text) for text in texts])


def _fits(program: Program, geometry: Geometry) -> bool:
    graph = build_graph([program])
    return not isinstance(infer_shapes(graph, geometry)[graph.roots[0]], Rejection)


def _random_network(layers: int = 2, side: int = 4) -> NetworkStatistics:
    generator = np.random.default_rng(0)
    return NetworkStatistics.from_layers(
        [
            {name: generator.standard_normal((side, side), np.float32) for name in ("T1_D", "T3")}
            for _ in range(layers)
        ]
    )


def _assert_same_bits(got: NDArray[np.floating], expected: NDArray[np.floating]) -> None:
    """The same numbers, NaN and the signs of zeros included; which NaN it is means nothing."""
    np.testing.assert_array_equal(got, expected, strict=True)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(expected)[numbers])


def _assert_equals_eager(graph: Graph, network: NetworkStatistics, to_scalar: ToScalar) -> None:
    _assert_same_bits(
        BACKEND.layer_scalars(graph, network, to_scalar),
        EagerBackend().layer_scalars(graph, network, to_scalar),
    )


@pytest.mark.parametrize("other", [-0.0, np.nan, 2.0**-1074, np.inf])
def test_the_comparison_can_fail(other: float) -> None:
    _assert_same_bits(np.array([0.0, np.nan]), np.array([0.0, np.nan]))
    with pytest.raises(AssertionError):
        _assert_same_bits(np.array([0.0]), np.array([other]))


@given(st.lists(PROGRAMS, min_size=1, max_size=6), st.data())
@settings(max_examples=200)
def test_random_programs_equal_eager_to_the_bit(programs: list[Program], data: st.DataObject) -> None:
    geometries = data.draw(st.lists(strategies_layers.geometries(max_side=4), min_size=1, max_size=3))
    programs = [program for program in programs if all(_fits(program, each) for each in geometries)]
    terminals = strategies_layers.read_by(programs)
    network = NetworkStatistics.from_layers(
        [data.draw(strategies_layers.layers(each, terminals)) for each in geometries]
    )
    _assert_equals_eager(build_graph(programs), network, data.draw(st.sampled_from(ToScalar)))


@pytest.mark.parametrize("name", OPS)
@given(st.data())
@settings(max_examples=25)
def test_every_op_equals_eager_to_the_bit(name: str, data: st.DataObject) -> None:
    arity = OPS[name].arity
    arrays = data.draw(strategies.arguments(name, arity, np.float32))
    # Families may have any shapes, terminals of one family share theirs.
    terminals = ("T1_D", "T3")[:arity]
    layer = {
        terminal: np.asarray(array, np.float32) for terminal, array in zip(terminals, arrays, strict=True)
    }
    text = f"{name}({', '.join(terminals)})"
    network = NetworkStatistics.from_layers([layer])
    for to_scalar in ToScalar:
        _assert_equals_eager(_graph(text, terminals[0]), network, to_scalar)


@pytest.mark.parametrize("name", [name for name in OPS if name not in CALLED_BACK])
@given(st.data())
@settings(max_examples=25)
def test_every_scripted_op_gives_the_tensor_of_its_eager_function(name: str, data: st.DataObject) -> None:
    """The mean of a tensor could hide a difference."""
    scripted: Callable[..., torch.Tensor] = getattr(torchscript._scripted_ops(), name)
    assert isinstance(scripted, torch.jit.ScriptFunction)
    tensors = [
        torch.tensor(array) for array in data.draw(strategies.arguments(name, OPS[name].arity, np.float32))
    ]
    with torch.jit.optimized_execution(False):
        _assert_same_bits(scripted(*tensors).numpy(), OPS[name].eager(*tensors).numpy())


@pytest.mark.parametrize("name", CALLED_BACK)
def test_only_what_torchscript_refuses_is_called_back(name: str) -> None:
    with pytest.raises(torch.jit.frontend.NotSupportedError):
        torch.jit.script(OPS[name].eager)


@pytest.mark.parametrize("name", CALLED_BACK)
def test_eigenvalues_that_do_not_converge_are_nan(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: torch.Tensor) -> torch.Tensor:
        raise torch.linalg.LinAlgError("the algorithm failed to converge")

    monkeypatch.setattr(torch.linalg, "eigvalsh", refuse)
    scalars = BACKEND.layer_scalars(_graph(f"{name}(T3)", "mean(T3)"), _random_network(), ToScalar.MEAN)
    assert np.isnan(scalars[0]).all()
    assert np.isfinite(scalars[1]).all()


def test_a_program_that_occurs_twice_and_one_that_is_a_terminal_have_their_scalars() -> None:
    graph = _graph("T3", "abs(T1_D)", "T3", "square(abs(T1_D))", "abs(T1_D)")
    for to_scalar in ToScalar:
        _assert_equals_eager(graph, _random_network(layers=3), to_scalar)


def test_no_programs_have_scalars_of_shape_zero_by_layers() -> None:
    assert BACKEND.layer_scalars(_graph(), _random_network(layers=3), ToScalar.MEAN).shape == (0, 3)


def test_a_graph_of_a_thousand_nodes_equals_eager() -> None:
    chains = [f"{first}({second}({'sigmoid(' * 6}T3{')' * 6}))" for first in OPS for second in OPS
              if OPS[first].arity == OPS[second].arity == 1]  # fmt: skip
    programs = [program for program in map(Program.parse, chains) if _fits(program, Geometry(t3=(4, 4)))]
    graph = build_graph([*programs, *[Program.parse(f"add(T1_D, {program})") for program in programs]])
    assert len(graph.nodes) > 1000
    _assert_equals_eager(graph, _random_network(), ToScalar.MEAN)


def test_the_source_can_be_read() -> None:
    graph = _graph("add(abs(T3), T1_D)", "T1_D", "mean(abs(T3))", "T1_D")
    assert torchscript_source(graph) == (
        "def to_scalar(a: Tensor) -> float:\n"
        "    return float(a if a.numel() == 1 else ops.mean(a))\n"
        "\n"
        "def layer_scalars(T1_D: Tensor, T3: Tensor) -> List[float]:\n"
        "    T1_D_scalar = to_scalar(T1_D)\n"
        "    abs_2 = ops.abs(T3)\n"
        "    add_3 = ops.add(abs_2, T1_D)\n"
        "    add_3_scalar = to_scalar(add_3)\n"
        "    mean_4 = ops.mean(abs_2)\n"
        "    mean_4_scalar = to_scalar(mean_4)\n"
        "    scalars: List[float] = [add_3_scalar, T1_D_scalar, mean_4_scalar, T1_D_scalar]\n"
        "    return scalars\n"
    )
    assert "ops.frobenius_norm(a)" in torchscript_source(graph, ToScalar.L2_NORM)


def _count_compilations(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    compiled: list[Graph] = []
    compile_really = torchscript._compile

    def counted(graph: Graph, to_scalar: ToScalar) -> Callable[..., list[float]]:
        compiled.append(graph)
        return compile_really(graph, to_scalar)

    monkeypatch.setattr(torchscript, "_compile", counted)
    return compiled


def test_a_graph_is_compiled_once_for_all_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = _count_compilations(monkeypatch)
    backend = TorchScriptBackend()
    for side in (2, 3, 5):
        backend.layer_scalars(_graph("mean(T3)"), _random_network(side=side), ToScalar.MEAN)
    assert len(compiled) == 1
    backend.layer_scalars(_graph("mean(T3)"), _random_network(), ToScalar.L2_NORM)
    assert len(compiled) == 2


def test_only_the_graphs_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = _count_compilations(monkeypatch)
    backend = TorchScriptBackend()
    graphs = [_graph("abs(" * depth + "T3" + ")" * depth) for depth in range(KEPT_GRAPHS + 1)]
    for graph in [*graphs, graphs[-1], graphs[1], graphs[0]]:
        backend.layer_scalars(graph, _random_network(), ToScalar.MEAN)
    assert compiled == [*graphs, graphs[0]]


def test_graphs_of_many_nodes_together_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchscript, "KEPT_NODES", 7)
    compiled = _count_compilations(monkeypatch)
    backend = TorchScriptBackend()
    three, four, eight = (_graph("abs(" * depth + "T3" + ")" * depth) for depth in (2, 3, 7))
    for graph in [three, four, three, eight, eight, three]:
        backend.layer_scalars(graph, _random_network(), ToScalar.MEAN)
    assert compiled == [three, four, eight, three]


def _run_in_threads(
    backend: TorchScriptBackend, graphs: Sequence[Graph], network: NetworkStatistics, threads: int
) -> list[NDArray[np.float64]]:
    together = threading.Barrier(threads)

    def run(number: int) -> NDArray[np.float64]:
        torch.set_num_threads(1)
        together.wait()
        return backend.layer_scalars(graphs[number % len(graphs)], network, ToScalar.MEAN)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_threads_that_begin_together_get_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = _count_compilations(monkeypatch)
    network = _random_network(layers=20, side=9)
    unary = [name for name, op in OPS.items() if op.arity == 1]
    texts = [f"{name}(matmul(T3, T1_D))" for name in unary]
    graphs = [_graph(*texts), _graph(*texts[::-1], "eig_ratio(square(T3))")]
    expected = [EagerBackend().layer_scalars(graph, network, ToScalar.MEAN) for graph in graphs]
    for _ in range(5):
        compiled.clear()
        results = _run_in_threads(TorchScriptBackend(), graphs, network, 8)
        for number, result in enumerate(results):
            _assert_same_bits(result, expected[number % 2])
        assert len(compiled) == 2


def test_the_optimising_executor_is_left_as_it_was() -> None:
    before = torch._C._get_graph_executor_optimize()
    BACKEND.layer_scalars(_graph("mean(T3)"), _random_network(), ToScalar.MEAN)
    assert before
    assert torch._C._get_graph_executor_optimize() == before


def test_users_do_not_see_the_deprecation_of_torchscript() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        filters = warnings.filters[:]
        ops = torchscript._script_ops.__wrapped__()
        assert warnings.filters == filters
        with pytest.raises(DeprecationWarning):
            torch.jit.script(OPS["abs"].eager)
    assert isinstance(ops, ModuleType)
    assert {name for name in OPS if hasattr(ops, name)} == set(OPS)


def test_a_tensor_is_let_go_after_its_last_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = LivingTensors()
    ops = torchscript._script_ops.__wrapped__()
    ops.abs = torchscript._called_back(tensors.absolute)
    monkeypatch.setattr(torchscript, "_scripted_ops", lambda: ops)
    graph = _graph("abs(" * 30 + "T1_D" + ")" * 30, "abs(" * 30 + "T3" + ")" * 30)
    TorchScriptBackend().layer_scalars(graph, _random_network(), ToScalar.MEAN)
    assert tensors.most == 2
