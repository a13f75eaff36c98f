"""Comparisons made by hand, for tables and figures."""

from collections.abc import Mapping

import numpy as np

from eznas.program import Program
from eznas.ranking import Comparison, Correlation, Ranked, StatisticsSettings

NETWORKS = 10


def ranked(
    name: str, tau: float, *, program: str | None = None, scored: int = NETWORKS, networks: int = NETWORKS
) -> Ranked:
    """A contender with this Kendall tau, an interval of 0.1 around it, and other measures below it."""
    scores = np.arange(float(networks))
    scores[scored:] = np.nan
    correlations = (
        Correlation(tau - below, tau - below - 0.1, tau - below + 0.1) for below in (0, 0.01, 0.02, 0.03)
    )
    return Ranked(name, None if program is None else Program.parse(program), scores, *correlations)


def comparison(
    task: str, contenders: list[Ranked] | Mapping[str, float], *, seed: int = 0, batch_size: int = 1
) -> Comparison:
    """A comparison of contenders, or of names with their Kendall taus."""
    if isinstance(contenders, Mapping):
        contenders = [ranked(name, tau) for name, tau in contenders.items()]
    networks = len(contenders[0].scores)
    settings = StatisticsSettings(seed=seed, batch_size=batch_size)
    architectures = tuple(map(str, range(networks)))
    return Comparison(task, settings, architectures, np.arange(float(networks)), tuple(contenders))
