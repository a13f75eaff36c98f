"""The results of one architecture as NATS-Bench and NAS-Bench-201 record them (Dong et al., 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eznas.errors import TaskError
from eznas.tasks.imported_plan import AccuracyKey
from eznas.tasks.importing.records import Measured, whole_number
from eznas.tasks.importing.request import Request

_MILLION: Final = 1e6
_ORIGINAL_TEST: Final = frozenset({"cifar10", "cifar10-valid"})
"""Data sets whose test images were not halved into validation and test images."""

States = Mapping[str, Mapping[str, Any]]
"""For each set of hyper-parameters, named by its epochs: `arch_index`, `arch_str`, `all_results`."""


def full_split(data_set: str, split: str) -> str:
    """The name of a split in the benchmark: `test` is `ori-test` or `x-test`, `valid` is `x-valid`.

    For CIFAR-100 and ImageNet16-120 the benchmark's `ori-test` is validation and test images together.
    """
    test = "ori-test" if data_set in _ORIGINAL_TEST else "x-test"
    return {"test": test, "valid": "x-valid"}.get(split, split)


@dataclass(frozen=True, slots=True)
class Selected:
    """What one architecture has of a key, and where that is nothing, the keys that it has."""

    index: int
    measured: Measured
    present: frozenset[AccuracyKey] = frozenset()


def select(states: object, request: Request, what: str) -> Selected:
    """The accuracies of every seed, after the last epoch of the wanted training.

    Args:
        states: The record of an architecture.
        request: Which accuracies are wanted.
        what: The name of the file, for errors.

    Raises:
        TaskError: The record is not in the layout of the benchmark.
    """
    try:
        return _select(states, request, what)  # type: ignore[arg-type] # what a file holds is found out there
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise TaskError(
            f"{what} is not in the layout of NATS-Bench: {type(error).__name__}: {error}"
        ) from error


def _select(states: States, request: Request, what: str) -> Selected:
    first = next(iter(states.values()))
    index, architecture = int(first["arch_index"]), str(first["arch_str"])
    split = full_split(request.data_set, request.split)
    of_training = [
        (key, result)
        for key, result in _results(states)
        if (key.data_set, key.epochs) == (request.data_set, request.epochs)
    ]
    accuracies = []
    for _, result in of_training:
        accuracy = result["eval_acc1es"].get(f"{split}@{int(result['epochs']) - 1}")
        if accuracy is not None:
            accuracies.append(float(accuracy))
    if not accuracies:
        return Selected(index, Measured(architecture, ()), frozenset(_present(states)))
    costs = of_training[0][1]
    parameters = whole_number(costs["params"], _MILLION, f"{what}: params")
    flops = whole_number(costs["flop"], _MILLION, f"{what}: flop")
    return Selected(index, Measured(architecture, tuple(accuracies), parameters, flops))


def _results(states: States) -> Iterator[tuple[AccuracyKey, Mapping[str, Any]]]:
    """Every training: its key, whose split is not said yet, and its record."""
    for label, state in states.items():
        for (data_set, _seed), result in state["all_results"].items():
            yield AccuracyKey(data_set=data_set, epochs=int(label), split=""), result


def _present(states: States) -> Iterator[AccuracyKey]:
    for key, result in _results(states):
        last = f"@{int(result['epochs']) - 1}"
        for name in result["eval_acc1es"]:
            if name.endswith(last):
                yield key.model_copy(update={"split": name.removesuffix(last)})
