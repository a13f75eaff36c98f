"""How well scores rank networks by their accuracy."""

from eznas.ranking.comparison import (
    Comparison,
    Contender,
    Ranked,
    StatisticsSettings,
    compare,
    named_contender,
)
from eznas.ranking.correlation import Correlation, kendall_tau, spearman_rho, with_interval
from eznas.ranking.fitness import Fitness, measure_fitness

__all__ = [
    "Comparison",
    "Contender",
    "Correlation",
    "Fitness",
    "Ranked",
    "StatisticsSettings",
    "compare",
    "kendall_tau",
    "measure_fitness",
    "named_contender",
    "spearman_rho",
    "with_interval",
]
