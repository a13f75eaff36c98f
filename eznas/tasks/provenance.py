"""Where a table comes from, how real its ranking is, and how exactly it can be made again."""

from __future__ import annotations

import itertools
import json
import math
import platform
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.tasks.plan import TablePlan
from eznas.tasks.table import AccuracyTable

SINGLE_TOLERANCE: Final = 12.0
"""How many points the accuracy of one training may move on another processor or torch build.

Training amplifies the last bit of a sum. Measured on the embedded tasks with older vector instructions, other
convolution kernels and two threads: of 102 trainings half moved by less than 0.6 points, 95 % by less than
2.5, the most by 5.6; of 96 trainings of the architectures whose seeds differ most, the most by 10.8.
"""

MEAN_TOLERANCE: Final = 5.0
"""How many points the mean over four seeds may move likewise.

Measured for the architectures whose seeds differ most: 0.8 on average, at most 3.7.
"""

_REPRODUCIBILITY: Final = (
    "The same plan gives the same accuracies to the digit on the same processor and torch build, for any "
    "number of processes. Elsewhere float32 sums are added up in another order: on the embedded tasks single "
    f"accuracies then stay within {SINGLE_TOLERANCE:g} points, and means over four seeds within "
    f"{MEAN_TOLERANCE:g} points."
)

_MOST_HALVINGS: Final = 252
"""All ways to halve ten seeds; of more seeds so many halvings are drawn."""


def provenance(plan: TablePlan, table: AccuracyTable, seconds: float) -> str:
    """The plan, the measures of `ranking_quality`, the seconds of training and the versions used, as JSON."""
    record = {
        "plan": plan.model_dump(),
        "ranking": ranking_quality(table),
        "training_hours": round(seconds / 3600, 2),
        "reproducibility": _REPRODUCIBILITY,
        "made_with": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "machine": platform.machine(),
            "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        },
    }
    return json.dumps(record, indent=2, allow_nan=False) + "\n"


def ranking_quality(table: AccuracyTable) -> dict[str, float | None]:
    """How far the ranking is a property of the architectures, and how far the cost alone explains it.

    What the table does not tell is left out; what is not defined, such as the tau of equal accuracies, is
    None.
    """
    quality = {} if table.seed_accuracies is None else _quality_over_seeds(table.seed_accuracies)
    for name, costs in (("parameters", table.parameters), ("flops", table.flops)):
        if costs is not None:
            quality[f"tau_of_{name}"] = _rounded(_tau(costs, table.accuracies), 4)
    quality["accuracy_least"] = _rounded(float(table.accuracies.min()), 2)
    quality["accuracy_most"] = _rounded(float(table.accuracies.max()), 2)
    return quality


def _quality_over_seeds(accuracies: NDArray[np.float64]) -> dict[str, float | None]:
    """What the seeds tell, from accuracies (architectures, seeds).

    The agreement is the Kendall tau between the mean accuracies of two disjoint halves of the seeds, over the
    ways to halve them.
    """
    halves = [
        _tau(accuracies[:, half].mean(axis=1), np.delete(accuracies, half, axis=1).mean(axis=1))
        for half in _halvings(accuracies.shape[1])
    ]
    over_architectures = float(accuracies.mean(axis=1).std(ddof=1))
    over_seeds = math.sqrt(float(accuracies.var(axis=1, ddof=1).mean()))
    return {
        "tau_between_seed_halves_mean": _rounded(float(np.mean(halves)), 4),
        "tau_between_seed_halves_least": _rounded(float(np.min(halves)), 4),
        "deviation_over_architectures": _rounded(over_architectures, 3),
        "deviation_over_seeds": _rounded(over_seeds, 3),
        "deviation_ratio": _rounded(over_architectures / over_seeds, 2) if over_seeds > 0 else None,
    }


def _halvings(seeds: int) -> list[list[int]]:
    """Which seeds make the first half, for every way to halve them or for many drawn ones."""
    size = seeds // 2
    if math.comb(seeds, size) <= _MOST_HALVINGS:
        return [list(half) for half in itertools.combinations(range(seeds), size)]
    generator = np.random.default_rng(0)
    return [generator.permutation(seeds)[:size].tolist() for _ in range(_MOST_HALVINGS)]


def _tau(first: NDArray[np.float64 | np.int64], second: NDArray[np.float64]) -> float:
    # Imported late: it takes seconds, and the processes that train need none of it.
    from scipy import stats

    return float(stats.kendalltau(first, second).statistic)


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
