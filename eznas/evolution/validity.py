"""Which programs are valid: shapes on every geometry, values on a few probe layers."""

from __future__ import annotations

import random
from collections.abc import Sequence

from eznas.backends import Backend
from eznas.compile import Rejection, build_graph
from eznas.evaluator import Evaluator
from eznas.evolution.config import EvolutionConfig
from eznas.program import AnyProgram
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry

PROBE_NETWORKS = 3
"""Networks of each task whose layers are probed. Shapes are decided for every geometry without running
anything, so that the probe need only find NaN and infinities; a program that still fails on a drawn
network has fitness 0."""


class Validity:
    """Tells valid from invalid programs for the stored networks of all tasks.

    Args:
        stores: For each task the statistics of its stored networks.
        config: Threads and to_scalar.
        backend: Scores the programs; that of the configuration by default.
    """

    def __init__(
        self,
        stores: Sequence[Sequence[NetworkStatistics]],
        config: EvolutionConfig,
        backend: Backend | None = None,
    ) -> None:
        self._geometries: set[Geometry] = set()
        probes: list[NetworkStatistics] = []
        for store in stores:
            networks = [store[index] for index in range(len(store))]
            self._geometries.update(geometry for network in networks for geometry in network.geometries)
            # The same networks in every run, so that validity does not depend on the seed of the run.
            probes.extend(random.Random(0).sample(networks, min(PROBE_NETWORKS, len(networks))))
        self._evaluator = Evaluator(
            probes, backend or config.backend, config.threads, memo_bytes=0, to_scalar=config.to_scalar
        )

    def check(self, programs: Sequence[AnyProgram]) -> list[bool]:
        """For each program whether it is valid."""
        candidates = self._well_typed(programs)
        finite = self._evaluator.score([programs[row] for row in candidates]).valid
        valid = {row for row, fine in zip(candidates, finite, strict=True) if fine}
        return [row in valid for row in range(len(programs))]

    def _well_typed(self, programs: Sequence[AnyProgram]) -> list[int]:
        """The rows of the programs that have a shape on every geometry."""
        graph = build_graph(programs)
        table = self._evaluator.shapes.covering(self._geometries)
        columns = table.infer(graph)
        asked = [table.rows[geometry] for geometry in self._geometries]
        refused = {
            column: any(isinstance(column.entries[row], Rejection) for row in asked)
            for column in {columns[root] for root in graph.roots}
        }
        return [row for row, root in enumerate(graph.roots) if not refused[columns[root]]]
