"""How programs respond to the sizes of a layer: their scores on random tensors (EZNAS, figure 6)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.analysis.random_layers import DRAWN_AT_ONCE, LayerSizes, elements, random_layers
from eznas.analysis.response_settings import Axis, ResponseSettings
from eznas.backends import Backend, ToScalar, get_backend
from eznas.compile import Graph, Rejection, build_graph, infer_shapes
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.terminals import TERMINALS, Geometry
from eznas.threads import available_processors, one_torch_thread

CENTRAL: Final = (0.025, 0.975)
"""The quantiles of the interval in which 95 % of the scores lie."""

_NUMBERS_AT_ONCE: Final = 2**20  # 4 MiB, in which a call's overhead of 0.3 ms is a twentieth
_GROUPS_AT_ONCE: Final = 32

Progress = Callable[[int, int], None]
"""Called with the layers done and the layers in all."""


@dataclass(frozen=True, slots=True)
class ResponsePoint:
    """The scores of a program on the layers of one size."""

    size: int
    repetitions: int
    scored: int
    """Layers with a finite score; the figures are over these, and NaN where there are none."""
    mean: float
    deviation: float
    """The standard deviation (unbiased)."""
    low: float
    high: float
    """The interval of `CENTRAL`."""
    failure: str | None
    """Why the first layer without a score has none."""


@dataclass(frozen=True, slots=True)
class Response:
    """How a program responds along one axis."""

    program: Program
    axis: Axis
    points: tuple[ResponsePoint, ...]


def measure_response(
    programs: Sequence[Program],
    settings: ResponseSettings | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Response, ...]:
    """Score programs on random layers of many sizes.

    All terminals are standard normal and independent of each other, gradients and the differences of the
    perturbed input too. All programs meet the same tensors, and where the shapes that they read are the same,
    so are the tensors: a program that reads no weight has the same scores for every kernel size. The score of
    a layer is the mean (or the L2 norm) of the program's tensor.

    Args:
        programs: The programs; only the terminals that they read are drawn.
        settings: The sizes and repetitions; the defaults are the paper's repetitions.
        threads: How many to use; the processors by default. The results are the same for any number.
        progress: Told of the layers done; layers of equal shapes are drawn once.

    Returns:
        For each program, in order, its response along each axis.
    """
    chosen = settings or ResponseSettings()
    if not programs:
        return ()
    scores = _LayerScores(programs, chosen)
    scores.measure(threads or available_processors(), progress)

    def point(row: int, axis: Axis, size: int) -> ResponsePoint:
        geometry = scores.geometry(row, chosen.layer(axis, size))
        return _point(size, scores.values[row, geometry], scores.failure(row, geometry))

    return tuple(
        Response(program, axis, tuple(point(row, axis, size) for size in chosen.sizes(axis)))
        for row, program in enumerate(programs)
        for axis in Axis
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """Some layers to draw, and the programs to score on them."""

    rows: tuple[int, ...]
    sizes: LayerSizes
    groups: range


class _LayerScores:
    """Draws layers and scores them, a few at a time, on several threads."""

    def __init__(self, programs: Sequence[Program], settings: ResponseSettings) -> None:
        self.values: dict[tuple[int, Geometry], NDArray[np.float64]] = {}
        """(repetitions,) for each program, by index, and each geometry of what it reads."""
        self._programs = programs
        self._settings = settings
        # Not the evaluator: a network with one layer costs it 0.1 ms, and each failure a run in eager torch.
        self._backend: Backend = get_backend("auto")
        self._graphs: dict[tuple[int, ...], Graph] = {}

    def geometry(self, row: int, sizes: LayerSizes) -> Geometry:
        """The shapes that a program reads in a layer."""
        return sizes.geometry(self._programs[row].terminals)

    def measure(self, threads: int, progress: Progress | None) -> None:
        """Score every program on every layer that differs in what it reads."""
        repetitions = self._settings.repetitions
        jobs = list(self._jobs())
        done, total = 0, repetitions * len({(job.rows, job.sizes) for job in jobs})
        with (
            one_torch_thread(),
            ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1)) as pool,
            closing(_generated(pool.map(self._run, jobs))) as results,
        ):
            for job, found in zip(jobs, results, strict=True):
                first = job.groups.start * DRAWN_AT_ONCE
                last = min(job.groups.stop * DRAWN_AT_ONCE, repetitions)
                for row, scalars in zip(job.rows, found, strict=True):
                    self.values[row, self.geometry(row, job.sizes)][first:last] = scalars[: last - first]
                done += last - first
                if progress is not None:
                    progress(done, total)

    def failure(self, row: int, geometry: Geometry) -> str | None:
        """Why the first layer without a score has none, found by scoring that layer alone."""
        bad = np.flatnonzero(~np.isfinite(self.values[row, geometry]))
        if len(bad) == 0:
            return None
        program, settings = self._programs[row], self._settings
        rejection = _rejection(program, geometry)
        if rejection is not None:
            return rejection.message
        group, place = divmod(int(bad[0]), DRAWN_AT_ONCE)
        drawn = random_layers(geometry, program.terminals, range(group, group + 1), settings.seed)
        alone = NetworkStatistics.from_layers([drawn.layers[place]])
        evaluator = Evaluator([alone], backend="eager", threads=1, memo_bytes=0, to_scalar=settings.to_scalar)
        failures = evaluator.score([program]).failures
        return failures[0].message if failures else "not finite in compiled kernels, finite in eager torch"

    def _jobs(self) -> Iterator[_Job]:
        """What is to be done, in parts that are small enough to hold at once."""
        layers = [self._settings.layer(axis, size) for axis in Axis for size in self._settings.sizes(axis)]
        groups = -(-self._settings.repetitions // DRAWN_AT_ONCE)
        for sizes in dict.fromkeys(layers):
            rows = tuple(row for row in range(len(self._programs)) if self._is_new(row, sizes))
            if not rows:
                continue
            self._graphs.setdefault(rows, build_graph([self._programs[row] for row in rows]))
            terminals = self._terminals(rows)
            size = elements(sizes.geometry(terminals), terminals) * DRAWN_AT_ONCE
            at_once = min(_GROUPS_AT_ONCE, max(1, _NUMBERS_AT_ONCE // size))
            for first in range(0, groups, at_once):
                yield _Job(rows, sizes, range(first, min(first + at_once, groups)))

    def _is_new(self, row: int, sizes: LayerSizes) -> bool:
        """Whether a program is to be run on such layers; its shapes are noted as met."""
        geometry = self.geometry(row, sizes)
        if (row, geometry) in self.values:
            return False
        self.values[row, geometry] = np.full(self._settings.repetitions, np.nan)
        return _rejection(self._programs[row], geometry) is None

    def _run(self, job: _Job) -> NDArray[np.float64]:
        terminals = self._terminals(job.rows)
        geometry = job.sizes.geometry(terminals)
        layers = random_layers(geometry, terminals, job.groups, self._settings.seed)
        return self._backend.layer_scalars(self._graphs[job.rows], layers, ToScalar(self._settings.to_scalar))

    def _terminals(self, rows: tuple[int, ...]) -> list[str]:
        read = {name for row in rows for name in self._programs[row].terminals}
        return [name for name in TERMINALS if name in read]


def _generated(results: Iterator[NDArray[np.float64]]) -> Generator[NDArray[np.float64], None, None]:
    """Closing a generator ends what it goes through, here the jobs that have not begun."""
    yield from results


def _rejection(program: Program, geometry: Geometry) -> Rejection | None:
    graph = build_graph([program])
    found = infer_shapes(graph, geometry)[graph.roots[0]]
    return found if isinstance(found, Rejection) else None


def _point(size: int, scores: NDArray[np.float64], failure: str | None) -> ResponsePoint:
    finite = scores[np.isfinite(scores)]
    low, high = np.quantile(finite, CENTRAL).tolist() if len(finite) else (np.nan, np.nan)
    with np.errstate(all="ignore"):
        mean = float(finite.mean()) if len(finite) else np.nan
        deviation = float(finite.std(ddof=1)) if len(finite) > 1 else np.nan
    return ResponsePoint(size, len(scores), len(finite), mean, deviation, low, high, failure)
