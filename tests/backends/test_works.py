"""Networks of which different nodes are asked, and different ones known, in one call."""

from __future__ import annotations

import numpy as np
import pytest
import strategies_layers
import strategies_programs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eznas.backends import SubtreeBackend, Work, get_backend
from eznas.compile import Graph, Rejection, build_graph, fold_roots, infer_shapes, simplify
from eznas.plan import GIVE_ONE_NUMBER, arguments_read
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry

PROGRAMS = st.lists(strategies_programs.programs(max_height=5, max_size=16), min_size=1, max_size=6)


def tile() -> SubtreeBackend:
    backend = get_backend("tile")
    assert isinstance(backend, SubtreeBackend)
    return backend


def fits(program: Program, geometry: Geometry) -> bool:
    graph = build_graph([program])
    return not isinstance(infer_shapes(graph, geometry)[graph.roots[0]], Rejection)


def nodes_read(graph: Graph) -> list[int]:
    """The nodes whose numbers the roots depend on."""
    read = set(graph.roots)
    for index in range(len(graph.nodes) - 1, -1, -1):
        if index in read:
            read.update(arguments_read(graph, index))
    return sorted(read)


@given(PROGRAMS, st.tuples(*[strategies_layers.geometries(max_side=3)] * 2), st.data())
@settings(max_examples=60)
def test_each_network_gets_the_bits_that_it_gets_alone(
    programs: list[Program], geometries: tuple[Geometry, Geometry], data: st.DataObject
) -> None:
    programs = [program for program in programs if all(fits(program, each) for each in geometries)]
    assume(programs)
    terminals = strategies_layers.read_by(programs)
    # Few layers, so that networks hold some of them twice.
    layers = [data.draw(strategies_layers.layers(geometries[index % 2], terminals)) for index in range(4)]
    networks = [
        NetworkStatistics.from_layers([layers[index] for index in chosen])
        for chosen in data.draw(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1))
    ]
    graph = simplify(fold_roots(build_graph(programs), "mean"))
    numbers = [index for index in nodes_read(graph) if graph.nodes[index].name in GIVE_ONE_NUMBER]
    everything = tile().node_scalars(graph, networks, numbers, {})
    works = []
    for place, of_network in enumerate(everything):
        nodes = data.draw(st.lists(st.sampled_from(numbers), min_size=1, unique=True), label="nodes")
        others = [number for number in numbers if number not in nodes]
        known = data.draw(st.lists(st.sampled_from(others), unique=True)) if others else []
        rows = {node: of_network[numbers.index(node)].astype(np.float32) for node in known}
        works.append(Work((place,), tuple(nodes), rows))
    asked = list(dict.fromkeys(node for work in works for node in work.nodes))
    found = tile().work_scalars(graph, networks, asked, works)
    bounds = np.cumsum([0, *map(len, networks)])
    for place, work in enumerate(works):
        for node in work.nodes:
            np.testing.assert_array_equal(
                found[asked.index(node), bounds[place] : bounds[place + 1]],
                everything[place][numbers.index(node)],
            )


@pytest.mark.parametrize("backend", ["tile", "fused", "auto"])
def test_what_is_known_of_one_network_is_computed_for_another(backend: str) -> None:
    graph = fold_roots(build_graph([Program.parse("exp(l1_norm(T1_D))")]), "mean")
    norm = next(index for index, node in enumerate(graph.nodes) if node.name == "l1_norm")
    networks = [
        NetworkStatistics.from_layers([{"T1_D": np.full((1, 1, 2, 2), fill, np.float32)}] * 2)
        for fill in (1.0, 2.0, 3.0)
    ]
    works = [
        # A claim that is not true, so that it can be told from what is computed.
        Work((0, 2), graph.roots, {norm: np.array([0.0, 0.0, 4.0, 4.0], np.float32)}),
        Work((1,), (*graph.roots, norm), {}),
    ]
    running = get_backend(backend)
    assert isinstance(running, SubtreeBackend)
    found = running.work_scalars(graph, networks, (*graph.roots, norm), works)
    np.testing.assert_allclose(found[0], np.exp([0, 0, 2, 2, 4, 4]), rtol=1e-6)
    assert found[1, 2:4].tolist() == [2.0, 2.0]
