"""Running a study: every evolution in a run folder of its own, then one test of all best programs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from eznas import tasks
from eznas.errors import RunError
from eznas.evolution import Candidate, Observer, RunFolder, evolve, resume
from eznas.evolution.outcome import read_outcome
from eznas.program import NAMED_PROGRAMS
from eznas.ranking import (
    AnyContender,
    Contender,
    ProxyContender,
    StatisticsSettings,
    compare,
    named_contender,
)
from eznas.studies.config import StudyConfig
from eznas.studies.outcome import FinishedRun, StudyOutcome, StudyTest
from eznas.studies.runs import StudyRun, evolved_on, planned_runs
from eznas.tasks import Task

_LEAST_NETWORKS = 3
"""Fewer give no correlation worth the name."""


class StudyObserver:
    """Ignores everything; derive from it to show what you want to see."""

    def of_run(self, run: StudyRun) -> Observer:  # noqa: ARG002 - for who derives from it
        """What is told of the progress of an evolution."""
        return Observer()

    def run_begins(self, run: StudyRun, number: int, total: int) -> None:
        """An evolution begins or goes on; the first has number 1."""

    def run_kept(self, run: StudyRun, number: int, total: int) -> None:
        """An evolution had come to its end before."""

    def testing(self, task: str, settings: StatisticsSettings, done: int, total: int) -> None:
        """So many networks of a task are scored by all programs of these settings."""


def run_study(
    study: StudyConfig,
    folder: Path | str,
    observer: StudyObserver | None = None,
    stores: Path | str | None = None,
    threads: int | None = None,
) -> StudyOutcome:
    """Evolve for every value and seed, and test the best programs of all runs on all tasks.

    Runs that are finished are kept, one that was ended goes on, and scores are kept as they come: the same
    call goes on where it was ended, and more seeds or tasks add to what is there.

    Args:
        study: What is varied.
        folder: Holds the folder of an ordinary run for each evolution below `runs`, and the scores of the
            test in `journal`.
        observer: Told of the progress.
        stores: Where statistics are kept between runs; see `eznas.tasks.default_stores`.
        threads: Networks evaluated at once, and scored at once in processes; by default all processors.

    Raises:
        RunError: A run in the folder has other settings, is worked on elsewhere or cannot be read or written,
            or no networks are left to test on.
        EznasError: An unknown task, a setting out of range, and so on; the message says which.
    """
    path, watching = Path(folder), observer or StudyObserver()
    runs = planned_runs(study, threads)
    opened = [tasks.get(name) for name in study.tasks]
    rows = {task.name: _test_rows(study, runs, task) for task in opened}
    for run in runs:
        _check_same(run, RunFolder(path / "runs" / run.name))
    finished = [
        FinishedRun(run, path / "runs" / run.name, _best(run, path, watching, stores, number, len(runs)))
        for number, run in enumerate(runs, start=1)
    ]
    tests = []
    for settings in dict.fromkeys(run.settings for run in runs):
        tested = tuple(each for each in finished if each.run.settings == settings)
        contenders = [_contender(each) for each in tested] + [_reference(name) for name in study.references]
        comparisons = tuple(
            compare(
                task,
                rows[task.name][settings.seed],
                contenders,
                settings,
                resamples=runs[0].config.bootstrap_resamples,
                processes=threads,
                journal=path / "journal",
                progress=partial(watching.testing, task.name, settings),
            )
            for task in opened
        )
        tests.append(StudyTest(tested, comparisons))
    return StudyOutcome(study, tuple(finished), tuple(tests))


def _check_same(run: StudyRun, folder: RunFolder) -> None:
    """Refuse a run with other settings; threads decide no result."""
    if not folder.config_file.exists():
        return
    found, wanted = (config.model_dump(exclude={"threads"}) for config in (folder.config(), run.config))
    different = [name for name in wanted if found[name] != wanted[name]]
    if different:
        name = different[0]
        raise RunError(
            f"the run in {folder.path} has other settings than the study: expected {name} to be "
            f"{wanted[name]!r}, got {found[name]!r}; choose a new folder for the study"
        )


def _best(
    run: StudyRun, folder: Path, watching: StudyObserver, stores: Path | str | None, number: int, total: int
) -> Candidate:
    of_run = RunFolder(folder / "runs" / run.name)
    if of_run.result_file.exists():
        watching.run_kept(run, number, total)
        return read_outcome(of_run.result_file, of_run.scores).best
    watching.run_begins(run, number, total)
    observer = watching.of_run(run)
    if of_run.config_file.exists():
        return resume(of_run.path, observer, stores).best
    return evolve(run.config, of_run.path, observer, stores).best


def _test_rows(study: StudyConfig, runs: tuple[StudyRun, ...], task: Task) -> dict[int, Sequence[int]]:
    """The rows to test on by the seed that draws them, which no run evolves on."""
    without = evolved_on(runs, task)
    left = len(task.architectures) - len(without)
    if left < _LEAST_NETWORKS:
        raise RunError(
            f"expected at least {_LEAST_NETWORKS} networks of {task.name} that no run evolves on, got {left}"
        )
    seeds = {run.config.data_seed for run in runs}
    return {seed: task.draw(study.test_networks, seed, without) for seed in seeds}


def _contender(finished: FinishedRun) -> Contender:
    return Contender(finished.run.name, finished.best.program, finished.best.orientation)


def _reference(name: str) -> AnyContender:
    return named_contender(name) if name in NAMED_PROGRAMS else ProxyContender(name)
