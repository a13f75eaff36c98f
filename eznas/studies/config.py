"""What a study varies, over what, and what its programs are tested on: ready ones, or a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from eznas import proxies
from eznas.errors import ConfigError
from eznas.evolution import EvolutionConfig
from eznas.evolution.config import read_toml
from eznas.program import NAMED_PROGRAMS
from eznas.suggestion import unknown_name
from eznas.tasks import names as task_names

_READY: Final = Path(__file__).parent / "ready"

EACH_TASK: Final = "tasks"
"""The axis of a study that evolves on each task alone."""


class StudyConfig(BaseModel):
    """A study: one evolution for each value of the axis and each seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    question: str
    axis: str
    """The setting of `EvolutionConfig` that varies; `tasks` means each task alone."""
    values: tuple[Any, ...] = ()
    """What the axis takes; none for `tasks`, which takes each of them."""
    tasks: tuple[str, ...] = tuple(task_names())
    """By name or folder: all programs are tested on all of them, and evolved on all of them or on each."""
    seeds: int = Field(default=1, ge=1)
    """Evolutions of each value, with the seeds 0, 1 and so on."""
    test_networks: int | None = Field(default=None, ge=3)
    """Networks of each task for the test, none of which any run evolved on; all of those by default."""
    references: tuple[str, ...] = ()
    """Named programs and proxies to test beside."""
    evolution: dict[str, Any] = Field(default_factory=dict)
    """Settings of `EvolutionConfig` over the paper's."""

    @field_validator("axis")
    @classmethod
    def _is_a_setting(cls, axis: str) -> str:
        if axis == "seed" or axis not in EvolutionConfig.model_fields:
            settings = [name for name in EvolutionConfig.model_fields if name != "seed"]
            raise ValueError(
                f"must be a setting of an evolution but seed: {', '.join(settings)}; got {axis!r}"
            )
        return axis

    @field_validator("references")
    @classmethod
    def _known(cls, references: tuple[str, ...]) -> tuple[str, ...]:
        known = [*NAMED_PROGRAMS, *proxies.names()]
        unknown = [name for name in references if name not in known]
        if unknown:
            raise ValueError(f"unknown {', '.join(unknown)}; expected among {', '.join(known)}")
        return tuple(dict.fromkeys(references))

    @model_validator(mode="after")
    def _values_fit_the_axis(self) -> Self:
        if (self.axis == EACH_TASK) == bool(self.values):
            raise ValueError(
                f"values: expected none for the axis {EACH_TASK} and some for any other, "
                f"got {len(self.values)} for {self.axis}"
            )
        decided = {"tasks", "seed", self.axis} & self.evolution.keys()
        if decided:
            raise ValueError(f"evolution: {', '.join(sorted(decided))} must be left to the study itself")
        if not self.tasks:
            raise ValueError("tasks: expected at least one")
        return self


def names() -> list[str]:
    """The names of the ready studies."""
    return sorted(file.stem for file in _READY.glob("*.toml"))


def get(name: str, *, quick: bool = False, overrides: Mapping[str, Any] | None = None) -> StudyConfig:
    """The ready study of this name, or the study in a TOML file.

    Args:
        name: A name of `names`, or the path of a file that ends with `.toml`.
        quick: With the settings below `quick` in its file over the others.
        overrides: Over all of these.

    Raises:
        ConfigError: There is no such study, the file cannot be read, or a setting is unknown or has a value
            that it cannot have; the message names it.
    """
    file = Path(name) if name.endswith(".toml") else _READY / f"{name}.toml"
    if not name.endswith(".toml") and name not in names():
        raise ConfigError(unknown_name("study", name, names(), "a TOML file"))
    settings = read_toml(file)
    shorter = settings.pop("quick", None)
    if quick:
        if not isinstance(shorter, dict):
            raise ConfigError(f"the study {file.stem} has no quick variant: {file} has no table [quick]")
        evolution = {**settings.get("evolution", {}), **shorter.get("evolution", {})}
        settings.update({**shorter, "evolution": evolution})
    try:
        return StudyConfig.model_validate({"name": file.stem, **settings, **(overrides or {})})
    except ValidationError as error:
        raise ConfigError(
            "; ".join(f"study {file.stem}: {_problem(each)}" for each in error.errors())
        ) from error


def _problem(details: Any) -> str:
    field = ".".join(map(str, details["loc"]))
    message: str = details["msg"].removeprefix("Value error, ")
    return f"{field}: {message[0].lower()}{message[1:]}" if field else message
