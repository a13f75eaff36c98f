"""Tasks: a space, images, and the accuracies of really trained architectures; how to train more of them."""

from eznas.tasks.augmentation import Augmentation
from eznas.tasks.collecting import collect_task, default_stores, network_statistics, open_or_collect
from eznas.tasks.embedded import EMBEDDED_PLANS
from eznas.tasks.plan import TablePlan
from eznas.tasks.producing import produce_table
from eznas.tasks.registry import get, names
from eznas.tasks.table import AccuracyTable
from eznas.tasks.task import Task
from eznas.tasks.training import TrainingSettings

__all__ = [
    "EMBEDDED_PLANS",
    "AccuracyTable",
    "Augmentation",
    "TablePlan",
    "Task",
    "TrainingSettings",
    "collect_task",
    "default_stores",
    "get",
    "names",
    "network_statistics",
    "open_or_collect",
    "produce_table",
]
