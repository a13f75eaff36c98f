"""What each subtree contributes: how the ranking changes with something neutral in its place.

A constant of the same shape still lets the operations around it see the sizes of the layer: what ranks as
well with ones in it ranks by sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.compile import explain_types
from eznas.errors import ConfigError
from eznas.program import Program
from eznas.ranking import kendall_tau
from eznas.terminals import TERMINALS, Geometry

LARGEST_PROGRAM: Final = 500
"""Operations and terminals; there are about two variants for each, as large as the program."""


class Replacement(StrEnum):
    """What takes the place of a subtree; all of them keep its shape."""

    ONES = "ones"
    """`ones_like` of the subtree."""
    ZEROS = "zeros"
    """`zeros_like` of the subtree."""
    TERMINAL = "terminal"
    """A terminal that the subtree reads and whose shape it has: the operations alone are gone."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A program with one subtree replaced."""

    index: int
    """Of the subtree's root among the program's tokens."""
    subtree: Program
    replacement: Replacement
    by: Program
    program: Program
    """The whole program after it."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """How a variant ranks the networks that both it and the program score."""

    variant: Variant
    scored: int
    tau: float
    """Kendall tau of the variant with the accuracies, in the program's orientation."""
    change: float
    """That less the program's: negative where the subtree helps; all of it where under two are scored."""
    agreement: float
    """Kendall tau of the variant's scores with the program's; 0 where the variant's are all the same."""


@dataclass(frozen=True, slots=True)
class Contributions:
    """The contributions of all subtrees but the whole program."""

    program: Program
    orientation: int
    """1, or -1 where lower scores of the program mean higher accuracies."""
    tau: float
    """Kendall tau of the program in this orientation, which is never negative."""
    entries: tuple[Contribution, ...]
    """The most helpful subtree first."""

    def change_without(self) -> dict[int, float]:
        """For each subtree, by index, the change with the better of ones and zeros in its place.

        The better one scores more networks; where both score as many, it ranks them better.
        """
        best: dict[int, tuple[int, float]] = {}
        for entry in self.entries:
            if entry.variant.replacement is not Replacement.TERMINAL:
                index = entry.variant.index
                best[index] = max((entry.scored, entry.change), best.get(index, (-1, 0.0)))
        return {index: change for index, (_, change) in sorted(best.items())}


def variants(program: Program) -> tuple[Variant, ...]:
    """The program with each subtree replaced in turn; not the whole, whose place only a constant would take.

    Whether a terminal has the shape of its subtree depends on the layers: see `contributions`.

    Raises:
        ConfigError: The program is larger than `LARGEST_PROGRAM`.
        ProgramSyntaxError: It is as high as programs may be, so that nothing can be put around a terminal.
    """
    if program.size > LARGEST_PROGRAM:
        raise ConfigError(
            f"contributions are measured for programs of at most {LARGEST_PROGRAM} operations and terminals, "
            f"got {program.size}"
        )
    found = []
    for index in range(program.size):
        subtree = program.subtree(index)
        candidates: list[tuple[Replacement, Program]] = []
        if index:
            candidates.append((Replacement.ONES, Program(("ones_like", *subtree.tokens))))
            candidates.append((Replacement.ZEROS, Program(("zeros_like", *subtree.tokens))))
        if subtree.size > 1:
            candidates += [(Replacement.TERMINAL, Program((name,))) for name in subtree.terminals]
        for replacement, by in candidates:
            tokens = program.tokens[:index] + by.tokens + program.tokens[program.subtree_end(index) :]
            found.append(Variant(index, subtree, replacement, by, Program(tokens)))
    return tuple(found)


def contributions(
    program: Program,
    scores: NDArray[np.float64],
    replaced: Sequence[tuple[Variant, NDArray[np.float64]]],
    accuracies: NDArray[np.float64],
    geometries: Sequence[Geometry],
) -> Contributions:
    """Compare the ranking of a program with those of its variants.

    Args:
        program: The program.
        scores: Its scores (networks,); NaN where it has none.
        replaced: Variants and their scores.
        accuracies: (networks,).
        geometries: The shapes of the layers; a terminal that does not have the shape of its subtree on all of
            them is left out.
    """
    scored = np.isfinite(scores)
    orientation = -1 if kendall_tau(scores[scored], accuracies[scored]) < 0 else 1
    fitting = [entry for entry in replaced if _keeps_shape(program, entry[0], geometries)]
    entries = [
        _contribution(variant, orientation * scores, orientation * others, accuracies)
        for variant, others in fitting
    ]
    return Contributions(
        program,
        orientation,
        kendall_tau(orientation * scores[scored], accuracies[scored]),
        tuple(sorted(entries, key=lambda entry: (entry.change, entry.agreement))),
    )


def _contribution(
    variant: Variant,
    scores: NDArray[np.float64],
    others: NDArray[np.float64],
    accuracies: NDArray[np.float64],
) -> Contribution:
    both = np.isfinite(scores) & np.isfinite(others)
    tau = kendall_tau(others[both], accuracies[both])
    # What ranks no networks has lost the whole ranking, not nothing of it.
    judged = both if both.sum() > 1 else np.isfinite(scores)
    change = tau - kendall_tau(scores[judged], accuracies[judged])
    return Contribution(variant, int(both.sum()), tau, change, kendall_tau(others[both], scores[both]))


def _keeps_shape(program: Program, variant: Variant, geometries: Sequence[Geometry]) -> bool:
    if variant.replacement is not Replacement.TERMINAL:
        return True
    (name,) = variant.by.tokens
    assert name in TERMINALS
    return all(
        explain_types(program, geometry)[variant.index].shape == geometry.shape(name)
        for geometry in geometries
    )
