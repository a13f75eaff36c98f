"""Programs that have a name: those that the EZNAS paper reports, and the best that eznas found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from eznas.program.program import Program

_ENTRIES: Final = {
    "eznas-a": (
        "The paper's EZNAS-A, over T1G_D, the tensor that reproduces the paper's numbers: Kendall tau 0.61 "
        "to 0.65 on NAS-Bench-201 CIFAR-10. Infinities of logdet vanish again in the sigmoid.",
        "frobenius_norm(sigmoid(logdet(sign(T1G_D))))",
        1,
    ),
    "eznas-a-paper": (
        "The paper's EZNAS-A over T3G_N, the tensor that the paper's figure names: Kendall tau 0.31 on "
        "NAS-Bench-201 CIFAR-10, so that the paper's numbers most likely stem from `eznas-a`.",
        "frobenius_norm(sigmoid(logdet(sign(T3G_N))))",
        1,
    ),
    "eznas-b": (
        "The paper's EZNAS-B, over T1G_P. The paper gives its absolute Kendall tau only; it is a "
        "reciprocal. On the embedded tasks and on NATS-Bench sizes lower scores are better, on NAS-Bench-201 "
        "higher ones.",
        "reciprocal(add(frobenius_norm(T1G_P), exp(frobenius_norm(log(sigmoid(log(sigmoid(T1G_P))))))))",
        -1,
    ),
    "eznas-nats": (
        "Evolved by eznas with the paper's settings on four tasks (NATS-Bench topology and size, CIFAR-10 "
        "and CIFAR-100); of three seeds the best on the stored networks, with a fitness of 0.582. It is the "
        "mean logarithm of the size of the layers' maps and reads no weight; on 1,000 held-out networks a "
        "task it has Kendall taus of 0.546, 0.567, 0.735 and 0.649 (docs/results.md).",
        "frobenius_norm(abs_log(numel(T4_N)))",
        1,
    ),
}

NAMED_PROGRAMS: Final[Mapping[str, Program]] = MappingProxyType(
    {name: Program.parse(text) for name, (_, text, _) in _ENTRIES.items()}
)
"""The programs by their names: eznas-a, eznas-a-paper, eznas-b, eznas-nats."""

NAMED_PROGRAM_NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {name: note for name, (note, _, _) in _ENTRIES.items()}
)
"""Where each named program comes from."""

NAMED_PROGRAM_ORIENTATIONS: Final[Mapping[str, int]] = MappingProxyType(
    {name: orientation for name, (_, _, orientation) in _ENTRIES.items()}
)
"""1 where higher scores of a named program mean higher accuracy, -1 where lower ones do."""
