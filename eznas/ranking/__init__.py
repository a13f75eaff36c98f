"""How well scores rank networks by their accuracy."""

from eznas.ranking.comparison import Comparison, Ranked, compare, rank
from eznas.ranking.contender import AnyContender, Contender, ProxyContender, named_contender
from eznas.ranking.correlation import Correlation, kendall_tau, spearman_rho, with_interval
from eznas.ranking.fitness import Fitness, measure_fitness
from eznas.ranking.scoring import StatisticsSettings, score_networks

__all__ = [
    "AnyContender",
    "Comparison",
    "Contender",
    "Correlation",
    "Fitness",
    "ProxyContender",
    "Ranked",
    "StatisticsSettings",
    "compare",
    "kendall_tau",
    "measure_fitness",
    "named_contender",
    "rank",
    "score_networks",
    "spearman_rho",
    "with_interval",
]
