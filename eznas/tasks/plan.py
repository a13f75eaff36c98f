"""What a table of accuracies is to hold: the space, the sampled architectures and the training settings."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eznas import spaces
from eznas.errors import TaskError
from eznas.tasks.images import MNIST
from eznas.tasks.training import TrainingData, TrainingSettings, training_data


class TablePlan(BaseModel):
    """Everything that decides a table; the plan is kept beside it, so that the table can be made again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.-]+$")
    space: str
    """A space by name, or as `package.module:ClassName`."""
    architectures: int = Field(default=320, ge=8)
    """How many distinct architectures are drawn from the space."""
    sample_seed: int = 0
    training: TrainingSettings = TrainingSettings()

    def sample(self) -> list[str]:
        """The drawn architectures, in the order of the space.

        Raises:
            SpaceError: The space is unknown, holds fewer architectures than asked for, or one of them twice.
        """
        return spaces.get(self.space).sample(self.architectures, self.sample_seed)


def make_plan(
    name: str,
    table: Mapping[str, Any],
    training: Mapping[str, Any],
    base: TablePlan | None = None,
) -> TablePlan:
    """A plan from fields, each checked, on top of another plan or of the defaults.

    Args:
        name: The name of the new task.
        table: Fields of `TablePlan`.
        training: Fields of `TrainingSettings`.
        base: Gives the fields that are not given.

    Raises:
        TaskError: A field is unknown, missing or out of range; the text names it.
    """
    fields = {**(base.model_dump() if base else {}), **table, "name": name}
    settings = {**(base.training.model_dump() if base else {}), **training}
    images = settings.get("images", MNIST)
    if isinstance(images, str) and images != MNIST:
        settings["images"] = str(Path(images).resolve())  # the table outlives the working directory
    try:
        return TablePlan.model_validate({**fields, "training": settings})
    except ValidationError as error:
        raise TaskError(f"the plan of the task {name!r}: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """The first field that pydantic found wrong, what is wrong with it, and what stood there."""
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"the field {field} is missing"
    return f"{field or 'the whole'}: {problem['msg']}, got {reprlib.repr(problem['input'])}"


@lru_cache(maxsize=4)
def prepared(plan: TablePlan) -> tuple[spaces.Space, TrainingData]:
    """The space and the images of a plan, loaded once a process.

    Raises:
        SpaceError: The space is unknown.
        TaskError: The images cannot be read, or do not fit the plan or the space.
    """
    space = spaces.get(plan.space)
    return space, training_data(plan.training, space)
