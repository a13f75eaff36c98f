"""What fusing costs and saves on this machine, measured once and kept beside the compiled kernels."""

from __future__ import annotations

import contextlib
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from eznas.backends.backend import ToScalar
from eznas.backends.fused.backend import FusedBackend, saved
from eznas.backends.fused.compiling import GENERATED
from eznas.backends.tile import TileBackend
from eznas.compile import Graph, ShapeTable, build_graph, fold_roots
from eznas.files import write_whole
from eznas.plan import make_plan
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas_kernels.cache import cache_folder

_FILE: Final = "fusion_costs.json"
_CHAIN: Final = Program.parse("sign(relu(abs(sub(T1_D, T2_D))))")
_SHAPE: Final = (1, 16, 32, 32)
_LAYERS: Final = 4
_ROUNDS: Final = 15
_LEAST_COMPILE_SECONDS: Final = 0.1


class FusionCosts(BaseModel):
    """The two sides of the decision to compile a chain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    compile_seconds: float
    """The time to compile one kernel."""
    seconds_per_number: float
    """The time saved for each number that need not be written and read again."""

    @classmethod
    def of_this_machine(cls) -> FusionCosts:
        """The costs as measured before, or measured now, which takes about a second."""
        folder = cache_folder()
        if folder is None:
            return cls.measure()
        path = folder / _FILE
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            costs = cls.measure()
            _keep(path, costs)
            return costs

    @classmethod
    def measure(cls) -> FusionCosts:
        """Time one chain of cheap operations, tile by tile and at once."""
        network = _network()
        graph = build_graph([_CHAIN])
        before = GENERATED.seconds
        fused, tile = FusedBackend(), TileBackend()
        geometry = network.geometries[0]
        folded = fold_roots(graph, ToScalar.MEAN.op)
        found = make_plan(folded, ShapeTable([geometry]).infer(folded)).chains()
        numbers = sum(saved(expression, count) for expression, count in found.items()) * _LAYERS
        seconds = {
            backend: min(_seconds(backend, graph, network) for _ in range(_ROUNDS))
            for backend in (tile, fused)
        }
        return cls(
            # What is loaded from the disk was compiled before; no kernel takes less than this.
            compile_seconds=max(GENERATED.seconds - before, _LEAST_COMPILE_SECONDS),
            seconds_per_number=max(0.0, (seconds[tile] - seconds[fused]) / numbers),
        )


def _network() -> NetworkStatistics:
    generator = np.random.default_rng(0)
    layers = [
        {name: generator.standard_normal(_SHAPE).astype(np.float32) for name in _CHAIN.terminals}
        for _ in range(_LAYERS)
    ]
    return NetworkStatistics.from_layers(layers)


def _seconds(backend: TileBackend, graph: Graph, network: NetworkStatistics) -> float:
    begin = perf_counter()
    backend.layer_scalars(graph, network, ToScalar.MEAN)
    return perf_counter() - begin


def _keep(path: Path, costs: FusionCosts) -> None:
    # Without it, the next process measures again.
    with contextlib.suppress(OSError):
        write_whole(path, costs.model_dump_json().encode())
