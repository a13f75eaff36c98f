"""Sequential programs in the graph: the same bits as running their instructions one after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import strategies_layers
import strategies_programs
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from strategies_sequential import doublings, sequential_programs

from eznas.backends.eager import node_values
from eznas.compile import (
    Rejection,
    ShapeTable,
    build_graph,
    explain_instructions,
    fold_roots,
    infer_shapes,
    simplify,
)
from eznas.errors import ShapeError
from eznas.plan import make_plan
from eznas.program import SequentialProgram
from eznas.statistics import geometry_of_convolution
from eznas.terminals import TERMINALS, Geometry

GEOMETRY = geometry_of_convolution(3, 3, kernel=3, side=4)
ADDRESSES = dict(zip(TERMINALS, range(22), strict=True))


def run_instructions(
    program: SequentialProgram, layer: Mapping[str, NDArray[np.floating]]
) -> torch.Tensor | None:
    """Everything that the instructions write, dead ones too; None where the result has no shape.

    What an operation refuses leaves nothing at its address, and what reads nothing writes nothing.
    """
    memory: dict[int, torch.Tensor | None] = {
        ADDRESSES[name]: torch.tensor(values) for name, values in layer.items()
    }
    for instruction in program.instructions:
        arguments = [memory[address] for address in instruction.reads]
        memory[instruction.output] = _result(instruction.op, arguments)
    return memory[program.instructions[-1].output]


def _result(op, arguments: list[torch.Tensor | None]) -> torch.Tensor | None:
    if any(argument is None for argument in arguments):
        return None
    try:
        op.shape(*(tuple(argument.shape) for argument in arguments))
    except ShapeError:
        return None
    return op.eager(*arguments)


def read_by_any_instruction(program: SequentialProgram) -> list[str]:
    read = {address for instruction in program.instructions for address in instruction.reads}
    return [name for name, address in ADDRESSES.items() if address in read]


@given(sequential_programs(), strategies_layers.geometries(), st.data())
@settings(max_examples=120)
def test_lowering_gives_the_bits_of_the_instructions(
    program: SequentialProgram, geometry: Geometry, data: st.DataObject
) -> None:
    layer = data.draw(strategies_layers.layers(geometry, read_by_any_instruction(program)))
    expected = run_instructions(program, layer)
    for graph in (build_graph([program]), build_graph([program.without_dead_code()])):
        shapes = infer_shapes(graph, geometry)
        assert isinstance(shapes[graph.roots[0]], Rejection) == (expected is None)
        if expected is None:
            continue
        got = node_values(graph, layer)[graph.roots[0]].numpy()
        np.testing.assert_array_equal(got, expected.numpy())
        numbers = ~np.isnan(got)
        np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(expected.numpy()[numbers]))


@given(sequential_programs(max_length=6), st.lists(strategies_programs.programs(max_height=4), max_size=3))
def test_a_small_program_is_the_node_of_its_tree(program, others):
    tree = program.as_tree(largest=10_000)
    alone = build_graph([tree, program])
    assert len(alone.nodes) == len(build_graph([tree]).nodes)
    graph = build_graph([*others, tree.canonical(), program.canonical()])
    assert graph.roots[-1] == graph.roots[-2]
    assert len(graph.nodes) == len(build_graph([*others, tree]).nodes)


@given(st.lists(strategies_programs.programs(max_height=4, max_size=20), max_size=4))
def test_a_tree_gives_the_same_nodes_as_its_steps(trees):
    class Steps:
        """A program that is no tree, so that it is added by its steps."""

        def __init__(self, tree):
            self.steps = tree.steps

    assert build_graph(list(map(Steps, trees))) == build_graph(trees)


@pytest.mark.parametrize("count", [60, 500])
def test_doublings_are_lowered_typed_simplified_and_planned_without_their_tree(count):
    program = doublings(count)
    graph = build_graph([program])
    assert len(graph.nodes) == count + 3
    assert infer_shapes(graph, GEOMETRY)[graph.roots[0]] == ()
    simple = simplify(fold_roots(graph, "mean"))
    assert len(simple.nodes) <= count + 4
    table = ShapeTable([GEOMETRY])
    assert make_plan(simple, table.infer(simple)) is not None


def test_instructions_are_explained_with_shapes_and_what_is_dead():
    program = SequentialProgram.parse("d0 = abs(T3); d1 = exp(T1_D); s0 = mean(d0); d2 = mul(T3, s0)")
    typed = explain_instructions(program, GEOMETRY)
    assert [each.text for each in typed] == str(program).split("; ")
    assert [each.type_text for each in typed] == ["(3, 3, 3, 3)", "dead", "()", "(3, 3, 3, 3)"]


def test_a_refusal_is_told_once_with_its_reason():
    program = SequentialProgram.parse("d0 = add(T1_D, T3); s0 = mean(d0)")
    first, second = explain_instructions(program, GEOMETRY)
    assert (first.shape, second.shape, second.refusal) == (None, None, None)
    assert first.type_text.startswith("refused: add")
    assert second.type_text == "no shape: its arguments have none"


def test_deep_towers_that_differ_at_the_bottom_stand_in_one_order():
    towers = "d0 = exp(T3); d1 = exp(T1_D); "
    grown = towers + "d0 = mul(d0, d0); d1 = mul(d1, d1); " * 60
    orders = [
        simplify(build_graph([SequentialProgram.parse(f"{grown}d2 = add({order})")]))
        for order in ("d0, d1", "d1, d0")
    ]
    root = [graph.nodes[graph.roots[0]] for graph in orders]
    names = []
    for graph, node in zip(orders, root, strict=True):
        index = node.arguments[0]
        while graph.nodes[index].arguments:
            index = graph.nodes[index].arguments[0]
        names.append(graph.nodes[index].name)
    assert names == ["T1_D", "T1_D"]


def test_the_comparison_would_find_a_wrong_lowering():
    layer = {"T3": np.array([1.0, -2.0], np.float32)}
    program = SequentialProgram.parse("d0 = abs(T3); d0 = exp(T3); d1 = sign(d0)")
    other = SequentialProgram.parse("d0 = abs(T3); d0 = exp(T3); d1 = square(d0)")
    graph = build_graph([other])
    got = node_values(graph, layer)[graph.roots[0]]
    assert not torch.equal(got, run_instructions(program, layer))
