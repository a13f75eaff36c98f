"""The population graph: equal subtrees are one node, in an order that can be run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import strategies
import strategies_programs
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.compile import Graph, build_graph
from eznas.ops import OPS, Op
from eznas.program import Program

FEW_NAMES = {"terminals": ["T3", "T1_D"], "operations": ["add", "sub", "mul", "matmul", "abs", "mean"]}
"""Names so few that random programs share subtrees."""

SHARING_PROGRAMS = st.lists(strategies_programs.programs(max_height=4, max_size=20, **FEW_NAMES), max_size=6)

COMMUTATIVE = [op for op in OPS.values() if op.commutative]


def _unfolded(graph: Graph, node: int) -> tuple[str, ...]:
    """The tokens of the tree that a node stands for."""
    arguments = graph.nodes[node].arguments
    return (
        graph.nodes[node].name,
        *(token for argument in arguments for token in _unfolded(graph, argument)),
    )


def _canonical_subtrees(programs: Sequence[Program]) -> set[tuple[str, ...]]:
    return {
        program.subtree(index).canonical().tokens for program in programs for index in range(program.size)
    }


def _naive_last_uses(graph: Graph) -> list[set[int]]:
    def last_reader(node: int) -> int:
        return max(
            (reader for reader, each in enumerate(graph.nodes) if node in each.arguments), default=node
        )

    nodes = range(len(graph.nodes))
    return [{node for node in nodes if last_reader(node) == reader} for reader in nodes]


@given(SHARING_PROGRAMS)
@settings(max_examples=60)
def test_there_is_one_node_for_each_distinct_subtree(programs: list[Program]) -> None:
    graph = build_graph(programs)
    assert len(graph.nodes) == len(_canonical_subtrees(programs))


@given(SHARING_PROGRAMS)
@settings(max_examples=60)
def test_every_root_unfolds_to_its_program(programs: list[Program]) -> None:
    graph = build_graph(programs)
    assert len(graph.roots) == len(programs)
    for program, root in zip(programs, graph.roots, strict=True):
        assert Program(_unfolded(graph, root)).canonical() == program.canonical()


@given(SHARING_PROGRAMS)
@settings(max_examples=40)
def test_arguments_stand_before_their_readers(programs: list[Program]) -> None:
    for index, node in enumerate(build_graph(programs).nodes):
        assert all(argument < index for argument in node.arguments)
        assert len(node.arguments) == (0 if node.is_terminal else OPS[node.name].arity)


@given(SHARING_PROGRAMS)
@settings(max_examples=40)
def test_each_node_is_let_go_by_its_last_reader(programs: list[Program]) -> None:
    graph = build_graph(programs)
    assert [set(nodes) for nodes in graph.last_used_by] == _naive_last_uses(graph)


@given(SHARING_PROGRAMS)
@settings(max_examples=40)
def test_canonical_programs_keep_their_order_of_arguments_in_any_company(programs: list[Program]) -> None:
    canonical = [program.canonical() for program in programs]
    graph = build_graph(canonical)
    assert [_unfolded(graph, root) for root in graph.roots] == [program.tokens for program in canonical]


@given(SHARING_PROGRAMS, st.data())
@settings(max_examples=60)
def test_a_selection_is_the_graph_of_its_programs_alone(programs: list[Program], data: st.DataObject) -> None:
    canonical = [program.canonical() for program in programs]
    chosen = data.draw(
        st.lists(st.sampled_from(range(len(programs))), max_size=4) if programs else st.just([])
    )
    selected = build_graph(canonical).select(chosen)
    assert [_unfolded(selected, root) for root in selected.roots] == [canonical[i].tokens for i in chosen]
    assert len(selected.nodes) == len(_canonical_subtrees([canonical[index] for index in chosen]))
    assert [set(nodes) for nodes in selected.last_used_by] == _naive_last_uses(selected)


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.arity == 2], ids=lambda op: op.name)
def test_swapped_arguments_are_one_node_for_commutative_operations_alone(op: Op) -> None:
    graph = build_graph([Program((op.name, "T1_D", "T3")), Program((op.name, "T3", "T1_D"))])
    assert (graph.roots[0] == graph.roots[1]) == op.commutative


def test_swaps_deep_inside_are_found() -> None:
    texts = ["mean(add(mul(T3, T1_D), T2_D))", "mean(add(T2_D, mul(T1_D, T3)))", "mean(sub(T2_D, T3))"]
    graph = build_graph([Program.parse(text) for text in texts])
    assert graph.roots[0] == graph.roots[1] != graph.roots[2]
    assert graph.terminals == {"T1_D", "T2_D", "T3"}


def test_one_program_may_be_a_part_of_another() -> None:
    graph = build_graph([Program.parse("mean(abs(T3))"), Program.parse("abs(T3)"), Program.parse("T3")])
    assert [node.name for node in graph.nodes] == ["T3", "abs", "mean"]
    assert graph.roots == (2, 1, 0)


def test_no_programs_make_an_empty_graph() -> None:
    graph = build_graph([])
    assert (graph.nodes, graph.roots, graph.last_used_by, graph.terminals) == ((), (), (), set())


def test_the_largest_programs_need_no_recursion() -> None:
    deep = Program(("abs",) * 200 + ("T3",))
    wide = Program(("add", "T3") * 190 + ("T3",))
    graph = build_graph([deep, wide])
    assert len(graph.nodes) == 1 + 200 + 190


@pytest.mark.parametrize("op", COMMUTATIVE, ids=lambda op: op.name)
@given(data=st.data())
@settings(max_examples=25)
def test_swapping_the_arguments_of_a_commutative_operation_gives_the_same_bits(
    op: Op, data: st.DataObject
) -> None:
    a, b = (torch.from_numpy(array) for array in data.draw(strategies.arguments(op.name, 2, np.float32)))
    one, other = op.eager(a, b), op.eager(b, a)
    assert one.stride() == other.stride()
    np.testing.assert_array_equal(one.numpy(), other.numpy())
