"""Networks and programs for the evaluator's tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eznas.program import Program
from eznas.statistics import NetworkStatistics, geometry_of_convolution
from eznas.terminals import TERMINALS, Geometry

SQUARE = geometry_of_convolution(3, 3, kernel=3, side=4)
STRIDED = Geometry(t1=(1, 3, 4, 6), t2=(1, 3, 4, 6), t3=(6, 3, 1, 1), t4=(1, 6, 2, 3))


def programs(*texts: str) -> list[Program]:
    return [Program.parse(text) for text in texts]


def layer(**terminals: ArrayLike) -> dict[str, NDArray[np.float32]]:
    """A layer with the given values, such as `layer(T3=[[1, 2]])`."""
    return {name: np.asarray(values, np.float32) for name, values in terminals.items()}


def network(*layers: dict[str, NDArray[np.float32]]) -> NetworkStatistics:
    return NetworkStatistics.from_layers(layers)


def random_network(
    seed: int, geometries: Sequence[Geometry] = (SQUARE, STRIDED, SQUARE)
) -> NetworkStatistics:
    """All 22 statistics, normally distributed."""
    generator = np.random.default_rng(seed)
    return network(
        *(
            {name: generator.standard_normal(geometry.shape(name) or (), np.float32) for name in TERMINALS}
            for geometry in geometries
        )
    )


FIVE_NETWORKS = [random_network(seed) for seed in range(4)] + [random_network(4, [SQUARE])]
