"""Measures how much of sequential programs is dead code, beside trees: the tables of docs/sequential.md.

    python bench/sequential.py random
    python bench/sequential.py variation
    python bench/sequential.py evolved

They use the embedded tasks; the first takes a minute, the last half a minute for each of six runs.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from eznas import tasks
from eznas.evolution import EvolutionConfig, Outcome, RunFolder, evolve, make_config
from eznas.evolution.records import MeasuredProgram
from eznas.evolution.sequential_operators import (
    Choices,
    insert,
    mate,
    mutate_argument,
    mutate_operation,
    remove,
)
from eznas.evolution.sequential_variation import SequentialVariation
from eznas.evolution.validity import Validity
from eznas.evolution.variation import Variation
from eznas.program import AnyProgram, SequentialProgram, canonical_form
from eznas.program.sequential import measure_redundancy
from eznas.program.steps import tree_sizes
from eznas.store import StatisticsStore

PROGRAMS = 2000
SEEDS = (0, 1, 2)
GENERATIONS = (0, 4, 9, 14)
STORED = {"stored_networks": 40, "networks_per_task": 20, "test_networks": 120}
SETTINGS = [
    {"least_initial_length": 4, "most_initial_length": 24, "reuse": reuse}
    for reuse in (0.0, 0.25, 0.5, 0.75, 1.0)
] + [
    {"least_initial_length": length, "most_initial_length": length, "reuse": reuse}
    for reuse in (0.5, 0.75)
    for length in (8, 24, 48)
]


def random_tables() -> Iterator[str]:
    """Random programs of both representations: dead code, formulas and validity."""
    validity = Validity(list(_stores()), make_config())
    trees = Variation(make_config(), random.Random(0)).random_programs(PROGRAMS)
    yield _row("instructions", "reuse", "dead", "repeated", "live", "sharing", "formulas", "valid", "tree")
    yield _row(*["---"] * 9)
    for settings in SETTINGS:
        config = make_config(overrides={"representation": "sequential", **settings})
        programs = SequentialVariation(config, random.Random(0)).random_programs(PROGRAMS)
        found = measure_redundancy(programs)
        least, most = config.least_initial_length, config.most_initial_length
        yield _row(
            f"{least}" if least == most else f"{least} to {most}",
            f"{config.reuse:g}",
            _percent(found.dead_share),
            f"{100 * found.repeated_share:.1f} %",
            f"{found.mean_live:.1f}",
            _percent(found.sharing_share),
            _percent(found.formula_share),
            _percent(np.mean(validity.check(programs))),
            _sizes(programs),
        )
    yield _row(
        "trees",
        "",
        "",
        "",
        "",
        "",
        _percent(len(set(map(canonical_form, trees))) / PROGRAMS),
        _percent(np.mean(validity.check(trees))),
        _sizes(trees),
    )


def variation_tables() -> Iterator[str]:
    """How often the child of a random program computes the same formula as its parent, by operator."""
    config = make_config(overrides={"representation": "sequential"})
    generator = random.Random(0)
    choices = Choices.of(config.operations, config.terminals, config.reuse, config.length_limit)
    parents = SequentialVariation(config, generator).random_programs(PROGRAMS)
    partners = SequentialVariation(config, generator).random_programs(PROGRAMS)
    yield _row("operator", "same formula as the parent")
    yield _row(*["---"] * 2)
    mated = [mate(first, second, choices, generator) for first, second in zip(partners, parents, strict=True)]
    yield _row("Mate", _percent(_same(parents, mated)))
    for name, mutation in (
        ("InsertOP", insert),
        ("RemoveOP", remove),
        ("MutateOP", mutate_operation),
        ("MutateOpArg", mutate_argument),
    ):
        children = [mutation(parent, choices, generator) or parent for parent in parents]
        yield _row(name, _percent(_same(parents, children)))


def _same(parents: Sequence[AnyProgram], children: Sequence[AnyProgram]) -> float:
    return float(np.mean([one.hash == other.hash for one, other in zip(parents, children, strict=True)]))


def evolved_tables() -> Iterator[str]:
    """Evolved programs: dead code by generation, and what both representations reach."""
    with tempfile.TemporaryDirectory() as folder:
        runs = {
            (representation, seed): _evolved(Path(folder), representation, seed)
            for representation in ("sequential", "tree")
            for seed in SEEDS
        }
        yield _row("generation", "origin", "length", "live", "dead", "formulas")
        yield _row(*["---"] * 6)
        sequential = [runs["sequential", seed][0].programs() for seed in SEEDS]
        for generation in GENERATIONS:
            for origin in ("random", "child"):
                programs = _of(sequential, generation, origin)
                if programs:
                    found = measure_redundancy(programs)
                    yield _row(
                        str(generation + 1),
                        origin,
                        f"{found.mean_length:.1f}",
                        f"{found.mean_live:.1f}",
                        _percent(found.dead_share),
                        _percent(found.formula_share),
                    )
        yield ""
        yield _row("representation", "seed", "valid", "distinct", "size", "best", "held out")
        yield _row(*["---"] * 7)
        for (representation, seed), (run, outcome) in runs.items():
            records = run.generations()
            taus = [comparison.ranked[0].tau.value for comparison in outcome.comparisons]
            yield _row(
                representation,
                str(seed),
                _percent(np.mean([record.validity_rate for record in records])),
                f"{np.mean([record.distinct for record in records]):.0f}",
                f"{np.mean([record.mean_size for record in records]):.1f}",
                f"`{outcome.best.program}` {outcome.best.fitness:.3f}",
                ", ".join(f"{tau:+.3f}" for tau in taus),
            )


def _evolved(folder: Path, representation: str, seed: int) -> tuple[RunFolder, Outcome]:
    config = make_config(
        overrides={"representation": representation, "seed": seed, "bootstrap_resamples": 100, **STORED}
    )
    run = RunFolder(folder / f"{representation}-{seed}")
    return run, evolve(config, run.path)


def _of(runs: Sequence[Sequence[MeasuredProgram]], generation: int, origin: str) -> list[SequentialProgram]:
    return [
        measured.program
        for programs in runs
        for measured in programs
        if measured.generation == generation
        and measured.origin == origin
        and isinstance(measured.program, SequentialProgram)
    ]


def _stores() -> Iterator[StatisticsStore]:
    """The stored networks of a run, so that both studies share their statistics."""
    config: EvolutionConfig = make_config(overrides=STORED)
    for task in map(tasks.get, config.tasks):
        rows, _ = task.split(config.stored_networks, config.data_seed)
        yield tasks.open_or_collect(task, [task.architectures[row] for row in rows])


def _sizes(programs: Sequence[AnyProgram]) -> str:
    """Median and largest tree."""
    sizes = sorted(tree_sizes(program.steps())[-1] for program in programs)
    return f"{sizes[len(sizes) // 2]}, {sizes[-1]:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    tables = {"random": random_tables, "variation": variation_tables, "evolved": evolved_tables}
    for line in tables[sys.argv[1]]():
        print(line, flush=True)
