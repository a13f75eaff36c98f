"""The tasks that the package ships: a topology space and a size space, trained on real digits."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from eznas.tasks.plan import TablePlan

EMBEDDED_PLANS: dict[str, TablePlan] = {
    plan.name: plan
    for plan in (
        TablePlan(name="mnist-topology", space="micro-topology"),
        TablePlan(name="mnist-size", space="micro-size"),
    )
}


def embedded_folder(name: str) -> Path:
    """Where the package keeps the table and the provenance of an embedded task."""
    return Path(str(files("eznas.tasks"))) / "tables" / name
