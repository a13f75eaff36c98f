"""Whether the number that an artefact gives for a layer is the evaluator's.

Any two correct float32 programs differ where a value is zero by construction or a matrix is singular, so that
float64 decides: a number may be as far from it as rounding moves eager torch's own, and a bit more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.compile import Graph
from eznas.ops import OPS

Layer = Mapping[str, NDArray[np.float32]]

TOLERANCE: Final = 1e-4
"""Allowed difference, relative to the number itself plus the mean absolute value of what it is a mean of."""

LENIENCY: Final = 10.0
"""How many times further from float64 than rounding moves it an ill-conditioned number may lie."""

LARGEST_RATIO: Final = 2.0**18
"""Of eigenvalues in float32: a sum of some 64 products is off by 2**-18 of the largest."""

_NOISE: Final = 2.0**-22  # twice the spacing of float32 numbers at 1
_DRAWS: Final = 16
_MATRIX_OPERATIONS: Final = frozenset({"matmul", "det", "logdet", "eig_ratio", "sym_eig_ratio"})
_EXACT_OPERATIONS: Final = frozenset(
    {
        "less", "greater", "equal", "abs", "relu", "sign", "heaviside", "ones_like", "zeros_like",
        "greater_than_zero", "less_than_zero", "numel", "hamming_distance",
    }
)  # fmt: skip


def agrees(graph: Graph, layer: Layer, expected: float, got: float) -> bool:
    """Whether a number is right for a layer.

    Args:
        graph: One program down to its number; see `layer_graph`.
        layer: The statistics that it reads.
        expected: The number in eager float32; NaN and infinity are numbers here.
        got: The number to judge.
    """
    if _distance(got, expected) <= TOLERANCE * abs(expected):
        return True
    with torch.inference_mode():
        values = _values(graph, layer)
        truth, size = _number_and_size(graph, values)
        if _distance(got, expected) <= TOLERANCE * (abs(expected) + size):
            return True
        if any(_is_singular(node.name, value) for node, value in zip(graph.nodes, values, strict=True)):
            return True
        doubt = _distance(expected, truth)
        for draw in range(_DRAWS):
            noise = torch.Generator().manual_seed(draw)
            shaken, _ = _number_and_size(graph, _values(graph, layer, noise))
            doubt = max(doubt, _distance(shaken, truth))
    allowed = TOLERANCE * (abs(truth) + size) if np.isfinite(truth) else 0.0
    return _distance(got, truth) <= max(allowed, LENIENCY * doubt)


def _is_singular(name: str, value: torch.Tensor) -> bool:
    """Whether an eigenvalue that is divided by is zero up to rounding, so that the ratio is anything."""
    return name == "sym_eig_ratio" and bool(value.abs() >= LARGEST_RATIO)


def _distance(one: float, other: float) -> float:
    """The distance; infinite between numbers of which one is not finite, unless they are the same."""
    if one == other or (np.isnan(one) and np.isnan(other)):
        return 0.0
    distance = abs(one - other)
    return np.inf if np.isnan(distance) else distance


def _number_and_size(graph: Graph, values: list[torch.Tensor]) -> tuple[float, float]:
    root = graph.roots[0]
    number = float(values[root])
    while graph.nodes[root].name == "mean":
        (root,) = graph.nodes[root].arguments
    sizes = values[root].abs()
    finite = sizes[torch.isfinite(sizes)]
    return number, float(finite.mean()) if finite.numel() else 0.0


def _values(graph: Graph, layer: Layer, noise: torch.Generator | None = None) -> list[torch.Tensor]:
    """Every node in float64; with noise, as if every operation that rounds were off by as much."""
    values: list[torch.Tensor] = []
    for node in graph.nodes:
        if node.is_terminal:
            values.append(torch.tensor(layer[node.name], dtype=torch.float64))
            continue
        arguments = [values[argument] for argument in node.arguments]
        if noise is not None and node.name in _MATRIX_OPERATIONS:
            # They round within: as if their arguments were rounded before.
            arguments = [_shaken(argument, noise) for argument in arguments]
        value = OPS[node.name].eager(*arguments)
        if noise is not None and node.name not in _EXACT_OPERATIONS:
            value = _shaken(value, noise)
        values.append(value)
    return values


def _shaken(value: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
    drawn = torch.randn(value.shape, generator=noise, dtype=value.dtype)
    # Not zero times infinity, which would be NaN.
    return torch.where(torch.isfinite(value), value * (1 + _NOISE * drawn), value)
