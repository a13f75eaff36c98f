"""From a graph and a geometry to the plan that the machine runs: kernels, their order, and memory."""

from eznas.plan.calls import NOTHING, Call, Place, Value
from eznas.plan.folds import GIVE_ONE_NUMBER, arguments_read
from eznas.plan.fusion import HEAVY, Expression
from eznas.plan.plan import Plan, make_plan
from eznas.plan.text import plan_lines
from eznas.plan.verification import verify

__all__ = [
    "GIVE_ONE_NUMBER",
    "HEAVY",
    "NOTHING",
    "Call",
    "Expression",
    "Place",
    "Plan",
    "Value",
    "arguments_read",
    "make_plan",
    "plan_lines",
    "verify",
]
