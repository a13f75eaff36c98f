"""What an imported table holds: which accuracies of which benchmark, and the images that go with them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AccuracyKey(BaseModel):
    """Which of a benchmark's accuracies; never left to a default, since rankings differ between them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_set: str
    """As the benchmark calls it, such as `cifar10` or `ImageNet16-120`."""
    epochs: int | None
    """Epochs of training; None where the benchmark has one training alone and does not tell."""
    split: str
    """`test`, `valid`, ... as the benchmark calls it."""
    seeds: str = "mean"
    """How several trainings of an architecture become one accuracy."""

    def __str__(self) -> str:
        epochs = "" if self.epochs is None else f", {self.epochs} epochs"
        return f"{self.data_set}, {self.split} accuracy{epochs}, {self.seeds} over seeds"


class ImportedPlan(BaseModel):
    """Everything that is known of an imported table beside its rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.-]+$")
    space: str
    """A space by name, or as `package.module:ClassName`."""
    benchmark: str
    """The format that was read, such as `nats-bench`."""
    key: AccuracyKey
    classes: int = Field(ge=2)
    normalisation: str
    """Of the images, by its name in `NORMALISATIONS`."""
    source: str
    """The name of the file or folder that the accuracies were read from."""
    images_source: str
    """Where the images came from."""
    images_digest: str = ""
    """Of the images that were kept."""
