"""Benchmarks: frozen workloads on real networks, by every backend and by other evaluators, in one run."""
