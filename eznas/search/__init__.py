"""Proxies in architecture search: searches on tasks, and proxies as functions for other libraries."""

from eznas.search.proxy_function import ProxyFunction
from eznas.search.proxy_scores import ProxyScores
from eznas.search.searching import SearchObserver, SearchOutcome, Trajectory, run_searches
from eznas.search.settings import Method, SearchSettings, fitting_sizes
from eznas.search.summary import Curve, Mean, Reached, curve, default_targets, reached

__all__ = [
    "Curve",
    "Mean",
    "Method",
    "ProxyFunction",
    "ProxyScores",
    "Reached",
    "SearchObserver",
    "SearchOutcome",
    "SearchSettings",
    "Trajectory",
    "curve",
    "default_targets",
    "fitting_sizes",
    "reached",
    "run_searches",
]
