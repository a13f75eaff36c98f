"""Layers that hold the same tensors: what depends on these alone is computed once, with the same result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import strategies_layers
import strategies_programs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eznas.backends import ToScalar, get_backend
from eznas.compile import Rejection, build_graph, infer_shapes
from eznas.program import Program
from eznas.statistics import NetworkStatistics, geometry_of_convolution
from eznas.terminals import Geometry
from eznas_kernels.repeats import find_repeats

PROGRAMS = st.lists(strategies_programs.programs(max_height=5, max_size=16), min_size=1, max_size=8)
LAYERS = 6

Layer = dict[str, NDArray[np.float32]]


def _scalars(programs: Sequence[Program], layers: Sequence[Layer]) -> NDArray[np.float64]:
    network = NetworkStatistics.from_layers(layers)
    return get_backend("tile").layer_scalars(build_graph(programs), network, ToScalar.MEAN)


def _fits(program: Program, geometries: Sequence[Geometry]) -> bool:
    graph = build_graph([program])
    return not any(isinstance(infer_shapes(graph, each)[graph.roots[0]], Rejection) for each in geometries)


@given(PROGRAMS, st.tuples(*[strategies_layers.geometries(max_side=3)] * 2), st.data())
@settings(max_examples=150)
def test_shared_tensors_give_the_bits_that_copies_give(
    programs: list[Program], geometries: tuple[Geometry, Geometry], data: st.DataObject
) -> None:
    programs = [program for program in programs if _fits(program, geometries)]
    assume(programs)
    terminals = strategies_layers.read_by(programs)
    kinds = data.draw(st.lists(st.integers(0, 1), min_size=LAYERS, max_size=LAYERS), label="geometries")
    choices = st.lists(st.integers(0, 2), min_size=LAYERS, max_size=LAYERS)
    shared: list[Layer] = [{} for _ in range(LAYERS)]
    for name in terminals:
        drawn: dict[tuple[int, int], NDArray[np.float32]] = {}
        for layer, (kind, choice) in enumerate(zip(kinds, data.draw(choices, label=name), strict=True)):
            if (kind, choice) not in drawn:
                drawn[kind, choice] = data.draw(
                    strategies_layers.layers(geometries[kind], [name]), label=f"{name} {kind} {choice}"
                )[name]
            shared[layer][name] = drawn[kind, choice]
    copied = [{name: array.copy() for name, array in layer.items()} for layer in shared]
    np.testing.assert_array_equal(_scalars(programs, shared), _scalars(programs, copied))


def test_numbers_of_equal_tensors_are_computed_once() -> None:
    geometry = geometry_of_convolution(2, 2, 3, side=4)
    layers = [
        _filled_layer(geometry, ["T1_D", "T4_D"], fill) for fill in ((1.0, 1.0), (2.0, 3.0), (5.0, 7.0))
    ]
    network = NetworkStatistics.from_layers(layers)
    # A claim that is not true, so that only what was not computed again can differ.
    network._first_layers["T1_D"] = np.array([0, 1, 0])
    programs = [Program.parse(text) for text in ("T1_D", "T4_D", "mul(l1_norm(T1_D), T4_D)")]
    found = get_backend("tile").layer_scalars(build_graph(programs), network, ToScalar.MEAN)
    np.testing.assert_array_equal(found, [[1, 2, 1], [1, 3, 7], [1, 6, 7]])


def _filled_layer(geometry: Geometry, names: Sequence[str], numbers: Sequence[float]) -> Layer:
    """A layer whose tensors hold one number each."""
    return {
        name: np.full(geometry.shape(name) or (), number, np.float32)
        for name, number in zip(names, numbers, strict=True)
    }


@given(st.data(), st.integers(1, 4), st.integers(1, 5), st.integers(1, 12))
@settings(max_examples=100)
def test_repeats_are_found_as_by_comparing_every_pair(
    data: st.DataObject, terminals: int, sets: int, layers: int
) -> None:
    tensors = np.array(
        data.draw(st.lists(st.tuples(*[st.integers(0, 3)] * terminals), min_size=layers, max_size=layers))
    ).T.copy()
    dependencies = np.array(
        data.draw(st.lists(st.tuples(*[st.booleans()] * terminals), min_size=sets, max_size=sets)), np.bool_
    )
    dependencies[:, 0] |= ~dependencies.any(axis=1)
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, layers - 1), min_size=1))), np.int64)
    first_layers = np.array([[list(row).index(tensor) for tensor in row] for row in tensors], np.int64)
    repeated = np.full((sets, chosen.size), -1, np.int64)
    kinds, examples = np.full((2, chosen.size), -1, np.int64)
    found = find_repeats(first_layers, dependencies, chosen, repeated, kinds, examples)
    for row, members in enumerate(dependencies):
        seen = [tuple(tensors[members, layer]) for layer in chosen]
        assert repeated[row].tolist() == [seen.index(each) for each in seen]
    is_repeated = repeated != np.arange(chosen.size)
    assert found == len({tuple(column) for column in is_repeated.T})
    for place, kind in enumerate(kinds):
        assert is_repeated[:, place].tolist() == is_repeated[:, examples[kind]].tolist()


@pytest.mark.parametrize("backend", ["tile", "fused"])
def test_layers_of_other_networks_are_not_taken_for_equal(backend: str) -> None:
    geometry = geometry_of_convolution(2, 2, 3, side=4)
    networks = [
        NetworkStatistics.from_layers([_filled_layer(geometry, ["T1_D"], [fill])] * 2) for fill in (3.0, 4.0)
    ]
    graph = build_graph([Program.parse("mean(T1_D)")])
    found = get_backend(backend).node_scalars(graph, networks, graph.roots, {})  # type: ignore[attr-defined]
    assert [each.tolist() for each in found] == [[[3.0, 3.0]], [[4.0, 4.0]]]
