"""Discovers zero-cost proxies: formulas that rank untrained networks by the accuracy they would reach."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from eznas.errors import EznasError

if TYPE_CHECKING:
    from eznas import proxies, spaces, tasks
    from eznas.evaluator import Evaluator, Scores, score_model
    from eznas.evolution import EvolutionConfig, evolve, resume
    from eznas.ops import OPS
    from eznas.program import NAMED_PROGRAMS, Program, SequentialProgram
    from eznas.search import ProxyFunction
    from eznas.statistics import NetworkStatistics, collect_statistics, initialise
    from eznas.store import StatisticsStore

__version__ = "0.1.0"

__all__ = [
    "NAMED_PROGRAMS",
    "OPS",
    "Evaluator",
    "EvolutionConfig",
    "EznasError",
    "NetworkStatistics",
    "Program",
    "ProxyFunction",
    "Scores",
    "SequentialProgram",
    "StatisticsStore",
    "collect_statistics",
    "evolve",
    "initialise",
    "proxies",
    "resume",
    "score_model",
    "spaces",
    "tasks",
]

# Imported at first use: torch and matplotlib take seconds, which `eznas --help` need not wait for.
_HOMES = {
    "NAMED_PROGRAMS": "eznas.program",
    "OPS": "eznas.ops",
    "Evaluator": "eznas.evaluator",
    "EvolutionConfig": "eznas.evolution",
    "NetworkStatistics": "eznas.statistics",
    "Program": "eznas.program",
    "ProxyFunction": "eznas.search",
    "Scores": "eznas.evaluator",
    "SequentialProgram": "eznas.program",
    "StatisticsStore": "eznas.store",
    "collect_statistics": "eznas.statistics",
    "evolve": "eznas.evolution",
    "initialise": "eznas.statistics",
    "resume": "eznas.evolution",
    "score_model": "eznas.evaluator",
}


def __getattr__(name: str) -> Any:
    if name in {"proxies", "spaces", "tasks"}:
        return importlib.import_module(f"eznas.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'eznas' has no attribute {name!r}")
