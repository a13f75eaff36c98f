"""What a backend is: it turns a graph of programs and a network into scalars, one a program and layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from eznas.compile import Graph, GrowingTable
from eznas.statistics import NetworkStatistics


class ToScalar(StrEnum):
    """How the tensor that a program gives for a layer becomes one number."""

    MEAN = "mean"
    L2_NORM = "l2"

    @property
    def op(self) -> str:
        """The operation that defines it."""
        return "mean" if self is ToScalar.MEAN else "frobenius_norm"


class Backend(ABC):
    """Computes programs on layers; it keeps no results, but may keep plans and compiled code.

    Backends are called from several threads at once, one network each, with torch set to one thread.
    """

    name: ClassVar[str]
    useful_threads: ClassVar[int | None] = None
    """How many threads pay at most; None where every processor does."""

    @abstractmethod
    def layer_scalars(
        self, graph: Graph, network: NetworkStatistics, to_scalar: ToScalar
    ) -> NDArray[np.float64]:
        """The scalar of each program on each layer, (programs, layers): NaN and infinity included.

        Args:
            graph: Programs that have a shape on every layer of the network; see `infer_shapes`.
            network: The layers.
            to_scalar: The mean or the L2 norm of what a program gives.
        """


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of networks of which the same is known."""

    networks: tuple[int, ...]
    """Their places among the networks of a call."""
    nodes: tuple[int, ...]
    """The nodes to compute."""
    known: Mapping[int, NDArray[np.float32]]
    """For other nodes their numbers on the layers of these networks, one after the other; they are not
    computed again."""


class SubtreeBackend(Backend):
    """A backend that takes and gives the numbers of any nodes, so that they can be kept between calls."""

    shapes: GrowingTable
    """What is known of shapes; others who infer those of the same programs may share it."""

    @abstractmethod
    def work_scalars(
        self,
        graph: Graph,
        networks: Sequence[NetworkStatistics],
        nodes: Sequence[int],
        works: Sequence[Work],
    ) -> NDArray[np.float64]:
        """The number of each node on each layer of the networks, one after the other: (nodes, layers).

        Args:
            graph: Programs whose roots are single numbers; see `fold_roots`.
            networks: The networks; a call of many small ones takes less time than many calls.
            nodes: Nodes that are single numbers wherever they have a shape.
            works: Which of them are computed on which networks, where they have a shape on all layers; each
                network has its place in one work. For other nodes any number may be given.
        """

    def node_scalars(
        self,
        graph: Graph,
        networks: Sequence[NetworkStatistics],
        nodes: Sequence[int],
        known: Mapping[int, Sequence[NDArray[np.float32]]],
    ) -> list[NDArray[np.float64]]:
        """For each network the number of each node on each layer, where all are asked of all; see `Work`."""
        rows = {node: np.concatenate(of_networks) for node, of_networks in known.items()}
        work = Work(tuple(range(len(networks))), tuple(nodes), rows)
        scalars = self.work_scalars(graph, networks, nodes, [work])
        bounds = accumulate(map(len, networks), initial=0)
        return [scalars[:, begin:end] for begin, end in pairwise(bounds)]
