"""The evaluator: scores of many programs on many networks, by a chosen backend, over threads."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from eznas.backends import ToScalar, get_backend
from eznas.errors import ConfigError, EznasError, StatisticsError
from eznas.evaluator.diagnosis import shape_failure, value_failure
from eznas.evaluator.memo import Memo, Outcome, program_code
from eznas.evaluator.scores import Failure, Scores
from eznas.evaluator.typed_programs import TypedPrograms
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.threads import available_processors, one_torch_thread

DEFAULT_MEMO_BYTES: Final = 64 * 2**20


class Evaluator:
    """Scores programs on the networks of a store, or of a sequence of statistics.

    The score of a program on a network is the mean over its layers of the program's scalar (EZNAS,
    section 3.2). Results are the same to the bit for any number of threads, any grouping of programs, and
    with or without memo. The statistics must not change while an evaluator is in use.

    Args:
        statistics: A `StatisticsStore`, or any sequence of `NetworkStatistics`.
        backend: One of `eznas.backends.BACKEND_NAMES`.
        threads: How many networks are evaluated at once; by default the processors that the backend can use.
        memo_bytes: The budget for scores that are kept between calls; 0 keeps none, 64 MiB by default.
        to_scalar: How a layer's tensor becomes a number: `mean` or `l2`.

    Raises:
        ConfigError: An unknown backend or to_scalar, or a number out of range.
        StatisticsError: The statistics of one network where many are expected.
    """

    def __init__(
        self,
        statistics: Sequence[NetworkStatistics],
        backend: str = "auto",
        threads: int | None = None,
        memo_bytes: int | None = None,
        to_scalar: str = ToScalar.MEAN,
    ) -> None:
        if isinstance(statistics, NetworkStatistics):
            raise StatisticsError("expected a store or a sequence of NetworkStatistics, got one network's")
        if threads is not None and threads < 1:
            raise ConfigError(f"threads must be at least 1, got {threads}")
        if memo_bytes is not None and memo_bytes < 0:
            raise ConfigError(f"memo_bytes must be at least 0, got {memo_bytes}")
        if to_scalar not in list(ToScalar):
            raise ConfigError(f"unknown to_scalar {to_scalar!r}; expected one of {', '.join(ToScalar)}")
        self.statistics = statistics
        self.backend = get_backend(backend)
        self.threads = threads or min(
            available_processors(), self.backend.useful_threads or available_processors()
        )
        self.memo = Memo(DEFAULT_MEMO_BYTES if memo_bytes is None else memo_bytes)
        self.to_scalar = ToScalar(to_scalar)

    def score(self, programs: Sequence[Program], networks: Sequence[int] | None = None) -> Scores:
        """Score each program on each network; equal programs are computed once.

        Args:
            programs: The programs to score.
            networks: Indices into the statistics; all of them by default.

        Returns:
            Values of shape (programs, networks), and a failure for each value that is NaN.

        Raises:
            StatisticsError: A network does not exist, or does not hold a terminal that a program reads.
            EznasError: Something that is not a program.
        """
        for program in programs:
            if not isinstance(program, Program):
                raise EznasError(f"expected programs, got a {type(program).__name__}; use Program.parse")
        chosen = self._checked(networks)
        canonical = [program.canonical() for program in programs]
        codes = [program_code(program) for program in canonical]
        outcomes = self._outcomes(dict(zip(codes, canonical, strict=True)), list(dict.fromkeys(chosen)))
        values = np.full((len(programs), len(chosen)), np.nan)
        failures = []
        for row, (program, code) in enumerate(zip(programs, codes, strict=True)):
            for column, network in enumerate(chosen):
                outcome = outcomes[network][code]
                if isinstance(outcome, Failure):
                    failures.append(replace(outcome, program=program))
                else:
                    values[row, column] = outcome
        return Scores(values, tuple(failures))

    def _checked(self, networks: Sequence[int] | None) -> list[int]:
        held = len(self.statistics)
        chosen = list(range(held)) if networks is None else [operator.index(network) for network in networks]
        for network in chosen:
            if not 0 <= network < held:
                raise StatisticsError(f"no network {network}; the statistics hold {held} networks")
        return chosen

    def _outcomes(
        self, programs: dict[bytes, Program], networks: list[int]
    ) -> dict[int, dict[bytes, Outcome]]:
        """For each network the outcome of each program, from the memo where it is kept."""
        known: dict[int, dict[bytes, Outcome]] = {}
        for network in networks:
            remembered = {code: self.memo.get((code, network)) for code in programs}
            known[network] = {code: outcome for code, outcome in remembered.items() if outcome is not None}
        missing = {
            network: tuple(code for code in programs if code not in known[network]) for network in networks
        }
        typed = {
            group: TypedPrograms([programs[code] for code in group])
            for group in dict.fromkeys(missing.values())
            if group
        }
        work = [network for network in networks if missing[network]]
        groups = [typed[missing[network]] for network in work]
        for network, outcomes in zip(work, self._over_threads(work, groups), strict=True):
            for code, outcome in zip(missing[network], outcomes, strict=True):
                known[network][code] = outcome
                self.memo.put((code, network), outcome)
        return known

    def _over_threads(self, networks: Sequence[int], groups: Sequence[TypedPrograms]) -> list[list[Outcome]]:
        if not networks:
            return []
        with (
            one_torch_thread(),
            ThreadPoolExecutor(min(self.threads, len(networks)), initializer=_use_one_torch_thread) as pool,
        ):
            return list(pool.map(self._evaluate, networks, groups))

    def _evaluate(self, network: int, typed: TypedPrograms) -> list[Outcome]:
        statistics = self.statistics[network]
        _check_terminals(statistics, typed)
        refusals = typed.refusals(statistics.geometries)
        rows = tuple(row for row in range(len(typed.programs)) if row not in refusals)
        scalars = self.backend.layer_scalars(typed.graph_of(rows), statistics, self.to_scalar)
        outcomes: dict[int, Outcome] = {
            row: shape_failure(typed.programs[row], network, refusal.layer, refusal.rejection)
            for row, refusal in refusals.items()
        }
        for row, of_layers in zip(rows, scalars, strict=True):
            outcomes[row] = self._outcome(typed.programs[row], statistics, network, of_layers)
        return [outcomes[row] for row in range(len(typed.programs))]

    def _outcome(
        self, program: Program, statistics: NetworkStatistics, network: int, scalars: NDArray[np.float64]
    ) -> Outcome:
        bad = np.flatnonzero(~np.isfinite(scalars))
        if len(bad) == 0:
            return float(scalars.mean())
        layer = int(bad[0])
        return value_failure(program, statistics, network, layer, float(scalars[layer]), self.to_scalar)


def _use_one_torch_thread() -> None:
    # The number of torch threads belongs to each thread that asks for it.
    torch.set_num_threads(1)


def _check_terminals(statistics: NetworkStatistics, typed: TypedPrograms) -> None:
    missing = sorted(typed.graph.terminals - set(statistics.terminals))
    if missing:
        raise StatisticsError(
            f"the programs read {', '.join(missing)}, the statistics hold {', '.join(statistics.terminals)}"
        )
