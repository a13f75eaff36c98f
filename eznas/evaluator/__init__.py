"""The evaluator: scores of many programs on many networks, and the reasons where there are none."""

from eznas.evaluator.evaluator import Evaluator
from eznas.evaluator.model import score_model
from eznas.evaluator.scores import Failure, FailureKind, Scores

__all__ = ["Evaluator", "Failure", "FailureKind", "Scores", "score_model"]
