"""What a program gives in float64: exactly, and as the rounding of float32 may move it.

A matrix routine is right if its result is the exact one of a matrix that differs from the given one by
rounding (its backward error). So the arguments of these operations are moved, as far as the analysis of the
routine says and no further, whatever comes before and after them:

* Elimination with partial pivoting, for `det` and `logdet`: A + E with abs(E) of the order of the unit
  roundoff times abs(L) abs(U), element by element (N. J. Higham, Accuracy and Stability of Numerical
  Algorithms, 2002, theorem 9.3). A row of zeros stays one. By rows and by columns, since a matrix and its
  transpose have one determinant.
* Symmetric eigenvalues: A + E with the norm of E of the order of the unit roundoff times that of A. It moves
  each eigenvalue by at most its norm, and any such moves are those of some E (G. H. Golub and C. F. Van Loan,
  Matrix Computations, section 8.1, after Weyl), so that the eigenvalues themselves are moved.
* Sums, for `mean`: each term by a relative error (Higham, section 4.2).

All others round their results.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.benchmark.draws import Direction, Draw
from eznas.ops import OPS
from eznas.program import Program

Layer = Mapping[str, NDArray[np.float32]]

_DETERMINANTS: Final = frozenset({"det", "logdet"})
_EIGENVALUE_RATIOS: Final = frozenset({"eig_ratio", "sym_eig_ratio"})
_EXACT: Final = frozenset(
    {
        "less", "greater", "equal", "abs", "relu", "sign", "heaviside", "ones_like", "zeros_like",
        "greater_than_zero", "less_than_zero", "numel", "hamming_distance",
    }
)  # fmt: skip

_NOTHING: Final[Mapping[int, torch.Tensor]] = MappingProxyType({})


class _Spectrum(NamedTuple):
    """The outer eigenvalues of a symmetric matrix."""

    smallest: torch.Tensor
    largest: torch.Tensor


class Drawn(NamedTuple):
    """What one choice of all errors gives."""

    value: torch.Tensor
    determinants: Mapping[int, torch.Tensor]
    """What steps of `det` and `logdet` give."""


class Reference:
    """A program on a layer in float64; equal subtrees are one, and move together.

    Args:
        program: The program.
        layer: The statistics.
    """

    def __init__(self, program: Program, layer: Layer) -> None:
        self._steps = program.steps()
        self._exact: list[torch.Tensor] = []
        self._is_exact: list[bool] = []
        self._analysed: dict[int, _Spectrum | tuple[torch.Tensor, ...]] = {}
        for name, arguments in self._steps:
            if name in OPS:
                value = OPS[name].eager(*[self._exact[argument] for argument in arguments])
            else:
                value = torch.tensor(layer[name], dtype=torch.float64)
            self._exact.append(value)
            known = name not in OPS or name in _EXACT
            self._is_exact.append(known and all(self._is_exact[argument] for argument in arguments))

    def exact(self) -> torch.Tensor:
        """What float64 gives."""
        return self._exact[-1]

    def drawn(self, number: int, size: float, kept: Mapping[int, torch.Tensor] = _NOTHING) -> Drawn:
        """What float32 may give: every operation with an error, and with the range of float32.

        Args:
            number: Which choice of errors; the first few have all of them in one direction.
            size: How large they are, in units of `eznas.benchmark.draws.NOISE`.
            kept: Determinants of another draw, of which most are kept.
        """
        draw = Draw(number, size, kept)
        values: list[torch.Tensor] = []
        for step, (name, arguments) in enumerate(self._steps):
            if self._is_exact[step]:
                values.append(self._exact[step])
                continue
            given = [values[argument] for argument in arguments]
            value = self._value(step, name, arguments, given, draw)
            # The only eigenvalue over itself is 1 however it is rounded.
            exact = name in _EXACT or (name in _EIGENVALUE_RATIOS and given[0].shape[0] == 1)
            values.append(_as_float32(value if exact else draw.rounded(value)))
        return Drawn(values[-1], draw.determinants)

    def _value(
        self, step: int, name: str, arguments: tuple[int, ...], given: list[torch.Tensor], draw: Draw
    ) -> torch.Tensor:
        if name in _DETERMINANTS | _EIGENVALUE_RATIOS:
            analysed = self._analysed.get(step)
            if analysed is None:
                analysed = _spectrum(name, given[0]) if name in _EIGENVALUE_RATIOS else _lu_sizes(given[0])
                if self._is_exact[arguments[0]]:
                    self._analysed[step] = analysed
            if isinstance(analysed, _Spectrum):
                return _eigenvalue_ratio(name, analysed, given[0].shape[0], draw)
            return draw.mixed(step, _determinants(name, given[0], analysed, draw))
        if name == "mean":
            return draw.moved(OPS[name].eager(*given), draw.noise * OPS["l1_norm"].eager(*given))
        if name == "matmul":
            # It rounds within: as if its arguments were rounded before.
            given = [draw.rounded(argument) for argument in given]
        return OPS[name].eager(*given)


def _as_float32(value: torch.Tensor) -> torch.Tensor:
    return value.to(torch.float32).to(torch.float64)


def _lu_sizes(matrices: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """abs(L) abs(U) in the order of the matrix, eliminated by rows and by columns."""
    finite = torch.where(torch.isfinite(matrices), matrices, 0.0)
    sizes = []
    for transposed in (False, True):
        permutation, lower, upper = torch.linalg.lu(finite.mT if transposed else finite)
        size = permutation @ (lower.abs() @ upper.abs())
        sizes.append(size.mT if transposed else size)
    return tuple(sizes)


def _determinants(
    name: str, matrices: torch.Tensor, sizes: tuple[torch.Tensor, ...], draw: Draw
) -> torch.Tensor:
    """For each matrix the least, the largest or any result of some matrices as near as rounding is."""
    errors = [draw.noise * size * draw.normal(size) for size in sizes]
    near = torch.stack(
        [matrices, *(matrices + error for error in errors), *(matrices - error for error in errors)]
    )
    values: torch.Tensor = OPS[name].eager(near)
    direction = draw.direction()
    if direction is Direction.DOWN:
        return values.amin(dim=0)
    if direction is Direction.UP:
        return values.amax(dim=0)
    if direction is Direction.ANY:
        choice = torch.randint(len(near), values.shape[1:], generator=draw.generator)
        return values.gather(0, choice.unsqueeze(0)).squeeze(0)
    signs = torch.linalg.slogdet(near).sign
    may_be_singular = (signs > 0).any(dim=0) & (signs < 0).any(dim=0)
    return torch.where(may_be_singular, 0.0 if name == "det" else -torch.inf, values[0])


def _spectrum(name: str, value: torch.Tensor) -> _Spectrum:
    """The outer eigenvalues that the ratio is of; NaN where float32 does not hold the matrix."""
    rows = value.reshape(value.shape[0], -1)
    gram = rows @ rows.mT
    gram = _as_float32(gram + gram.mT if name == "sym_eig_ratio" else gram)
    # As the operations do: LAPACK must not see infinity, and may not converge.
    if torch.isfinite(gram).all():
        with suppress(torch.linalg.LinAlgError):  # type: ignore[attr-defined]
            values = torch.linalg.eigvalsh(gram)
            return _Spectrum(values[0], values[-1])
    return _Spectrum(*[torch.full((), torch.nan, dtype=value.dtype)] * 2)


def _eigenvalue_ratio(name: str, spectrum: _Spectrum, order: int, draw: Draw) -> torch.Tensor:
    smallest, largest = spectrum
    if order > 1:
        radius = draw.noise * largest
        smallest, largest = draw.moved(smallest, radius), draw.moved(largest, radius)
    return smallest / largest if name == "eig_ratio" else largest / smallest
