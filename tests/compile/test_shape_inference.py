"""Static types: they agree with what eager torch does, on success and on failure."""

from __future__ import annotations

import pytest
import strategies_layers
import strategies_programs
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.compile import Rejection, build_graph, infer_shapes
from eznas.errors import StatisticsError
from eznas.ops import OPS, Op
from eznas.program import Program
from eznas.terminals import Geometry

SMALL = strategies_programs.programs(max_height=2, max_size=6)

GEOMETRY = Geometry(t1=(1, 8, 14, 14), t2=(1, 8, 14, 14), t3=(8, 8, 3, 3), t4=(1, 8, 14, 14))


def _assert_types_agree(program: Program, geometry: Geometry) -> None:
    """Run every node by torch, as far as torch goes, and compare with its static type."""
    graph = build_graph([program])
    typed = infer_shapes(graph, geometry)
    assert len(typed) == len(graph.nodes)
    values: dict[int, torch.Tensor] = {}
    for index, (node, found) in enumerate(zip(graph.nodes, typed, strict=True)):
        if node.is_terminal:
            values[index] = torch.ones(geometry.shape(node.name) or ())
        elif all(argument in values for argument in node.arguments):
            arguments = [values[argument] for argument in node.arguments]
            if isinstance(found, Rejection):
                with pytest.raises((RuntimeError, IndexError)):
                    OPS[node.name].eager(*arguments)
                assert found.op == node.name
                assert found.arguments == tuple(tuple(argument.shape) for argument in arguments)
                continue
            values[index] = OPS[node.name].eager(*arguments)
        else:
            assert found in [typed[argument] for argument in node.arguments]
            assert isinstance(found, Rejection)
            continue
        assert found == tuple(values[index].shape), (program, geometry, node)


@given(strategies_programs.programs(max_height=7), strategies_layers.geometries())
@settings(max_examples=150)
def test_types_of_whole_programs_agree_with_torch(program: Program, geometry: Geometry) -> None:
    _assert_types_agree(program, geometry)


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
@given(data=st.data())
@settings(max_examples=12)
def test_types_of_every_operation_agree_with_torch(op: Op, data: st.DataObject) -> None:
    arguments = [data.draw(SMALL) for _ in range(op.arity)]
    program = Program((op.name, *(token for argument in arguments for token in argument.tokens)))
    _assert_types_agree(program, data.draw(strategies_layers.geometries()))


def test_a_rejection_names_op_shapes_and_reason_and_is_inherited() -> None:
    program = Program.parse("mean(exp(add(sigmoid(T3), T1_D)))")
    typed = infer_shapes(build_graph([program]), GEOMETRY)
    rejection = typed[-1]
    assert isinstance(rejection, Rejection)
    assert (rejection.op, rejection.arguments) == ("add", ((8, 8, 3, 3), (1, 8, 14, 14)))
    assert rejection.message.startswith("add: shapes (8, 8, 3, 3) and (1, 8, 14, 14) do not broadcast")
    assert typed[-3:] == (rejection,) * 3


def test_of_two_rejections_the_first_argument_gives_the_reason() -> None:
    program = Program.parse("sub(det(T1_D), det(T3))")
    odd = Geometry(t1=(1, 8, 14, 7), t3=(8, 8, 3, 1))
    rejection = infer_shapes(build_graph([program]), odd)[-1]
    assert isinstance(rejection, Rejection)
    assert rejection.arguments == ((1, 8, 14, 7),)


def test_a_terminal_that_the_layer_does_not_hold_is_an_error() -> None:
    with pytest.raises(StatisticsError, match="a program reads T3, which the layer of geometry"):
        infer_shapes(build_graph([Program.parse("mean(T3)")]), Geometry(t1=(1, 8, 14, 14)))
