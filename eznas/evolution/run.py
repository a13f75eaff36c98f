"""A whole run: collect statistics, evolve, test the candidates on held-out networks, write it all down."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eznas import tasks
from eznas.errors import RunError
from eznas.evolution.candidates import choose_candidates
from eznas.evolution.clock import Clock, Phase, RunSeconds
from eznas.evolution.config import EvolutionConfig
from eznas.evolution.evolution import Evolution, StoredTask
from eznas.evolution.observer import Observer
from eznas.evolution.outcome import Candidate, Outcome, read_outcome, write_outcome
from eznas.evolution.records import GenerationRecord
from eznas.evolution.run_folder import RunFolder
from eznas.files import write_whole
from eznas.garbage import only_new_garbage
from eznas.program import NAMED_PROGRAMS
from eznas.ranking import Comparison, Contender, StatisticsSettings, compare, named_contender
from eznas.tasks import Task


def evolve(
    config: EvolutionConfig | None = None,
    folder: Path | str | None = None,
    observer: Observer | None = None,
    stores: Path | str | None = None,
) -> Outcome:
    """Evolve programs on the stored networks of the tasks and test the best on held-out networks.

    Every generation is written down; a run that was ended, however it ended, goes on with `resume`.

    Args:
        config: What decides the run; the paper's settings by default.
        folder: A new or empty folder for the run; by default one below `runs`, named by the time.
        observer: Told of the progress.
        stores: Where statistics are kept between runs; see `eznas.tasks.default_stores`.

    Raises:
        EznasError: An unknown task, a folder in use, a full disk, and so on; the message says which.
    """
    chosen = config or EvolutionConfig()
    split_tasks = _split_all(chosen)
    run = RunFolder(Path(folder) if folder is not None else new_run_folder())
    with run.locked():
        run.start(chosen)
        return _go_on(run, chosen, split_tasks, observer or Observer(), stores)


def resume(folder: Path | str, observer: Observer | None = None, stores: Path | str | None = None) -> Outcome:
    """Go on with a run from its last whole generation; it ends as if it had never been interrupted.

    Raises:
        RunError: The folder holds no run, or another process works on it.
    """
    run = RunFolder(Path(folder))
    if not run.config_file.exists():
        raise RunError(f"{run.path} holds no run: {run.config_file.name} is missing")
    watching = observer or Observer()
    with run.locked():
        if run.result_file.exists():
            watching.announcing(f"the run in {run.path} has already come to its end")
            return read_outcome(run.result_file, run.scores)
        config = run.config()
        return _go_on(run, config, _split_all(config), watching, stores)


def new_run_folder() -> Path:
    """A folder below `runs` that does not exist yet, named by the time."""
    return Path("runs") / time.strftime("%Y-%m-%d-%H%M%S")


def _go_on(
    run: RunFolder,
    config: EvolutionConfig,
    split_tasks: Sequence[_SplitTask],
    observer: Observer,
    stores: Path | str | None,
) -> Outcome:
    clock = Clock()
    observer.announcing(f"run folder: {run.path}")
    with clock.measuring(Phase.KERNELS):
        _load_kernels(observer)
    with clock.measuring(Phase.COLLECTION):
        stored = [_store(split, config, observer, stores) for split in split_tasks]
    with clock.measuring(Phase.VALIDITY):
        evolution = Evolution(config, stored)
    with only_new_garbage():
        earlier = _evolve_generations(run, config, evolution, observer, clock)
    with clock.measuring(Phase.RECORDS):
        programs = run.programs()
    candidates = choose_candidates(programs, evolution, config, clock)
    with clock.measuring(Phase.HELD_OUT_TEST):
        comparisons = [_compare(split, candidates, config, run, observer) for split in split_tasks]
    outcome = Outcome(tuple(candidates), tuple(comparisons))
    _write_end(run, outcome, clock, earlier)
    return outcome


def _load_kernels(observer: Observer) -> None:
    """Load the kernels, which the held-out test needs even where the backend does not."""
    # Imports Numba, which the first line of a run and those who only read one need not wait for.
    from eznas_kernels import loading

    loading.load(observer.compiling if loading.needs_compiling() else None)


def _evolve_generations(
    run: RunFolder, config: EvolutionConfig, evolution: Evolution, observer: Observer, clock: Clock
) -> list[GenerationRecord]:
    """Make the generations that are not there yet; the records of those that were."""
    with clock.measuring(Phase.RECORDS):
        last = run.checkpoint()
        run.drop_after(-1 if last is None else last.generation)
        population = [] if last is None else [p for p in run.programs() if p.generation == last.generation]
        earlier = run.generations()
    if last is not None:
        observer.announcing(f"going on after generation {last.generation + 1} of {config.generations}")
    for generation in evolution.generations(last, population):
        clock.add(generation.record.seconds.by_phase)
        with clock.measuring(Phase.RECORDS):
            run.append(generation.record, generation.programs, generation.checkpoint)
        observer.generation_done(generation.record, config.generations)
    return earlier


def _write_end(run: RunFolder, outcome: Outcome, clock: Clock, earlier: Sequence[GenerationRecord]) -> None:
    try:
        with clock.measuring(Phase.RECORDS):
            write_outcome(outcome, run.result_file, run.scores)
        seconds = RunSeconds.added_up(clock, [record.seconds.by_phase for record in earlier])
        write_whole(run.seconds_file, seconds.to_json().encode())
    except OSError as error:
        raise RunError(f"cannot write the result to {run.path}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class _SplitTask:
    task: Task
    evolution_rows: Sequence[int]
    test_rows: Sequence[int]


def _split_all(config: EvolutionConfig) -> list[_SplitTask]:
    split_tasks = []
    for task in map(tasks.get, config.tasks):
        evolution, held_out = task.split(config.stored_networks, config.data_seed)
        split_tasks.append(_SplitTask(task, evolution.tolist(), held_out[: config.test_networks].tolist()))
    return split_tasks


def _statistics_settings(config: EvolutionConfig) -> StatisticsSettings:
    return StatisticsSettings(config.structure, config.to_scalar, config.batch_size, config.data_seed)


def _store(
    split: _SplitTask, config: EvolutionConfig, observer: Observer, stores: Path | str | None
) -> StoredTask:
    task = split.task
    store = tasks.open_or_collect(
        task,
        [task.architectures[row] for row in split.evolution_rows],
        terminals=config.terminals,
        structure=config.structure,
        batch_size=config.batch_size,
        seed=config.data_seed,
        stores=stores,
        announce=observer.announcing,
        progress=lambda done, total: observer.collecting(task.name, done, total),
    )
    return StoredTask(task.name, store, task.accuracies[split.evolution_rows])


def _compare(
    split: _SplitTask,
    candidates: Sequence[Candidate],
    config: EvolutionConfig,
    run: RunFolder,
    observer: Observer,
) -> Comparison:
    contenders = [
        Contender(", ".join(candidate.roles), candidate.program, candidate.orientation)
        for candidate in candidates
    ]
    contenders += [named_contender(name) for name in NAMED_PROGRAMS]
    return compare(
        split.task,
        split.test_rows,
        contenders,
        _statistics_settings(config),
        resamples=config.bootstrap_resamples,
        processes=config.threads,
        journal=run.score_journal,
        progress=lambda done, total: observer.testing(split.task.name, done, total),
    )
