"""Run folders written by hand, without any evolution: every record there, its figures invented."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from eznas.evolution import (
    Candidate,
    EvolutionConfig,
    GenerationRecord,
    Outcome,
    Phase,
    RunFolder,
    RunSeconds,
)
from eznas.evolution.outcome import write_outcome
from eznas.evolution.records import Checkpoint, MeasuredProgram, Origin, PhaseSeconds
from eznas.program import NAMED_PROGRAMS, AnyProgram, Program, canonical_form
from eznas.ranking import Comparison, Fitness, StatisticsSettings
from eznas.ranking.comparison import rank

BEST = Program.parse("frobenius_norm(sigmoid(logdet(sign(T1G_D))))")
SECOND = Program.parse("mean(add(abs(T3G_N), reciprocal(mul(T3, T3))))")
OTHERS = [Program.parse(text) for text in ("numel(T1_N)", "l1_norm(softmax(T4_P))", "mean(less(T2_D, T2_N))")]


def write_run(
    folder: Path,
    *,
    generations: int = 4,
    planned: int | None = None,
    finished: bool = True,
    tasks: Sequence[str] = ("digits", "letters"),
    roles: Sequence[str] = ("best on all stored",),
    best: AnyProgram = BEST,
    networks: int = 30,
    threads: int | None = 2,
) -> Path:
    """Write a run folder with four programs a generation, the best one born in the second.

    Args:
        folder: A new folder.
        generations: How many are there.
        planned: How many there are to be; as many as are there by default.
        finished: Whether the held-out test has been made.
        tasks: Their names, which need not exist.
        roles: Of the best program.
        best: The best program.
        networks: Held-out networks of each task.
        threads: In the configuration.
    """
    run = RunFolder(folder)
    config = EvolutionConfig(
        tasks=tuple(tasks), generations=planned or max(1, generations), population=4, seed=3, threads=threads
    )
    run.start(config)
    for generation in range(generations):
        measured = _generation(generation, best, len(tasks))
        checkpoint = Checkpoint(generation, random.Random(0).getstate())
        run.append(_record(generation, measured), measured, checkpoint)
    if finished:
        write_outcome(_outcome(best, tasks, roles, networks), run.result_file, run.scores)
        phases = dict.fromkeys(Phase, 2.0) | {Phase.COLLECTION: 0.0}
        run.seconds_file.write_text(RunSeconds(phases, 18.0).to_json())
    return folder


def _generation(generation: int, best: AnyProgram, tasks: int) -> list[MeasuredProgram]:
    programs: list[AnyProgram] = [SECOND, *OTHERS]
    if generation == 1:
        programs[1] = best
    fitnesses = [0.3, 0.1, 0.0, 0.2] if generation != 1 else [0.35, 0.6, 0.0, 0.2]
    return [
        MeasuredProgram(
            generation,
            program,
            Origin.CHILD if place < 2 else Origin.RANDOM,
            Fitness(value, 1, (value,) * tasks),
        )
        for place, (program, value) in enumerate(zip(programs, fitnesses, strict=True))
    ]


def _record(generation: int, measured: Sequence[MeasuredProgram]) -> GenerationRecord:
    fittest = max(measured, key=lambda program: program.fitness.value)
    return GenerationRecord(
        generation=generation,
        best=fittest.fitness.value,
        median=float(np.median([program.fitness.value for program in measured])),
        best_program=str(fittest.program),
        validity_rate=0.5,
        distinct=4,
        mean_size=4.5,
        drawn={"digits": [0, 1]},
        memo_hits=30 * generation,
        memo_misses=90,
        subtree_hits=10 * generation,
        subtree_misses=40,
        memo_bytes=2_500_000,
        seconds=PhaseSeconds(0.1, 0.2, 0.3, 0.4, 0.5),
    )


def _outcome(best: AnyProgram, tasks: Sequence[str], roles: Sequence[str], networks: int) -> Outcome:
    candidates = (
        Candidate(tuple(roles), canonical_form(best), 0.55, 1),
        Candidate(("second fittest ever",), SECOND, 0.28, -1),
    )
    return Outcome(candidates, tuple(_comparison(task, candidates, networks) for task in tasks))


def _comparison(task: str, candidates: Sequence[Candidate], networks: int) -> Comparison:
    random_numbers = np.random.default_rng(5)
    accuracies = random_numbers.uniform(50, 90, networks)

    def scores(noise: float) -> np.ndarray:
        return accuracies + random_numbers.normal(0, noise, networks)

    ranked = [rank(", ".join(each.roles), each.program, scores(5.0), accuracies, 100) for each in candidates]
    ranked += [rank(name, program, scores(15.0), accuracies, 100) for name, program in NAMED_PROGRAMS.items()]
    ranked += [rank(name, None, scores(10.0), accuracies, 100) for name in ("parameters", "FLOPs")]
    # A contender may have no score on some networks, or on none.
    ranked[1].scores[:3] = np.nan
    ranked[1] = replace(ranked[1], reasons=(("nan in layer 2", 2), ("infinity <b>", 1)))
    ranked[3] = rank(ranked[3].name, ranked[3].program, np.full(networks, np.nan), accuracies, 100)
    architectures = tuple(f"net{number}" for number in range(networks))
    return Comparison(task, StatisticsSettings(), architectures, accuracies, tuple(ranked))
