"""The configuration of an evolution run: presets, TOML files and single settings, checked by pydantic."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from eznas.backends import BACKEND_NAMES, ToScalar
from eznas.errors import ConfigError
from eznas.ops import OPS
from eznas.program.sequential import MAX_LENGTH
from eznas.statistics import Structure
from eznas.terminals import TERMINALS


class Preset(StrEnum):
    """Settings that belong together."""

    PAPER = "paper"
    """The settings of the paper (section 4); the default."""
    QUICK = "quick"
    """A run of about a minute, to see that everything works."""


class Representation(StrEnum):
    """What a program is to evolution."""

    TREE = "tree"
    """An expression tree, varied by exchanging subtrees; the paper's choice."""
    SEQUENTIAL = "sequential"
    """A list of instructions over a memory, the paper's first attempt (appendix)."""


class EvolutionConfig(BaseModel):
    """Everything that decides a run; the defaults are the paper's."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=True)

    tasks: tuple[str, ...] = ("mnist-topology", "mnist-size")
    """Names of tasks, or folders made by `eznas tasks train`."""
    seed: int = Field(default=0, ge=0)
    """Decides the evolution: programs, drawn networks, selection."""
    data_seed: int = Field(default=0, ge=0)
    """Decides which networks are stored and which held out, their weights and images. Runs that share it
    share their stored statistics and are tested on the same networks."""
    generations: int = Field(default=15, ge=1)
    population: int = Field(default=50, ge=4)
    """Even: half of each generation are children, half are new random programs."""

    stored_networks: int = Field(default=80, ge=4)
    """Networks of each task whose statistics are stored for evolution; all others are held out."""
    networks_per_task: int = Field(default=20, ge=3)
    """Networks drawn from each task for the fitness of one generation."""
    tasks_per_generation: int = Field(default=4, ge=1)
    """Tasks drawn for the fitness of one generation, all of them where there are fewer."""

    tournament_size: int = Field(default=4, ge=1)
    parents: int = Field(default=25, ge=2)
    """Selected by tournaments (mu)."""
    offspring: int = Field(default=50, ge=1)
    """Made from the parents at a time (lambda), until enough of them are valid."""
    crossover: float = Field(default=0.4, ge=0, le=1)
    """Probability of one-point crossover; what neither crosses nor mutates is reproduced."""
    mutation: float = Field(default=0.4, ge=0, le=1)
    """Probability that a random subtree takes the place of a subtree, or of a change by one instruction."""
    least_initial_height: int = Field(default=2, ge=1)
    most_initial_height: int = Field(default=10, ge=1)
    height_limit: int = Field(default=10, ge=1, le=80)
    """Heights are those of trees; sequential programs have lengths instead."""
    representation: Representation = Representation.TREE
    least_initial_length: int = Field(default=4, ge=1)
    """Instructions of a random sequential program, at least."""
    most_initial_length: int = Field(default=24, ge=1)
    """The same at most."""
    length_limit: int = Field(default=48, ge=1, le=MAX_LENGTH)
    """The most instructions of a sequential program; insertions stop there."""
    reuse: float = Field(default=0.5, ge=0, le=1)
    """Probability that an argument of a new instruction reads an earlier result rather than a statistic."""
    insert_weight: float = Field(default=1, ge=0)
    """How likely a mutation of a sequential program is InsertOP, relative to the three others."""
    remove_weight: float = Field(default=1, ge=0)
    """The same of RemoveOP."""
    operation_weight: float = Field(default=1, ge=0)
    """The same of MutateOP."""
    argument_weight: float = Field(default=1, ge=0)
    """The same of MutateOpArg."""
    operations: tuple[str, ...] = tuple(OPS)
    """The operations that programs may use."""
    terminals: tuple[str, ...] = tuple(TERMINALS)
    """The statistics that programs may read."""

    structure: Structure = Structure.RCB
    to_scalar: ToScalar = ToScalar.MEAN
    batch_size: int = Field(default=1, ge=1)
    backend: str = "auto"
    threads: int | None = Field(default=None, ge=1)
    memo_bytes: int | None = Field(default=None, ge=0)

    finalists: int = Field(default=25, ge=1)
    """The fittest programs ever met, measured again on all stored networks at the end."""
    test_networks: int | None = Field(default=None, ge=3)
    """Held-out networks of each task for the final test; all of them by default."""
    bootstrap_resamples: int = Field(default=1000, ge=100)

    @field_validator("population")
    @classmethod
    def _even(cls, population: int) -> int:
        if population % 2:
            raise ValueError(f"must be even, half children and half random programs, got {population}")
        return population

    @field_validator("tasks", "operations", "terminals")
    @classmethod
    def _distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or len(set(names)) < len(names):
            raise ValueError(f"must be distinct names, at least one, got {', '.join(names) or 'none'}")
        return names

    @field_validator("operations")
    @classmethod
    def _known_operations(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _known(names, OPS)

    @field_validator("terminals")
    @classmethod
    def _known_terminals(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _known(names, TERMINALS)

    @field_validator("backend")
    @classmethod
    def _known_backend(cls, name: str) -> str:
        return _known((name,), dict.fromkeys(BACKEND_NAMES))[0]

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.networks_per_task > self.stored_networks:
            raise ValueError(
                f"networks_per_task ({self.networks_per_task}) must not exceed "
                f"stored_networks ({self.stored_networks})"
            )
        if self.crossover + self.mutation > 1:
            raise ValueError(
                f"crossover ({self.crossover}) and mutation ({self.mutation}) must not exceed 1 together"
            )
        if not self.least_initial_height <= self.most_initial_height <= self.height_limit:
            raise ValueError(
                f"expected least_initial_height <= most_initial_height <= height_limit, got "
                f"{self.least_initial_height}, {self.most_initial_height}, {self.height_limit}"
            )
        if not self.least_initial_length <= self.most_initial_length <= self.length_limit:
            raise ValueError(
                f"expected least_initial_length <= most_initial_length <= length_limit, got "
                f"{self.least_initial_length}, {self.most_initial_length}, {self.length_limit}"
            )
        if not self.insert_weight + self.remove_weight + self.operation_weight + self.argument_weight:
            raise ValueError("expected a weight above 0 for one of insert, remove, operation and argument")
        return self


def _known(names: tuple[str, ...], table: Mapping[str, Any]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in table]
    if unknown:
        raise ValueError(f"unknown {', '.join(unknown)}; expected among {', '.join(table)}")
    return names


PRESETS: Final[dict[Preset, dict[str, Any]]] = {
    Preset.PAPER: {},
    Preset.QUICK: {
        "generations": 4,
        "population": 20,
        "parents": 10,
        "offspring": 20,
        "stored_networks": 24,
        "networks_per_task": 12,
        "finalists": 8,
        "test_networks": 60,
    },
}


def make_config(
    preset: Preset = Preset.PAPER, file: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> EvolutionConfig:
    """A configuration: the preset, over it the TOML file, over it the overrides.

    Raises:
        ConfigError: The file cannot be read, or a field is unknown or has a value out of range; the message
            names the field.
    """
    return checked_config({**PRESETS[preset], **(read_toml(file) if file else {}), **(overrides or {})})


def checked_config(settings: Mapping[str, Any]) -> EvolutionConfig:
    """A configuration from settings by name.

    Raises:
        ConfigError: See `make_config`.
    """
    try:
        return EvolutionConfig.model_validate(settings)
    except ValidationError as error:
        raise ConfigError("; ".join(map(_problem, error.errors()))) from error


def _problem(details: Any) -> str:
    field = ".".join(map(str, details["loc"]))
    if details["type"] == "extra_forbidden":
        return f"unknown field {field!r}; expected among {', '.join(EvolutionConfig.model_fields)}"
    message: str = details["msg"].removeprefix("Value error, ")
    if not field:
        return message
    got = "" if details["type"] == "value_error" else f", got {details['input']!r}"
    return f"{field}: {message[0].lower()}{message[1:]}{got}"


def read_toml(file: Path) -> dict[str, Any]:
    """The settings of a TOML file, unchecked.

    Raises:
        ConfigError: The file cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {file}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from error
