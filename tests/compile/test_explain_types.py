"""The types of a program as people read them."""

from __future__ import annotations

import pytest
import strategies_layers
import strategies_programs
from hypothesis import given, settings

from eznas.compile import (
    Rejection,
    TypedNode,
    build_graph,
    explain_types,
    infer_shapes,
)
from eznas.errors import StatisticsError
from eznas.program import Program
from eznas.statistics import geometry_of_convolution
from eznas.terminals import Geometry

GEOMETRY = geometry_of_convolution(8, 8, kernel=3, side=14)


def test_each_part_stands_on_a_line_of_its_own_with_depth_and_shape() -> None:
    assert explain_types(Program.parse("mean(abs(T3G_D))"), GEOMETRY) == (
        TypedNode("mean", 0, (), None),
        TypedNode("abs", 1, (8, 8, 3, 3), None),
        TypedNode("T3G_D", 2, (8, 8, 3, 3), None),
    )


def test_the_refusing_operation_alone_carries_the_reason() -> None:
    lines = explain_types(Program.parse("mean(matmul(T3, relu(T1_D)))"), GEOMETRY)
    reason = (
        "matmul: shapes (8, 8, 3, 3) and (1, 8, 14, 14) do not multiply: "
        "the last dimension of the first is 3, the second to last of the second is 14"
    )
    assert lines == (
        TypedNode("mean", 0, None, None),
        TypedNode("matmul", 1, None, reason),
        TypedNode("T3", 2, (8, 8, 3, 3), None),
        TypedNode("relu", 2, (1, 8, 14, 14), None),
        TypedNode("T1_D", 3, (1, 8, 14, 14), None),
    )
    assert [line.type_text for line in lines[:3]] == [
        "no shape: its arguments have none",
        f"refused: {reason}",
        "(8, 8, 3, 3)",
    ]


def test_two_operations_that_refuse_the_same_shapes_both_say_so() -> None:
    lines = explain_types(Program.parse("add(det(mean(T3)), det(mean(T3)))"), GEOMETRY)
    assert [line.name for line in lines if line.refusal] == ["det", "det"]


@given(strategies_programs.programs(), strategies_layers.geometries())
@settings(max_examples=60)
def test_lines_agree_with_the_types_of_each_subtree(program: Program, geometry: Geometry) -> None:
    lines = explain_types(program, geometry)
    assert tuple(line.name for line in lines) == program.tokens
    assert max(line.depth for line in lines) == program.height
    for index, line in enumerate(lines):
        typed = infer_shapes(build_graph([program.subtree(index)]), geometry)[-1]
        assert line.shape == (None if isinstance(typed, Rejection) else typed)
        children = program.argument_indices()[index]
        assert all(lines[child].depth == line.depth + 1 for child in children)
        refuses_itself = line.shape is None and all(lines[child].shape is not None for child in children)
        assert (line.refusal is not None) == refuses_itself


def test_a_terminal_that_the_layer_does_not_hold_cannot_be_explained() -> None:
    with pytest.raises(StatisticsError, match="a program reads T4_N"):
        explain_types(Program.parse("mean(T4_N)"), Geometry(t3=(8, 8, 3, 3)))
