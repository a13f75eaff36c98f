"""Scores of untrained networks: each is built, scored by all contenders and forgotten, over processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from eznas import proxies, tasks
from eznas.errors import ProxyError
from eznas.evaluator import Evaluator
from eznas.processes import in_processes
from eznas.ranking.contender import AnyContender, Contender, ProxyContender
from eznas.ranking.score_journal import Outcome, ScoreJournal, opened_journal
from eznas.statistics import NetworkStatistics, collect_statistics, network_seed
from eznas.tasks import Task
from eznas.threads import available_processors, one_torch_thread

Progress = Callable[[int, int], None]
"""Called with the networks done and the networks in all."""

_IMAGES_TOGETHER: Final = 8
"""A process keeps the statistics of networks of so many images in all before their programs are evaluated."""

_WORTH_A_PROCESS: Final = 50
"""Networks for each process at least: a process takes some four seconds to start, a network some 0.1 s."""


@dataclass(frozen=True, slots=True)
class StatisticsSettings:
    """How the statistics of a network are taken, and how its layers become a score."""

    structure: str = "rcb"
    to_scalar: str = "mean"
    batch_size: int = 1
    seed: int = 0


def score_networks(
    task: Task,
    architectures: Sequence[str],
    contenders: Sequence[AnyContender],
    settings: StatisticsSettings,
    *,
    processes: int | None = None,
    journal: Path | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """The scores of `network_outcomes` alone, (contenders, networks); NaN where there is none."""
    outcomes = network_outcomes(
        task, architectures, contenders, settings, processes=processes, journal=journal, progress=progress
    )
    scores = [[math.nan if isinstance(outcome, str) else outcome for outcome in row] for row in outcomes]
    return np.array(scores, dtype=np.float64).reshape(len(contenders), len(architectures))


def network_outcomes(
    task: Task,
    architectures: Sequence[str],
    contenders: Sequence[AnyContender],
    settings: StatisticsSettings,
    *,
    processes: int | None = None,
    journal: Path | None = None,
    progress: Progress | None = None,
) -> list[list[Outcome]]:
    """Score untrained networks of a task; the same for any number of processes.

    Args:
        task: Gives networks and images.
        architectures: Of the task's space.
        contenders: Only the statistics that their programs read are collected.
        settings: How statistics and scores are taken.
        processes: How many networks are scored at a time; by default all processors, where there are
            networks enough for the processes to be worth their start.
        journal: A folder that keeps every score at once, so that the same call goes on where it was ended,
            and what is asked for in addition is all that is computed.
        progress: Told of the networks done.

    Returns:
        For each contender, for each network, the score, or the reason why there is none.

    Raises:
        EznasError: A network cannot be built or has no layer, or the journal cannot be read or written.
    """
    identity = {"batches": task.batches.identity, "space": task.space.name, **asdict(settings)}
    with opened_journal(journal, task.name, identity) as kept:
        _score_missing(task, architectures, contenders, settings, kept, processes, progress or _untold)
        return [[kept.outcomes(text)[contender.key] for text in architectures] for contender in contenders]


def _score_missing(
    task: Task,
    architectures: Sequence[str],
    contenders: Sequence[AnyContender],
    settings: StatisticsSettings,
    kept: ScoreJournal,
    processes: int | None,
    progress: Progress,
) -> None:
    """Score the networks of which an outcome is missing, those together that miss the same."""
    missing: dict[tuple[AnyContender, ...], list[str]] = {}
    for text in dict.fromkeys(architectures):
        known = kept.outcomes(text)
        missed = tuple(contender for contender in contenders if contender.key not in known)
        missing.setdefault(missed, []).append(text)
    done = len(missing.pop((), []))
    total = done + sum(map(len, missing.values()))
    progress(done, total)
    for missed, texts in missing.items():
        shares = _shares(texts, settings.batch_size)
        count = processes or max(1, min(available_processors(), len(texts) // _WORTH_A_PROCESS))
        with closing(in_processes(_Scorer(task, missed, settings), shares, count)) as outcomes:
            for share, found in outcomes:
                kept.keep(dict(zip(share, found, strict=True)))
                done += len(share)
                progress(done, total)


def _shares(architectures: Sequence[str], batch_size: int) -> list[tuple[str, ...]]:
    size = max(1, _IMAGES_TOGETHER // batch_size)
    return [tuple(architectures[begin : begin + size]) for begin in range(0, len(architectures), size)]


@dataclass(frozen=True)
class _Scorer:
    """Scores a few networks with all contenders."""

    task: Task
    contenders: tuple[AnyContender, ...]
    settings: StatisticsSettings

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process opens the task by itself: its images and table need not travel.
        return _reopened, (self.task.source, self.contenders, self.settings)

    @cached_property
    def _build(self) -> Callable[[str, int], nn.Module]:
        return self.task.builder()

    def __call__(self, architectures: Sequence[str]) -> list[dict[str, Outcome]]:
        """For each network the outcomes by the contenders' keys."""
        programs = [contender for contender in self.contenders if isinstance(contender, Contender)]
        others = [contender for contender in self.contenders if isinstance(contender, ProxyContender)]
        terminals = sorted({name for contender in programs for name in contender.program.terminals})
        inputs, targets = self.task.batch(self.settings.batch_size, self.settings.seed)
        statistics: list[NetworkStatistics] = []
        found: list[dict[str, Outcome]] = []
        for architecture in architectures:
            seed = network_seed(self.settings.seed, architecture)
            model = self._build(architecture, seed)
            with one_torch_thread():
                if programs:
                    structure = self.settings.structure
                    statistics.append(collect_statistics(model, inputs, terminals, structure, seed=seed))
                found.append(
                    {
                        contender.key: _attempt(contender.name, model, inputs, targets, seed)
                        for contender in others
                    }
                )
        if programs:
            for of_network, outcomes in zip(found, self._evaluated(programs, statistics), strict=True):
                of_network |= outcomes
        return found

    def _evaluated(
        self, programs: Sequence[Contender], statistics: Sequence[NetworkStatistics]
    ) -> list[dict[str, Outcome]]:
        # Named, since `auto` takes another backend for a single network than for several.
        evaluator = Evaluator(statistics, "tile", 1, memo_bytes=0, to_scalar=self.settings.to_scalar)
        scores = evaluator.score([contender.program for contender in programs])
        reasons = {
            (str(failure.program), failure.network): f"layer {failure.layer}: {failure.message}"
            for failure in scores.failures
        }
        return [
            {
                contender.key: reasons.get((str(contender.program), network), value)
                for contender, value in zip(programs, column, strict=True)
            }
            for network, column in enumerate(scores.values.T.tolist())
        ]


def _reopened(source: str, contenders: tuple[AnyContender, ...], settings: StatisticsSettings) -> _Scorer:
    return _Scorer(tasks.get(source), contenders, settings)


def _attempt(name: str, model: Any, inputs: Any, targets: Any, seed: int) -> Outcome:
    try:
        score = proxies.get(name)(model, inputs, targets, seed=seed)
    except ProxyError as error:
        return str(error)
    return score if math.isfinite(score) else f"the proxy gives {score}"


def _untold(_done: int, _total: int) -> None:
    """Nobody wants to know."""
