"""Whether results agree with eager torch, and who is right where they do not.

Any two correct float32 programs differ on values that are zero by construction, on determinants of singular
matrices and on eigenvalue ratios of rank-deficient ones. So float64 decides: where rounding alone, eager
torch's own or errors of its size (`eznas.benchmark.rounding`), moves a result by more than the tolerance, the
case is ill-conditioned. It is right there if errors a few times as large can give it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.backends import ToScalar
from eznas.backends.eager import to_number
from eznas.benchmark.rounding import Layer, Reference
from eznas.program import Program
from eznas.statistics import NetworkStatistics

Scalars = Sequence[NDArray[np.float64]]
"""For each network the scalars of (programs, layers)."""

TOLERANCE: Final = 1e-4
"""Allowed difference, relative to the value itself plus the mean absolute value that it is a mean of."""

LENIENCY: Final = 10.0
"""How many times larger than rounding the errors may be that explain an ill-conditioned result."""

_DRAWS: Final = 16
"""Choices of errors that tell whether a result is ill-conditioned."""

_MOST_DRAWS: Final = 64
"""Choices of larger errors before a result counts as unexplained; most are explained by the first few."""

_TAIL: Final = 1e3
"""How much further from their median scalars reach towards infinity than towards zero if they pass there."""


class Verdict(StrEnum):
    """What a difference means."""

    AGREES = "agrees"
    ILL_CONDITIONED = "ill-conditioned"
    """Rounding decides it, and the result is one that rounding explains."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Difference:
    """A result on one layer that differs by more than the tolerance."""

    program: str
    network: int
    layer: int
    verdict: Verdict
    eager: float
    got: float
    float64: float

    def __str__(self) -> str:
        return (
            f"{self.program} on network {self.network}, layer {self.layer}: expected {self.eager:.7g} "
            f"(float64: {self.float64:.7g}), got {self.got:.7g}"
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many results were compared, and those that differ."""

    compared: int
    ill_conditioned: tuple[Difference, ...]
    wrong: tuple[Difference, ...]

    @property
    def wrong_programs(self) -> frozenset[str]:
        """The programs with any wrong result."""
        return frozenset(difference.program for difference in self.wrong)


def compare(
    programs: Sequence[Program], networks: Sequence[NetworkStatistics], expected: Scalars, got: Scalars
) -> Agreement:
    """Compare the scalars of programs on the layers of networks with those of eager torch in float32.

    Args:
        programs: The programs.
        networks: The networks.
        expected: By eager torch, (programs, layers) for each network.
        got: What is to be judged; NaN for what was not computed is a difference too.
    """
    differences = []
    compared = 0
    for index, (network, right, left) in enumerate(zip(networks, expected, got, strict=True)):
        compared += right.size
        with np.errstate(all="ignore"):
            close = (left == right) | (np.abs(left - right) <= TOLERANCE * np.abs(right))
        for row, layer in np.argwhere(~(close | (np.isnan(left) & np.isnan(right)))):
            eager, other = float(right[row, layer]), float(left[row, layer])
            verdict, float64 = judge(programs[row], network.layers[layer], eager, other)
            if verdict is not Verdict.AGREES:
                text = str(programs[row])
                differences.append(Difference(text, index, int(layer), verdict, eager, other, float64))
    return Agreement(
        compared,
        tuple(each for each in differences if each.verdict is Verdict.ILL_CONDITIONED),
        tuple(each for each in differences if each.verdict is Verdict.WRONG),
    )


def judge(program: Program, layer: Layer, eager: float, got: float) -> tuple[Verdict, float]:
    """Who is right about a scalar, and the scalar in float64.

    Args:
        program: The program; the scalar is the mean of what it gives.
        layer: The statistics.
        eager: What eager torch gives in float32.
        got: Another result.
    """
    while program.tokens[0] == "mean":
        # The mean of a mean is itself; what it is a mean of tells how exact it can be.
        program = program.subtree(1)
    with torch.inference_mode(), np.errstate(all="ignore"):
        reference = Reference(program, layer)
        truth, size = _scalar(reference.exact()), _mean_size(reference.exact())
        allowed = TOLERANCE * (abs(truth) + size) if np.isfinite(truth) else 0.0
        # What float64 divides by its own rounding is large beyond measure, and would excuse everything.
        if _distance(eager, truth) <= allowed and abs(got - eager) <= TOLERANCE * (abs(eager) + size):
            return Verdict.AGREES, truth
        right = _distance(got, truth) <= allowed
        if not _is_moved(reference, eager, truth, allowed):
            return (Verdict.AGREES if right else Verdict.WRONG), truth
        right = right or _is_explained(reference, got, [truth, eager])
    return (Verdict.ILL_CONDITIONED if right else Verdict.WRONG), truth


def _is_moved(reference: Reference, eager: float, truth: float, allowed: float) -> bool:
    """Whether rounding moves the scalar further than allowed."""
    return _distance(eager, truth) > allowed or any(
        _distance(_scalar(reference.drawn(number, 1.0).value), truth) > allowed for number in range(_DRAWS)
    )


def _is_explained(reference: Reference, got: float, scalars: Sequence[float]) -> bool:
    """Whether errors give what was got, or scalars on both sides of it.

    Args:
        reference: The program on the layer.
        got: The scalar in question.
        scalars: Those that are right in any case.
    """
    found, allowed = np.array(scalars), TOLERANCE * abs(got)
    nearest, kept = np.inf, None
    for number in range(_MOST_DRAWS):
        # Sums of many signs seldom come far from their mean by chance: every other draw starts from the one
        # that came nearest.
        drawn = reference.drawn(number, LENIENCY, kept if kept and number % 2 else {})
        scalar = _scalar(drawn.value)
        found = np.append(found, scalar)
        if not np.isfinite(got):
            if not np.isfinite(scalar):
                return True
        elif any(_is_between(got, side, allowed) for side in (found[found >= 0.0], found[found <= 0.0])):
            return True
        # As near counts too: it may be nearer to what is nearer yet.
        if _distance(scalar, got) <= nearest + allowed:
            nearest, kept = min(nearest, _distance(scalar, got)), drawn.determinants
    # They are on one side of what was got, or on both sides and of both signs. Then errors move the scalar
    # from one to the other through zero or, where it is divided by what may be zero, through infinity.
    sizes = np.abs(found[~np.isnan(found)])
    through_infinity = sizes.min() * sizes.max() > _TAIL * np.median(sizes) ** 2
    return bool(not through_infinity and _is_between(got, found, allowed))


def _is_between(got: float, scalars: NDArray[np.float64], allowed: float) -> bool:
    return bool((scalars <= got + allowed).any() and (scalars >= got - allowed).any())


def _distance(one: float, other: float) -> float:
    """The distance; infinite between numbers of which one is not finite, unless they are the same."""
    if one == other or (np.isnan(one) and np.isnan(other)):
        return 0.0
    distance = abs(one - other)
    return np.inf if np.isnan(distance) else distance


def _scalar(value: torch.Tensor) -> float:
    return to_number(value, ToScalar.MEAN)


def _mean_size(value: torch.Tensor) -> float:
    sizes = value.abs()
    finite = sizes[torch.isfinite(sizes)]
    return float(finite.mean()) if finite.numel() else 0.0
