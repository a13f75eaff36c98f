"""The eager backend: every node by the torch function that defines it, one layer after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.backends.backend import Backend, ToScalar
from eznas.compile import Graph
from eznas.ops import OPS
from eznas.statistics import NetworkStatistics

_Layer = Mapping[str, NDArray[np.float32]]


class EagerBackend(Backend):
    """The definition of every result; shared subtrees are computed once a layer."""

    name = "eager"
    # Half its time on maps of 16x32x32, and two thirds on 8x14x14, does not depend on the sizes of tensors:
    # calls that take turns at the interpreter lock. 8 threads on 2 cores took 2.4 times the time of one.
    useful_threads = 4

    def layer_scalars(
        self, graph: Graph, network: NetworkStatistics, to_scalar: ToScalar
    ) -> NDArray[np.float64]:
        """See `Backend.layer_scalars`."""
        steps = _steps(graph)
        scalars = np.empty((len(graph.roots), len(network.layers)))
        with torch.inference_mode():
            for column, layer in enumerate(network.layers):
                of_node = _root_scalars(steps, layer, to_scalar)
                scalars[:, column] = [of_node[root] for root in graph.roots]
        return scalars


def node_values(graph: Graph, layer: _Layer) -> list[torch.Tensor]:
    """The tensor of every node on a layer on which all of them have shapes."""
    values: list[torch.Tensor | None] = [None] * len(graph.nodes)
    with torch.inference_mode():
        return [_run(step, layer, values) for step in _steps(graph)]


def to_number(value: torch.Tensor, to_scalar: ToScalar) -> float:
    """The scalar of the tensor that a program gives for a layer."""
    if to_scalar is ToScalar.MEAN and value.numel() == 1:
        return value.item()
    return OPS[to_scalar.op].eager(value).item()


class _Step(NamedTuple):
    """A node with all that can be looked up before the layers are met."""

    node: int
    name: str
    function: Callable[..., torch.Tensor] | None
    """None for a terminal."""
    arguments: tuple[int, ...]
    is_root: bool
    spent: tuple[int, ...]
    """The nodes whose tensors nothing reads later."""


def _steps(graph: Graph) -> list[_Step]:
    roots, last_used_by = set(graph.roots), graph.last_used_by
    return [
        _Step(
            index,
            node.name,
            None if node.is_terminal else OPS[node.name].eager,
            node.arguments,
            index in roots,
            last_used_by[index],
        )
        for index, node in enumerate(graph.nodes)
    ]


def _root_scalars(steps: Sequence[_Step], layer: _Layer, to_scalar: ToScalar) -> dict[int, float]:
    values: list[torch.Tensor | None] = [None] * len(steps)
    scalars = {}
    for step in steps:
        value = _run(step, layer, values)
        if step.is_root:
            scalars[step.node] = to_number(value, to_scalar)
        for spent in step.spent:
            # Thousands of programs on one layer would otherwise hold gigabytes.
            values[spent] = None
    return scalars


def _run(step: _Step, layer: _Layer, values: list[torch.Tensor | None]) -> torch.Tensor:
    if step.function is None:
        # Matrix routines round differently for other alignments of the same numbers; torch's own memory is
        # always aligned, that of arrays by chance.
        value = torch.tensor(layer[step.name])
    else:
        value = step.function(*[values[argument] for argument in step.arguments])
    values[step.node] = value
    return value
