"""Whether results agree with eager torch, and who is right where they do not.

Any two correct float32 programs differ on values that are zero by construction, on determinants of singular
matrices and on eigenvalue ratios of rank-deficient ones. So float64 decides: where rounding alone, eager
torch's own or noise of its size, moves a result by more than the tolerance, the case is ill-conditioned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.backends import ToScalar
from eznas.backends.eager import to_number
from eznas.ops import OPS
from eznas.program import Program
from eznas.statistics import NetworkStatistics

Layer = Mapping[str, NDArray[np.float32]]
Scalars = Sequence[NDArray[np.float64]]
"""For each network the scalars of (programs, layers)."""

TOLERANCE: Final = 1e-4
"""Allowed difference, relative to the value itself plus the mean absolute value that it is a mean of."""

LENIENCY: Final = 10.0
"""How many times further from float64 than rounding moves it an ill-conditioned result may lie."""

_NOISE: Final = 2.0**-22
"""Twice the spacing of float32 numbers at 1."""
_DRAWS: Final = 16
_MATRIX_OPERATIONS: Final = frozenset({"matmul", "det", "logdet", "eig_ratio", "sym_eig_ratio"})
_EIGENVALUE_OPERATIONS: Final = frozenset({"eig_ratio", "sym_eig_ratio"})
_EXACT_OPERATIONS: Final = frozenset(
    {
        "less", "greater", "equal", "abs", "relu", "sign", "heaviside", "ones_like", "zeros_like",
        "greater_than_zero", "less_than_zero", "numel", "hamming_distance",
    }
)  # fmt: skip


class Verdict(StrEnum):
    """What a difference means."""

    AGREES = "agrees"
    ILL_CONDITIONED = "ill-conditioned"
    """Rounding decides it, and the result is no further off than rounding explains."""
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
        truth, size = _scalar_and_size(_value(program, layer, torch.float64))
        if abs(got - eager) <= TOLERANCE * (abs(eager) + size):
            return Verdict.AGREES, truth
        doubt = _distance(eager, truth)
        for draw in range(_DRAWS):
            noise = torch.Generator().manual_seed(draw)
            shaken, _ = _scalar_and_size(_value(program, layer, torch.float64, noise))
            doubt = max(doubt, _distance(shaken, truth))
    allowed = TOLERANCE * (abs(truth) + size) if np.isfinite(truth) else 0.0
    distance = _distance(got, truth)
    if doubt <= allowed:
        return (Verdict.AGREES if distance <= allowed else Verdict.WRONG), truth
    return (Verdict.WRONG if distance > LENIENCY * doubt else Verdict.ILL_CONDITIONED), truth


def _distance(one: float, other: float) -> float:
    """The distance; infinite between numbers of which one is not finite, unless they are the same."""
    if one == other or (np.isnan(one) and np.isnan(other)):
        return 0.0
    distance = abs(one - other)
    return np.inf if np.isnan(distance) else distance


def _scalar_and_size(value: torch.Tensor) -> tuple[float, float]:
    sizes = value.abs()
    finite = sizes[torch.isfinite(sizes)]
    return to_number(value, ToScalar.MEAN), float(finite.mean()) if finite.numel() else 0.0


def _value(
    program: Program, layer: Layer, dtype: torch.dtype, noise: torch.Generator | None = None
) -> torch.Tensor:
    """The tensor that a program gives; with noise, as if every rounding operation were off by as much."""
    waiting: list[torch.Tensor] = []
    for name in reversed(program.tokens):
        if name not in OPS:
            waiting.append(torch.tensor(layer[name], dtype=dtype))
            continue
        arguments = [waiting.pop() for _ in range(OPS[name].arity)]
        if noise is not None and name in _MATRIX_OPERATIONS:
            # They round within: as if their arguments were rounded before.
            arguments = [_shaken(argument, noise) for argument in arguments]
        if noise is not None and name in _EIGENVALUE_OPERATIONS:
            value = _shaken_ratio(name, arguments[0], noise)
        else:
            value = OPS[name].eager(*arguments)
        if noise is not None and name not in _EXACT_OPERATIONS:
            value = _shaken(value, noise)
        waiting.append(value)
    return waiting.pop()


def _shaken(value: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
    drawn = torch.randn(value.shape, generator=noise, dtype=value.dtype)
    # Not zero times infinity, which would be NaN.
    return torch.where(torch.isfinite(value), value * (1 + _NOISE * drawn), value)


def _shaken_ratio(name: str, value: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
    """The eigenvalue ratio when the products of rows with each other are off as by rounding, either way."""
    rows = value.reshape(value.shape[0], -1)
    gram = rows @ rows.mT
    if not torch.isfinite(gram).all():
        return torch.full((), torch.nan, dtype=value.dtype)
    drawn = torch.randn(gram.shape, generator=noise, dtype=gram.dtype)
    ratios: torch.Tensor = torch.linalg.eigvalsh(gram + _NOISE * gram.abs().max() * (drawn + drawn.mT))
    return ratios[0] / ratios[-1] if name == "eig_ratio" else ratios[-1] / ratios[0]
