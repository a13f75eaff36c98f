"""What is asked of a benchmark's file: which of its accuracies, and how to find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eznas.errors import TaskError
from eznas.tasks.imported_plan import AccuracyKey

Progress = Callable[[int, int], None]
"""Called with the files read and the files in all."""


def unreported(_done: int, _total: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which accuracies are wanted; a key that the file does not have is an error that lists those it has."""

    data_set: str
    """As the benchmark calls it."""
    split: str
    """As the benchmark calls it; `test` and `valid` also stand for what NATS-Bench calls them."""
    epochs: int | None = None
    """Epochs of training; only NAS-Bench-Suite-Zero, which does not tell, goes without."""
    space: str | None = None
    """A space by name or import path, where the file does not tell it."""
    architecture_column: str = "arch"
    accuracy_column: str = "accuracy"
    processes: int | None = None
    """Processes that read the files of a folder; one for each core by default."""

    def needed_epochs(self, benchmark: str) -> int:
        """The epochs.

        Raises:
            TaskError: None were given.
        """
        if self.epochs is None:
            raise TaskError(
                f"the accuracies of {benchmark} need epochs; rankings differ between lengths of training"
            )
        return self.epochs

    def key(self, split: str | None = None) -> AccuracyKey:
        """The accuracy key, with the split by its full name in the benchmark."""
        return AccuracyKey(data_set=self.data_set, epochs=self.epochs, split=split or self.split)


def missing_key(source: str, wanted: AccuracyKey, present: Iterable[AccuracyKey]) -> TaskError:
    """The error that a file has no accuracy of this key: it lists the keys that are there."""
    lengths: dict[tuple[str, str], set[int]] = {}
    for key in present:
        lengths.setdefault((key.data_set, key.split), set()).add(key.epochs or 0)
    splits: dict[tuple[str, str], list[str]] = {}
    for (data_set, split), epochs in sorted(lengths.items()):
        after = "" if epochs == {0} else f" after {', '.join(map(str, sorted(epochs)))} epochs"
        splits.setdefault((data_set, after), []).append(split)
    shown = "; ".join(f"{data_set}{after}: {', '.join(names)}" for (data_set, after), names in splits.items())
    return TaskError(f"{source} does not have {wanted}; it has {shown or 'no accuracy at all'}")
