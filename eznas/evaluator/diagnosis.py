"""Why a program has no score on a layer: the operation to blame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from eznas.backends import ToScalar
from eznas.backends.eager import node_values, to_number
from eznas.compile import Graph, Rejection, build_graph
from eznas.evaluator.scores import Failure, FailureKind
from eznas.program import AnyProgram
from eznas.statistics import NetworkStatistics


def shape_failure(program: AnyProgram, network: int, layer: int, rejection: Rejection) -> Failure:
    """The failure of a program that has no shape on a layer."""
    return Failure(
        program, network, layer, FailureKind.SHAPE, rejection.op, rejection.arguments, rejection.message
    )


def value_failure(
    program: AnyProgram,
    statistics: NetworkStatistics,
    network: int,
    layer: int,
    scalar: float,
    to_scalar: ToScalar,
) -> Failure:
    """The failure of a program whose scalar on a layer is NaN or infinite, found by running it eagerly.

    Args:
        program: A program that has a shape on the layer.
        statistics: The network.
        network: Its index, for the report.
        layer: The first layer on which the scalar is not finite.
        scalar: What the backend gave for it.
        to_scalar: How the program's tensor becomes the scalar.
    """
    kind = FailureKind.NOT_A_NUMBER if math.isnan(scalar) else FailureKind.INFINITE
    graph = build_graph([program])
    values = node_values(graph, statistics.layers[layer])
    culprit = _culprit(graph, values)
    if culprit is None:
        result = values[graph.roots[0]]
        shape = tuple(result.shape)
        message = f"the {to_scalar} of finite values of shape {shape} is {kind}"
        eager = to_number(result, to_scalar)
        if math.isfinite(eager):
            message = f"the backend gives {scalar}, the eager definition {eager}"
        return Failure(program, network, layer, kind, str(to_scalar), (shape,), message)
    node = graph.nodes[culprit]
    shapes = tuple(tuple(values[argument].shape) for argument in node.arguments)
    what = f"{node.name} of {' and '.join(map(str, shapes))} gives" if shapes else f"{node.name} holds"
    message = f"{what} {_described(values[culprit])}, which makes the score {kind}"
    return Failure(program, network, layer, kind, node.name, shapes, message)


def _culprit(graph: Graph, values: Sequence[torch.Tensor]) -> int | None:
    """Down from the root, where that is not finite, to the first node whose arguments all are.

    The way follows NaN rather than infinity, since an operation may turn an infinity into a number.
    """
    node = graph.roots[0]
    if _badness(values[node]) == 0:
        return None
    while arguments := graph.nodes[node].arguments:
        badness = [_badness(values[argument]) for argument in arguments]
        worst = max(badness)
        if worst == 0:
            break
        node = arguments[badness.index(worst)]
    return node


def _badness(value: torch.Tensor) -> int:
    """2 where the tensor holds NaN, 1 where it holds infinity, else 0."""
    if bool(value.isfinite().all()):
        return 0
    return 2 if bool(value.isnan().any()) else 1


def _described(value: torch.Tensor) -> str:
    counts = {"NaN": int(value.isnan().sum()), "infinite": int(value.isinf().sum())}
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    return f"{' and '.join(parts)} of {value.numel()} values"
