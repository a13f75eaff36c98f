"""The evolutions that a study is made of."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eznas import tasks
from eznas.errors import ConfigError
from eznas.evolution import EvolutionConfig
from eznas.evolution.config import checked_config
from eznas.ranking import StatisticsSettings
from eznas.studies.config import EACH_TASK, StudyConfig
from eznas.tasks import Task


@dataclass(frozen=True, slots=True)
class StudyRun:
    """One evolution of a study."""

    label: str
    """The value of the axis, as it stands in tables."""
    config: EvolutionConfig

    @property
    def name(self) -> str:
        """The name of its folder, and what it is called in messages."""
        return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', self.label)}-seed{self.config.seed}"

    @property
    def settings(self) -> StatisticsSettings:
        """How its programs are scored: as they were when they were evolved."""
        config = self.config
        return StatisticsSettings(config.structure, config.to_scalar, config.batch_size, config.data_seed)


def planned_runs(study: StudyConfig, threads: int | None = None) -> tuple[StudyRun, ...]:
    """All evolutions of a study, value after value and seed after seed.

    Args:
        study: The study.
        threads: Networks that each run evaluates at once; it changes no result.

    Raises:
        ConfigError: A setting is unknown or out of range, or two values or tasks have the same name.
        TaskError: There is no such task.
    """
    opened = [tasks.get(name) for name in study.tasks]
    _check_distinct([task.name for task in opened], "tasks")
    sources = [lasting_source(task) for task in opened]
    values: list[tuple[str, dict[str, Any]]]
    if study.axis == EACH_TASK:
        values = [(task.name, {"tasks": (source,)}) for task, source in zip(opened, sources, strict=True)]
    else:
        values = [(_label(value), {"tasks": tuple(sources), study.axis: value}) for value in study.values]
    runs = tuple(
        StudyRun(label, checked_config({"threads": threads, **study.evolution, **of_value, "seed": seed}))
        for label, of_value in values
        for seed in range(study.seeds)
    )
    _check_distinct([run.name for run in runs], "values")
    return runs


def lasting_source(task: Task) -> str:
    """What opens the task from any directory: its name, or its folder in full."""
    return task.source if task.source in tasks.names() else str(Path(task.source).resolve())


def evolved_on(runs: tuple[StudyRun, ...], task: Task) -> frozenset[int]:
    """The rows of a task whose networks any of the runs evolves on."""
    source = lasting_source(task)
    rows: set[int] = set()
    for stored, seed in {
        (run.config.stored_networks, run.config.data_seed) for run in runs if source in run.config.tasks
    }:
        rows.update(task.split(stored, seed)[0].tolist())
    return frozenset(rows)


def _label(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _check_distinct(names: list[str], what: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ConfigError(f"{what}: expected distinct names, got {', '.join(repeated)} more than once")
