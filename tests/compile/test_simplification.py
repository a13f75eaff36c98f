"""Rewritten graphs give the same bits, and are smaller."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import strategies_layers
import strategies_programs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import SPECIALS

from eznas.backends.eager import node_values
from eznas.compile import Graph, Rejection, build_graph, infer_shapes, simplify
from eznas.program import Program
from eznas.terminals import Geometry

REWRITTEN = (
    "relu", "sign", "heaviside", "greater_than_zero", "less_than_zero", "abs", "square", "log", "abs_log",
    "less", "greater", "equal", "mul", "add", "l1_norm", "mean", "frobenius_norm", "hamming_distance", "exp",
    "sigmoid", "reciprocal", "ones_like", "numel",
)  # fmt: skip
PROGRAMS = st.one_of(
    strategies_programs.programs(max_height=6, max_size=24),
    strategies_programs.programs(max_height=8, max_size=24, operations=REWRITTEN, terminals=["T1_D", "T3"]),
)


def text_of(graph: Graph, node: int) -> str:
    """The program that ends in a node."""
    found = graph.nodes[node]
    arguments = ", ".join(text_of(graph, argument) for argument in found.arguments)
    return f"{found.name}({arguments})" if arguments else found.name


def simplified(text: str) -> str:
    graph = simplify(build_graph([Program.parse(text)]))
    return text_of(graph, graph.roots[0])


@given(st.lists(PROGRAMS, min_size=1, max_size=4), strategies_layers.geometries(), st.data())
@settings(max_examples=400)
def test_no_bit_changes(programs: list[Program], geometry: Geometry, data: st.DataObject) -> None:
    graph = build_graph(programs)
    shapes = infer_shapes(graph, geometry)
    graph = graph.select([i for i, root in enumerate(graph.roots) if not isinstance(shapes[root], Rejection)])
    assume(graph.roots)
    layer = data.draw(strategies_layers.layers(geometry, strategies_layers.read_by(programs)))
    other = simplify(graph)
    assert len(other.nodes) <= len(graph.nodes)
    before, after = node_values(graph, layer), node_values(other, layer)
    for root, moved in zip(graph.roots, other.roots, strict=True):
        expected, got = before[root].numpy(), after[moved].numpy()
        np.testing.assert_array_equal(got, expected)
        numbers = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(expected[numbers]))


@given(PROGRAMS, st.lists(PROGRAMS, max_size=3))
def test_company_does_not_matter(program: Program, others: list[Program]) -> None:
    alone = simplify(build_graph([program.canonical()]))
    together = simplify(build_graph([*[other.canonical() for other in others], program.canonical()]))
    assert text_of(together, together.roots[-1]) == text_of(alone, alone.roots[0])


@given(PROGRAMS)
def test_what_is_simple_stays(program: Program) -> None:
    once = simplify(build_graph([program]))
    assert simplify(once) == once


REWRITES = [
    ("greater_than_zero(T3)", "heaviside(T3)"),
    ("heaviside(relu(sign(T3)))", "heaviside(T3)"),
    ("sign(relu(T3))", "heaviside(T3)"),
    ("abs(square(exp(T3)))", "square(exp(T3))"),
    ("relu(relu(T3))", "relu(T3)"),
    ("abs(relu(T3))", "abs(relu(T3))"),
    ("log(heaviside(exp(T3)))", "zeros_like(T3)"),
    ("log(sign(T3))", "zeros_like(T3)"),
    ("abs_log(mul(less(T3, T1_D), sign(T1_D)))", "zeros_like(mul(less(T3, T1_D), sign(T1_D)))"),
    ("log(abs(square(sign(T3))))", "zeros_like(T3)"),
    ("exp(sign(T3))", "exp(sign(T3))"),
    ("log(add(T3, sign(T3)))", "log(add(T3, sign(T3)))"),
    ("relu(sign(exp(T3)))", "heaviside(exp(T3))"),
    ("relu(sign(T3))", "heaviside(T3)"),
    ("log(relu(T3))", "log(T3)"),
    ("abs_log(relu(T3))", "log(T3)"),
    ("less_than_zero(relu(T3))", "zeros_like(T3)"),
    ("log(abs(T3))", "abs_log(T3)"),
    ("abs_log(exp(T3))", "log(exp(T3))"),
    ("less_than_zero(sigmoid(T3))", "zeros_like(T3)"),
    ("l1_norm(add(exp(T3), square(T3)))", "mean(add(exp(T3), square(T3)))"),
    ("greater(T1_D, T3)", "less(T3, T1_D)"),
    ("less(T3, T3)", "zeros_like(T3)"),
    ("hamming_distance(sign(T3), relu(T1_D))", "hamming_distance(T1_D, T3)"),
    ("numel(log(mean(exp(T3))))", "numel(mean(exp(T3)))"),
]


@pytest.mark.parametrize(("text", "expected"), REWRITES)
def test_the_rewrites(text: str, expected: str) -> None:
    assert simplified(text) == expected


@pytest.mark.parametrize("text", [text for text, _ in REWRITES])
def test_the_rewrites_change_no_bit_of_special_values(text: str) -> None:
    pairs = np.array(list(itertools.product(SPECIALS, SPECIALS)), np.float32).T.reshape(2, -1, 1)
    layer = dict(zip(("T1_D", "T3"), pairs, strict=True))
    graph = build_graph([Program.parse(text)])
    other = simplify(graph)
    before, after = (node_values(each, layer)[each.roots[0]].numpy() for each in (graph, other))
    np.testing.assert_array_equal(after.view(np.int32), before.view(np.int32))


def test_the_comparison_would_find_a_wrong_rewrite() -> None:
    layer = {"T3": np.array([-0.0, -1.0], np.float32)}
    absolute, relu = (build_graph([Program.parse(f"{name}(relu(T3))")]) for name in ("abs", "relu"))
    one, other = (node_values(graph, layer)[graph.roots[0]].numpy() for graph in (absolute, relu))
    assert (np.signbit(one) != np.signbit(other)).any()
