"""The tile backend against eager torch, over random programs and statistics with every special value."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import naive
import numpy as np
import pytest
import strategies_layers
import strategies_programs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eznas.backends import ToScalar, get_backend
from eznas.backends.tile import TileBackend
from eznas.benchmark.agreement import Verdict, compare
from eznas.compile import Rejection, build_graph, fold_roots, infer_shapes
from eznas.ops import OPS
from eznas.program import Program
from eznas.statistics import NetworkStatistics, geometry_of_convolution
from eznas.terminals import TERMINALS, Geometry

PROGRAMS = st.integers(1, 6).flatmap(
    lambda height: strategies_programs.programs(max_height=height, max_size=24)
)
SEVERAL_TILES = geometry_of_convolution(9, 9, 3, side=33, batch=2)
"""Maps of 19,602 numbers: a whole tile, and a part that is no multiple of a vector."""


def _fits(program: Program, geometry: Geometry) -> bool:
    graph = build_graph([program])
    return not isinstance(infer_shapes(graph, geometry)[graph.roots[0]], Rejection)


def _random_layer(geometry: Geometry, seed: int) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(seed)
    return {
        name: generator.standard_normal(geometry.shape(name) or ()).astype(np.float32) for name in TERMINALS
    }


def _scalars(backend: str, programs: list[Program], network: NetworkStatistics) -> NDArray[np.float64]:
    return get_backend(backend).layer_scalars(build_graph(programs), network, ToScalar.MEAN)


def test_random_programs_agree_with_eager_torch() -> None:
    verdicts: Counter[Verdict] = Counter()

    @given(st.lists(PROGRAMS, min_size=1, max_size=6), strategies_layers.geometries(), st.data())
    @settings(max_examples=200, derandomize=True)
    def check(programs: list[Program], geometry: Geometry, data: st.DataObject) -> None:
        programs = [program for program in programs if _fits(program, geometry)]
        assume(programs)
        layer = data.draw(strategies_layers.layers(geometry, strategies_layers.read_by(programs)))
        network = NetworkStatistics.from_layers([layer])
        expected, got = (_scalars(name, programs, network) for name in ("eager", "tile"))
        agreement = compare(programs, [network], [expected], [got])
        assert not agreement.wrong, agreement.wrong
        verdicts[Verdict.ILL_CONDITIONED] += len(agreement.ill_conditioned)
        verdicts[Verdict.AGREES] += agreement.compared - len(agreement.ill_conditioned)

    check()
    assert verdicts[Verdict.ILL_CONDITIONED] < 0.05 * verdicts.total(), verdicts


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("to_scalar", ToScalar)
def test_each_operation_on_tensors_of_several_tiles(name: str, to_scalar: ToScalar) -> None:
    terminals = ("T1_D", "T3", "T4G_P", "T2_N")
    arguments = list(zip(terminals, reversed(terminals), strict=True))
    programs = [Program((name, *pair[: OPS[name].arity])) for pair in arguments]
    programs = [program for program in programs if _fits(program, SEVERAL_TILES)]
    network = NetworkStatistics.from_layers([_random_layer(SEVERAL_TILES, seed) for seed in range(3)])
    expected, got = (
        get_backend(backend).layer_scalars(build_graph(programs), network, to_scalar)
        for backend in ("eager", "tile")
    )
    # Relative to the largest too: a mean of determinants is a small difference of large numbers.
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize(
    "text",
    [
        "add(T1_D, mean(T3))",
        "sub(mean(T3), T1_D)",
        "less(numel(T3), T1_D)",
        "hamming_distance(T1_D, mean(T1_D))",
        "kl_divergence(ones_like(T3), T3)",
        "kl_divergence(mean(T3), heaviside(T3))",
        "kl_divergence(reciprocal(zeros_like(T3)), heaviside(abs(T3)))",
        "kl_divergence(numel(T1_D), heaviside(mean(T3)))",
        "kl_divergence(mean(T3), exp(ones_like(T3)))",
        "cosine_similarity(T1_D, ones_like(T1_D))",
        "matmul(ones_like(T1_D), T1_D)",
        "softmax(zeros_like(T3))",
        "softmax(numel(T3))",
        "normalize(exp(zeros_like(T3)))",
        "frobenius_norm(exp(ones_like(T1_D)))",
        "det(sigmoid(ones_like(T3)))",
        "sym_eig_ratio(numel(T3))",
        "eig_ratio(numel(T3))",
        "matmul(numel(T3), numel(T1_D))",
    ],
)
def test_tensors_of_equal_numbers_give_what_eager_torch_gives(text: str) -> None:
    programs = [Program.parse(text)]
    network = NetworkStatistics.from_layers([_random_layer(geometry_of_convolution(4, 4, 3, side=8), 0)])
    np.testing.assert_allclose(
        _scalars("tile", programs, network), _scalars("eager", programs, network), rtol=1e-4
    )


_BEYOND_LAPACK = (1e-40, -3e38)
"""Numbers whose reciprocals overflow or are subnormal: times these, equal rows leave more than zero."""


def _of_equal_numbers(op: str, shape: tuple[int, ...], number: float) -> NDArray[np.float64]:
    """An operation on a tensor known to hold equal numbers, on one not known to, and by eager torch."""
    layer = {"T1_D": np.float32([number]), "T3": np.full(shape, number, np.float32)}
    network = NetworkStatistics.from_layers([layer])
    known, written = (Program.parse(f"{op}({argument})") for argument in ("mul(ones_like(T3), T1_D)", "T3"))
    return np.concatenate(
        [
            _scalars(backend, [program], network)[0]
            for backend, program in (("tile", known), ("tile", written), ("eager", written))
        ]
    )


@pytest.mark.parametrize("number", [1.0, -0.75, 0.0, -0.0, 1e-40, -3e38, 1e38, 0.3, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("op", ["det", "logdet"])
def test_determinants_of_equal_numbers_change_no_bit(op: str, number: float) -> None:
    for order in (1, 2, 3, 4, 5, 8, 9, 32, 33):
        for batch in ((), (3,), (9,)):
            found, expected, eager = _of_equal_numbers(op, (*batch, order, order), number)
            np.testing.assert_array_equal(found, expected)
            if not batch:
                assert np.signbit(found) == np.signbit(expected) or np.isnan(expected)
            if number not in _BEYOND_LAPACK:
                np.testing.assert_allclose(found, eager, rtol=1e-6)


@pytest.mark.parametrize("number", [1.0, -0.75, -0.0, 1e-40, -3e38, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(
    "shape", [(7,), (4, 8), (3, 1), (300, 5, 2), (2, 33, 3, 3), (2, 1, 4, 4), (1, 600, 5, 5)]
)
def test_softmax_of_equal_numbers_differs_by_rounding_alone(shape: tuple[int, ...], number: float) -> None:
    found, written, eager = _of_equal_numbers("softmax", shape, number)
    # Sums of many equal numbers round the same way again and again.
    rounding = 3e-7 + 3e-9 * max(shape)
    np.testing.assert_allclose([found, found], [written, eager], rtol=rounding)


def test_equal_numbers_of_lines_and_matrices_of_several_sizes_in_one_plan() -> None:
    layers = [
        _random_layer(geometry_of_convolution(n, 4, kernel), n) for n, kernel in ((1, 3), (5, 1), (6, 3))
    ]
    programs = [
        Program.parse(f"{op}(add(zeros_like(T3), mean(T1_D)))") for op in ("softmax", "det", "logdet")
    ]
    for order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]):
        network = NetworkStatistics.from_layers([layers[index] for index in order])
        np.testing.assert_allclose(
            _scalars("tile", programs, network), _scalars("eager", programs, network), rtol=1e-5
        )


@pytest.mark.parametrize("op", ["exp", "sigmoid"])
def test_kernels_of_minus_one_zero_and_one_change_no_bit(op: str) -> None:
    """By way of an operation of which it is not known that it gives such numbers."""
    network = NetworkStatistics.from_layers([_random_layer(SEVERAL_TILES, 0)])
    texts = [f"{op}(sign(T1_D))", f"{op}(sub(sign(T1_D), zeros_like(T1_D)))"]
    known, unknown = _scalars("tile", [Program.parse(text) for text in texts], network)
    np.testing.assert_array_equal(known, unknown)


_NORMS_OF_NORMALIZED = (
    "l1_norm({})", "frobenius_norm({})", "mean(abs({}))", "mean(square({}))", "frobenius_norm(abs({}))",
)  # fmt: skip


def _norms_of_normalized(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], ...]:
    """By way of the sum of differences, by way of the normalized tensor, and by eager torch."""
    network = NetworkStatistics.from_layers([{"T1_D": values}])
    found = []
    for backend, argument in (
        ("tile", "normalize(T1_D)"),
        ("tile", "mul(normalize(T1_D), ones_like(T1_D))"),
        ("eager", "normalize(T1_D)"),
    ):
        programs = [Program.parse(text.format(argument)) for text in _NORMS_OF_NORMALIZED]
        found.append(_scalars(backend, programs, network)[:, 0])
    return tuple(found)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, 1e-38, 2.0**125])
def test_norms_of_normalized_tensors_are_those_of_the_oracle(scale: float) -> None:
    for size in (2, 3, 9, 19_602):
        values = (np.random.default_rng(size).standard_normal(size) * scale + 0.1 * scale).astype(np.float32)
        expected = [
            float(naive.evaluate(Program.parse(text.format("normalize(T1_D)")).tokens, {"T1_D": values}))
            for text in _NORMS_OF_NORMALIZED
        ]
        for found in _norms_of_normalized(values)[:2]:
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def _special_values(case: str, size: int) -> NDArray[np.float32]:
    values = np.random.default_rng(size).standard_normal(size).astype(np.float32)
    if case == "constant":
        values[:] = np.float32(0.1)
    elif case == "zero":
        values[:] = 0.0
    elif case in ("nan", "inf", "-inf"):
        values[size // 2] = np.float32(case)
    elif case == "both infinities":
        values[[0, -1]] = np.inf, -np.inf
    elif case == "deviation zero":
        values[:], values[0] = 0.0, 2.0**-149
    elif case == "subnormal":
        values = np.sign(values) * np.float32(2.0**-147)
    else:
        values[:] = 3e38 * np.sign(values)
    return values


@pytest.mark.parametrize("size", [5, 1000, 19_602])
@pytest.mark.parametrize(
    "case",
    ["constant", "zero", "nan", "inf", "-inf", "both infinities", "deviation zero", "subnormal", "huge"],
)
def test_norms_of_normalized_special_tensors(case: str, size: int) -> None:
    found, written, eager = _norms_of_normalized(_special_values(case, size))
    np.testing.assert_allclose(found, written, rtol=1e-6)
    if case != "huge":  # torch's squares overflow.
        np.testing.assert_allclose(found, eager, rtol=1e-5)
    if case not in ("subnormal", "huge"):
        np.testing.assert_array_equal(found, np.inf if case == "deviation zero" else 0.0)


@pytest.mark.parametrize("first", ["T3", "mean(T3)", "sub(T3, mean(T3))"])
def test_divergences_from_nothing_are_zero_and_not_below(first: str) -> None:
    weights = np.random.default_rng(0).standard_normal((4, 4, 3, 3)).astype(np.float32)
    network = NetworkStatistics.from_layers([{"T3": weights, "T1_D": np.zeros_like(weights)}])
    programs = [Program.parse(f"reciprocal(kl_divergence({first}, heaviside(T1_D)))")]
    assert _scalars("eager", programs, network) == np.inf
    assert _scalars("tile", programs, network) == np.inf


@pytest.mark.parametrize(
    "numbers", [(0, 1, 2, 3), (1, 2, 3, 4), (-1, 2, 3, 4), (3e38, 3e38, 1, 1), (np.inf, 1, 0, 2)]
)
def test_divergences_of_numbers_overflow_where_those_of_eager_torch_do(numbers: tuple[float, ...]) -> None:
    firsts = (0.0, 1.0, -1.0, 1.5, 3e38, 1e-40, np.inf, -np.inf, np.nan)
    second = np.array(numbers, np.float32).reshape(1, 1, 2, 2)
    layers = [{"T1_D": np.full_like(second, first), "T3": second} for first in firsts]
    network = NetworkStatistics.from_layers(layers)
    programs = [Program.parse(f"{op}(kl_divergence(mean(T1_D), T3))") for op in ("sign", "mean")]
    np.testing.assert_allclose(
        _scalars("tile", programs, network), _scalars("eager", programs, network), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("text", "geometry"),
    [
        ("add(T1_D, T3)", Geometry(t1=(1, 4, 5, 7), t3=(4, 4, 1, 1))),
        ("sub(T3, T1_D)", Geometry(t1=(1, 4, 5, 7), t3=(3, 1, 5, 1))),
        ("mul(T1_D, T3)", Geometry(t1=(2, 4, 5, 7), t3=(1, 1, 1, 7))),
        ("hamming_distance(T3, T1_D)", Geometry(t1=(2, 4, 5, 7), t3=(1, 4, 1, 7))),
        ("kl_divergence(T3, T1_D)", Geometry(t1=(2, 4, 5, 7), t3=(2, 1, 5, 1))),
        ("cosine_similarity(T3, T1_D)", Geometry(t1=(2, 4, 5, 5), t3=(1, 4, 5, 5))),
        ("cosine_similarity(T3, T1_D)", Geometry(t1=(3, 4, 5, 5), t3=(3, 1, 1, 1))),
        ("matmul(T1_D, T3)", Geometry(t1=(1, 4, 5, 7), t3=(3, 1, 7, 2))),
        ("matmul(T1_D, T3)", Geometry(t1=(2, 1, 5, 7), t3=(1, 3, 7, 2))),
        ("matmul(T1_D, T3)", Geometry(t1=(1, 1, 5, 7), t3=(2, 3, 7, 1))),
        ("matmul(softmax(T1_D), mul(T3, T3))", Geometry(t1=(6, 4), t3=(4,))),
        ("matmul(T1_D, T3)", Geometry(t1=(4,), t3=(4,))),
        ("matmul(T1_D, T3)", Geometry(t1=(4,), t3=(2, 3, 4, 5))),
    ],
)
def test_operands_of_other_shapes_are_stretched(text: str, geometry: Geometry) -> None:
    programs = [Program.parse(text)]
    generator = np.random.default_rng(0)
    layer = {
        name: generator.standard_normal(geometry.shape(name) or ()).astype(np.float32)
        for name in programs[0].terminals
    }
    network = NetworkStatistics.from_layers([layer])
    np.testing.assert_allclose(
        _scalars("tile", programs, network), _scalars("eager", programs, network), rtol=1e-4
    )


@given(st.lists(PROGRAMS, min_size=2, max_size=8), st.data())
@settings(max_examples=60)
def test_company_changes_no_bit(programs: list[Program], data: st.DataObject) -> None:
    geometries = data.draw(st.lists(strategies_layers.geometries(max_side=3), min_size=1, max_size=3))
    programs = [program for program in programs if all(_fits(program, each) for each in geometries)]
    assume(programs)
    terminals = strategies_layers.read_by(programs)
    network = NetworkStatistics.from_layers(
        [data.draw(strategies_layers.layers(each, terminals)) for each in geometries]
    )
    together = _scalars("tile", programs, network)
    alone = np.concatenate([_scalars("tile", [program], network) for program in programs])
    np.testing.assert_array_equal(together, alone)


@given(st.lists(PROGRAMS, min_size=1, max_size=5), strategies_layers.geometries(), st.data())
@settings(max_examples=60)
def test_known_numbers_of_subtrees_change_no_bit(
    programs: list[Program], geometry: Geometry, data: st.DataObject
) -> None:
    programs = [program for program in programs if _fits(program, geometry)]
    assume(programs)
    graph = fold_roots(build_graph(programs), "mean")
    folds = [
        index
        for index, node in enumerate(graph.nodes)
        if node.name in ("mean", "l1_norm", "kl_divergence", "frobenius_norm") and index not in graph.roots
    ]
    known = data.draw(st.lists(st.sampled_from(folds), unique=True)) if folds else []
    layer = data.draw(strategies_layers.layers(geometry, strategies_layers.read_by(programs)))
    network = NetworkStatistics.from_layers([layer])
    backend = TileBackend()
    (everything,) = backend.node_scalars(graph, [network], graph.roots, {})
    rows = {
        node: [backend.node_scalars(graph, [network], [node], {})[0][0].astype(np.float32)] for node in known
    }
    (again,) = backend.node_scalars(graph, [network], graph.roots, rows)
    np.testing.assert_array_equal(again, everything)


def test_networks_together_give_what_each_gives_alone() -> None:
    graph = fold_roots(build_graph([Program.parse("exp(l1_norm(softmax(T1_D)))")]), "mean")
    geometries = [geometry_of_convolution(2, 2, 3, side=n) for n in (3, 4, 5)]
    networks = [
        NetworkStatistics.from_layers(
            [_random_layer(geometries[(i + k) % 3], 7 * i + k) for k in range(i + 1)]
        )
        for i in range(4)
    ]
    norm = next(index for index, node in enumerate(graph.nodes) if node.name == "l1_norm")
    backend = TileBackend()
    alone = [backend.node_scalars(graph, [network], [*graph.roots, norm], {})[0] for network in networks]
    together = backend.node_scalars(graph, networks, [*graph.roots, norm], {})
    known = {norm: [each[1].astype(np.float32) for each in alone]}
    from_known = backend.node_scalars(graph, networks, graph.roots, known)
    for one, other, third in zip(alone, together, from_known, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one[:1], third)


def test_geometries_of_several_plans_in_one_call_and_in_later_ones() -> None:
    # Weights of one number, and operands that are stretched or not, are planned in other ways.
    geometries = [
        geometry_of_convolution(2, 2, 3, side=4),
        Geometry(t1=(1, 2, 4, 4), t2=(1, 2, 4, 4), t3=(1, 1, 1, 1), t4=(1, 2, 4, 4)),
        Geometry(t1=(1, 2, 4, 4), t2=(1, 2, 1, 1), t3=(2, 2, 3, 3), t4=(1, 2, 4, 4)),
        geometry_of_convolution(3, 2, 1, side=5),
    ]
    programs = [Program.parse("exp(l1_norm(mul(T1_D, T2_D)))"), Program.parse("mul(T1_D, mean(sign(T3)))")]
    networks = [
        NetworkStatistics.from_layers([_random_layer(geometries[k], 9 * k + i) for k in order])
        for i, order in enumerate([[0, 0], [0, 1, 0], [2, 1, 0, 2], [3, 2, 0], [3]])
    ]
    backend = TileBackend()
    graph = fold_roots(build_graph(programs), "mean")
    for count in range(1, len(networks) + 1):
        some = networks[count - 1 :: -1]
        for network, got in zip(some, backend.node_scalars(graph, some, graph.roots, {}), strict=True):
            np.testing.assert_allclose(got, _scalars("eager", programs, network), rtol=1e-4, atol=1e-6)
            np.testing.assert_array_equal(got, _scalars("tile", programs, network))


def test_alignment_changes_no_bit() -> None:
    programs = [
        Program((name, *["T1_D"] * op.arity)) for name, op in OPS.items() if name not in ("numel", "matmul")
    ]
    values = np.random.default_rng(0).standard_normal(3 * 17 * 17).astype(np.float32)
    room = np.empty(values.size + 16, np.float32)
    found = []
    for start in (0, 1, 3, 7):
        moved = room[start : start + values.size]
        moved[:] = values
        network = NetworkStatistics.from_layers([{"T1_D": moved.reshape(1, 3, 17, 17)}])
        found.append(_scalars("tile", programs, network))
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_threads_share_a_backend() -> None:
    programs = [Program.parse(f"{name}(exp(T1_D))") for name in ("det", "softmax", "normalize", "log")]
    networks = [
        NetworkStatistics.from_layers([_random_layer(geometry_of_convolution(2, 2, 3, side=n), n)] * n)
        for n in range(3, 11)
    ]
    alone = [_scalars("tile", programs, network) for network in networks]
    backend = TileBackend()
    graph = build_graph(programs)
    with ThreadPoolExecutor(4) as pool:
        together = list(
            pool.map(lambda network: backend.layer_scalars(graph, network, ToScalar.MEAN), networks * 4)
        )
    for one, other in zip(together, alone * 4, strict=True):
        np.testing.assert_array_equal(one, other)
