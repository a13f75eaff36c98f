"""eznas discovers zero-cost proxies: formulas that rank untrained networks by the accuracy they would reach."""

__version__ = "0.1.0"
