"""What a program does: its response to sizes, the part of each subtree, ties, and sensitivity to the seed."""

from eznas.analysis.contribution import (
    Contribution,
    Contributions,
    Replacement,
    Variant,
    contributions,
    variants,
)
from eznas.analysis.random_layers import LayerSizes
from eznas.analysis.response import Response, ResponsePoint, measure_response
from eznas.analysis.response_settings import PAPER_REPETITIONS, Axis, ResponseSettings
from eznas.analysis.seeds import SeedSensitivity, seed_sensitivity
from eznas.analysis.task_analysis import Section, TaskAnalysis, analyse_task
from eznas.analysis.ties import Ties, count_ties

__all__ = [
    "PAPER_REPETITIONS",
    "Axis",
    "Contribution",
    "Contributions",
    "LayerSizes",
    "Replacement",
    "Response",
    "ResponsePoint",
    "ResponseSettings",
    "Section",
    "SeedSensitivity",
    "TaskAnalysis",
    "Ties",
    "Variant",
    "analyse_task",
    "contributions",
    "count_ties",
    "measure_response",
    "seed_sensitivity",
    "variants",
]
