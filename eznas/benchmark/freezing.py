"""Makes the frozen workloads again, from their seeds."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from eznas.benchmark.networks import NetworkSettings
from eznas.benchmark.workloads import ELEMENTWISE, workload_text
from eznas.compile import Rejection, build_graph, infer_shapes
from eznas.evaluator import Evaluator
from eznas.evolution import EvolutionConfig, Observer, RunFolder, evolve, make_config
from eznas.evolution.variation import Variation
from eznas.ops import OPS
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry

SEED: Final = 0
COUNT: Final = 100
ELEMENTWISE_COUNT: Final = 40
DEEP_SIZE: Final = 20
LARGEST: Final = 200
"""More nodes are left out: one such program would outweigh a hundred others."""

_OF_SHAPES = ("ones_like", "zeros_like", "numel")
_BATCH = 500
_PROBES = 2
_ISLAND = 40
_FROM_ISLAND = 2
_EIGENVALUES = ("eig_ratio", "sym_eig_ratio")
_REQUIRED = (
    "det", "logdet", "softmax", "matmul", "normalize", "kl_divergence", "hamming_distance",
    "cosine_similarity",
)  # fmt: skip

# What numexpr and Operon have too, over tensors of one shape. No reciprocal: near its poles
# any two float32 results differ.
_ELEMENTWISE_OPERATIONS = ("add", "sub", "mul", "abs", "square", "exp")
_ELEMENTWISE_TERMINALS = tuple(f"{family}_{source}" for family in ("T1", "T2") for source in "DNP")

Note = Callable[[str], None]


class Validity:
    """Tells which programs have a finite score on every network by the eager backend."""

    def __init__(self, networks: Sequence[NetworkStatistics]) -> None:
        self._geometries = sorted({g for network in networks for g in network.geometries}, key=repr)
        self._probes = Evaluator(networks[:_PROBES], "eager", 1, 0)
        self._all = Evaluator(networks, "eager", 1, 0)

    @property
    def geometry(self) -> Geometry:
        """One of the geometries."""
        return self._geometries[0]

    def valid(self, programs: Iterable[Program]) -> Iterator[Program]:
        """The valid ones of the programs, in order."""
        for program in self.probably_valid(programs):
            if bool(self._all.score([program]).valid[0]):
                yield program

    def probably_valid(self, programs: Iterable[Program]) -> Iterator[Program]:
        """Those that have shapes on every layer, and finite scores on the first few networks."""
        for program in programs:
            if self._is_typed(program) and bool(self._probes.score([program]).valid[0]):
                yield program

    def _is_typed(self, program: Program) -> bool:
        graph = build_graph([program])
        return not any(
            isinstance(infer_shapes(graph, geometry)[-1], Rejection) for geometry in self._geometries
        )


def freeze(
    folder: Path, networks: Sequence[NetworkStatistics], settings: NetworkSettings, note: Note
) -> list[Path]:
    """Write every workload into a folder, as text.

    Takes some minutes: an evolution run is part of it.

    Args:
        folder: An existing folder.
        networks: The networks on which the programs must have scores.
        settings: How the networks were drawn; stands in the files.
        note: Told of the progress.

    Raises:
        OSError: The folder cannot be written.
    """
    validity = Validity(networks)
    with tempfile.TemporaryDirectory() as run:
        sources: dict[str, tuple[str, int, Iterable[Program]]] = {
            "random": (
                "Random programs as evolution makes them: genHalfAndHalf of heights 2 to 10, all operations "
                "and statistics.",
                COUNT,
                _random_programs(make_config()),
            ),
            ELEMENTWISE: (
                "The mean of random elementwise programs of 4 nodes and more: what evaluators of columns of "
                f"data can do too. Operations {', '.join(_ELEMENTWISE_OPERATIONS)}; statistics "
                f"{', '.join(_ELEMENTWISE_TERMINALS)}.",
                ELEMENTWISE_COUNT,
                _elementwise_programs(),
            ),
            "evolved": (
                "The distinct programs of one evolution run (preset paper, eager backend, embedded tasks), "
                "those of the last generation first.",
                COUNT,
                _evolved_programs(Path(run), note),
            ),
            "deep": (
                f"Programs of {DEEP_SIZE} nodes and more, bred for size: islands of {_ISLAND} valid random "
                f"programs each, crossover and mutation as in evolution, the number of nodes as fitness; "
                f"{_FROM_ISLAND} of each island, so that few subtrees are shared.",
                COUNT,
                _deep_programs(validity),
            ),
        }
        written = []
        for name, (how, count, source) in sources.items():
            programs = choose(validity, source, count, _covers if name != ELEMENTWISE else _covers_all)
            note(f"workload {name}: {len(programs)} programs")
            written.append(folder / f"{name}.txt")
            written[-1].write_text(workload_text(_about(name, how, programs, settings), programs), "utf-8")
    return written


def choose(
    validity: Validity,
    source: Iterable[Program],
    count: int,
    covers: Callable[[Sequence[Program], Geometry], set[str]],
) -> list[Program]:
    """The first valid programs of a source, and after them those that bring what is still missing.

    Args:
        validity: Which programs are valid.
        source: Programs, endless or enough of them.
        count: How many are taken whatever they are.
        covers: Tells what is still missing among programs.
    """
    chosen: list[Program] = []
    for program in validity.valid(_distinct(source)):
        missing = covers(chosen, validity.geometry)
        if len(chosen) >= count and not missing:
            break
        if len(chosen) < count or covers([*chosen, program], validity.geometry) < missing:
            chosen.append(program)
    return chosen


def _covers(programs: Sequence[Program], geometry: Geometry) -> set[str]:
    """The required operations that do not occur; eigenvalue ratios count where they read a weight's shape."""
    names = {token for program in programs for token in program.tokens}
    return (set(_REQUIRED) - names) | (set(_EIGENVALUES) - _eigenvalues_of_weights(programs, geometry))


def _covers_all(programs: Sequence[Program], geometry: Geometry) -> set[str]:  # noqa: ARG001 - nothing missing
    return set()


def _eigenvalues_of_weights(programs: Sequence[Program], geometry: Geometry) -> set[str]:
    graph = build_graph(programs)
    shapes = infer_shapes(graph, geometry)
    return {
        node.name
        for node in graph.nodes
        if node.name in _EIGENVALUES and shapes[node.arguments[0]] == geometry.t3
    }


def reads_values(program: Program) -> bool:
    """Whether any value of the statistics reaches the result; the others depend on shapes alone."""
    waiting: list[bool] = []
    for name in reversed(program.tokens):
        if name not in OPS:
            waiting.append(True)
            continue
        arguments = [waiting.pop() for _ in range(OPS[name].arity)]
        waiting.append(name not in _OF_SHAPES and any(arguments))
    return waiting.pop()


def _distinct(programs: Iterable[Program]) -> Iterator[Program]:
    met: set[Program] = set()
    for program in programs:
        canonical = program.canonical()
        if canonical not in met and program.size <= LARGEST and reads_values(program):
            met.add(canonical)
            yield program


def _random_programs(config: EvolutionConfig) -> Iterator[Program]:
    variation = Variation(config, random.Random(SEED))
    while True:
        yield from variation.random_programs(_BATCH)


def _deep_programs(validity: Validity) -> Iterator[Program]:
    for island in itertools.count():
        variation = Variation(make_config(), random.Random(f"{SEED}:{island}"))
        drawn = itertools.chain.from_iterable(variation.random_programs(_BATCH) for _ in itertools.count())
        pool = list(itertools.islice(validity.probably_valid(_distinct(drawn)), _ISLAND))
        deep: list[Program] = []
        while len(deep) < _FROM_ISLAND:
            parents = variation.select_parents(pool, [min(program.size, 2 * DEEP_SIZE) for program in pool])
            pool += validity.probably_valid(_distinct(variation.children(parents)))
            deep = [program for program in _distinct(pool) if program.size >= DEEP_SIZE]
        yield from deep[-_FROM_ISLAND:]


def _elementwise_programs() -> Iterator[Program]:
    config = make_config(
        overrides={
            "operations": _ELEMENTWISE_OPERATIONS,
            "terminals": _ELEMENTWISE_TERMINALS,
            "most_initial_height": 5,
        }
    )
    for program in _random_programs(config):
        if program.size >= 3:
            yield Program(("mean", *program.tokens))


def _evolved_programs(folder: Path, note: Note) -> Iterator[Program]:
    class Told(Observer):
        def generation_done(self, record: object, total: int) -> None:  # noqa: ARG002
            note(f"evolution for the workload evolved: a generation of {total} done")

    run = folder / "run"
    evolve(make_config(overrides={"backend": "eager", "seed": SEED, "test_networks": 6}), run, Told())
    measured = sorted(RunFolder(run).programs(), key=lambda each: -each.generation)
    yield from (each.program for each in measured if isinstance(each.program, Program))


def _about(name: str, how: str, programs: Sequence[Program], settings: NetworkSettings) -> list[str]:
    sizes = np.array([program.size for program in programs])
    return [
        f"eznas bench, workload {name}: {len(programs)} programs.",
        how,
        f"Seed {SEED}. Left out: what has no finite score, by the eager backend, on one of {settings.count} "
        f"networks of {settings.space} drawn with",
        f"seed {settings.seed}; what depends on shapes alone, since a compiler makes it a constant (three of "
        f"ten random programs); more than {LARGEST}",
        f"nodes. What follows the first {ELEMENTWISE_COUNT if name == ELEMENTWISE else COUNT} programs was "
        "taken for an operation that had not occurred yet.",
        f"Nodes: {sizes.min()} to {sizes.max()}, median {np.median(sizes):g}.",
        "Made by: eznas bench --freeze eznas/benchmark/workloads",
    ]
