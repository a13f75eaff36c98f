"""Random layers on which an artefact has to give what the evaluator gives, before it is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.errors import ExportError
from eznas.evaluator import Evaluator, Failure
from eznas.evaluator.scores import FailureKind
from eznas.export.agreement import agrees
from eznas.export.description import Description
from eznas.export.layer_source import layer_graph
from eznas.statistics import NetworkStatistics, Structure, geometry_of_convolution
from eznas.terminals import Geometry

Array = NDArray[np.float32]
Runner = Callable[[Mapping[str, Array]], float]
"""An artefact's number for the statistics of one layer; raises `Refusal` for shapes that it refuses."""

_CONVOLUTIONS: Final = (
    # channels in and out, kernel, stride, groups, side, batch: those of NAS-Bench-201, then odd ones
    (16, 16, 3, 1, 1, 32, 1),
    (32, 32, 3, 1, 1, 16, 1),
    (64, 64, 3, 1, 1, 8, 1),
    (32, 64, 3, 2, 1, 16, 1),
    (64, 64, 1, 1, 1, 8, 1),
    (3, 8, 5, 2, 1, 11, 2),
    (6, 6, 3, 1, 6, 7, 3),
    (4, 6, 1, 1, 2, 6, 1),
    (5, 5, 5, 1, 1, 5, 5),
    (1, 1, 1, 1, 1, 1, 1),
)


class Refusal(Exception):  # noqa: N818 - not an error: the shapes may be none of the program's
    """An artefact does not take the shapes of a layer."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A layer and what the evaluator gives for it."""

    layer: Mapping[str, Array]
    expected: float
    """The number; NaN or infinity where that is what the program gives."""
    is_refused: bool
    """Whether the program has no shape on the layer."""


@dataclass(frozen=True, slots=True)
class Checked:
    """On how many random layers an artefact gave what the evaluator gives."""

    layers: int
    refused: int
    """Layers that the program has a shape on and the artefact does not take."""


def geometries(structure: Structure) -> tuple[Geometry, ...]:
    """The shapes of the layers that artefacts are tried on."""
    return tuple(geometry_of_convolution(*sizes, structure) for sizes in _CONVOLUTIONS)


def make_trials(description: Description, seed: int) -> list[Trial]:
    """Layers of normal values, of values with NaN, infinities and zeros among them, and of zeros alone.

    Raises:
        ExportError: The program has a shape on none of them.
    """
    generator = np.random.default_rng(seed)
    layers = []
    for geometry in geometries(description.structure):
        drawn = {name: _drawn(geometry, name, generator) for name in description.program.terminals}
        layers.append(drawn)
        if geometry.t2 is not None and math.prod(geometry.t2) < 2**13:
            layers.append({name: _with_specials(array, generator) for name, array in drawn.items()})
            layers.append({name: np.zeros_like(array) for name, array in drawn.items()})
    trials = _judged(description, layers)
    if all(trial.is_refused for trial in trials):
        reason = _evaluated(description, layers[:1])[0]
        raise ExportError(f"{description.program} has a shape on none of the layers tried: {reason}")
    return trials


def check(description: Description, trials: list[Trial], run: Runner, *, may_refuse: bool) -> Checked:
    """Compare an artefact with the evaluator on each layer.

    Args:
        description: The proxy.
        trials: What is expected.
        run: The artefact.
        may_refuse: Whether it may refuse layers that the program has a shape on.

    Raises:
        ExportError: It disagrees on a layer, or took none of them.
    """
    graph = layer_graph(description.program, description.to_scalar)
    compared = refused = 0
    for index, trial in enumerate(trials):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in trial.layer.items())
        where = f"random layer {index} ({shapes})"
        try:
            got = run(trial.layer)
        except Refusal as refusal:
            if not trial.is_refused and not may_refuse:
                raise ExportError(
                    f"expected {trial.expected:.7g} on {where}, the artefact refuses it: {refusal}"
                ) from refusal
            refused += not trial.is_refused
            continue
        if trial.is_refused:
            raise ExportError(f"expected {where} to be refused, the artefact gives {got:.7g}")
        if not agrees(graph, trial.layer, trial.expected, got):
            raise ExportError(f"expected {trial.expected:.7g} on {where}, the artefact gives {got:.7g}")
        compared += 1
    if not compared:
        raise ExportError("the artefact takes none of the layers that the program has a shape on")
    return Checked(compared, refused)


def _drawn(geometry: Geometry, terminal: str, generator: np.random.Generator) -> Array:
    shape = geometry.shape(terminal)
    assert shape is not None  # a convolution has all four families
    return generator.standard_normal(shape, np.float32)


def _with_specials(array: Array, generator: np.random.Generator) -> Array:
    specials = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 3e38], np.float32)
    chosen = generator.random(array.shape) < 0.05
    return np.where(chosen, generator.choice(specials, array.shape), array)


def _judged(description: Description, layers: list[dict[str, Array]]) -> list[Trial]:
    trials = []
    for layer, outcome in zip(layers, _evaluated(description, layers), strict=True):
        if not isinstance(outcome, Failure):
            trials.append(Trial(layer, outcome, is_refused=False))
        elif outcome.kind is FailureKind.SHAPE:
            trials.append(Trial(layer, math.nan, is_refused=True))
        else:
            trials.append(Trial(layer, _not_finite(description, layer), is_refused=False))
    return trials


def _evaluated(description: Description, layers: list[dict[str, Array]]) -> list[float | Failure]:
    networks = [NetworkStatistics.from_layers([layer]) for layer in layers]
    evaluator = Evaluator(networks, backend="eager", threads=1, memo_bytes=0, to_scalar=description.to_scalar)
    scores = evaluator.score([description.program])
    failures = {failure.network: failure for failure in scores.failures}
    return [failures.get(index, float(value)) for index, value in enumerate(scores.values[0])]


def _not_finite(description: Description, layer: Mapping[str, Array]) -> float:
    """Which number that is not finite eager torch gives, which the evaluator's failure does not say."""
    from eznas.backends.eager import node_values

    graph = layer_graph(description.program, description.to_scalar)
    return float(node_values(graph, layer)[graph.roots[0]])
