"""The evaluator: scores of many programs on many networks, by a chosen backend, over threads."""

from __future__ import annotations

import itertools
import operator
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import numpy as np
import torch

from eznas.backends import SubtreeBackend, ToScalar, get_backend
from eznas.compile import GrowingTable
from eznas.errors import ConfigError, EznasError, StatisticsError
from eznas.evaluator.jobs import Task, batches, make_jobs, scalars_of, share_out
from eznas.evaluator.memo import Memo, Outcome, Row, outcome_memo, program_code, row_memo
from eznas.evaluator.scores import Failure, Scores
from eznas.evaluator.typed_programs import TypedPrograms
from eznas.program import AnyProgram, canonical_form
from eznas.statistics import NetworkStatistics
from eznas.threads import available_processors, one_torch_thread

DEFAULT_MEMO_BYTES: Final = 128 * 2**20

# One quarter for outcomes: a program has one on a network, but several subtrees, whose rows are longer.
_OUTCOME_SHARE: Final = 4


class Evaluator:
    """Scores programs on the networks of a store, or of a sequence of statistics.

    The score of a program on a network is the mean over its layers of the program's scalar (EZNAS,
    section 3.2). Results are the same to the bit for any number of threads, any grouping of programs, and
    with or without memo. The statistics must not change while an evaluator is in use.

    Args:
        statistics: A `StatisticsStore`, or any sequence of `NetworkStatistics`.
        backend: One of `eznas.backends.BACKEND_NAMES`; `auto` is `eager` for a single network.
        threads: How many networks are evaluated at once; by default the processors that the backend can use.
        memo_bytes: The budget for scores, and numbers of subtrees, that are kept between calls; 0 keeps none,
            128 MiB by default.
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
        # Eager torch takes some 0.1 ms for a program and a layer, loading the compiled kernels half a second.
        # Not by the number of programs, since results must not depend on how they are grouped.
        is_small = backend == "auto" and len(statistics) == 1
        self.backend = get_backend("eager" if is_small else backend)
        self.threads = threads or min(
            available_processors(), self.backend.useful_threads or available_processors()
        )
        budget = DEFAULT_MEMO_BYTES if memo_bytes is None else memo_bytes
        self.memo = outcome_memo(budget // _OUTCOME_SHARE)
        self.subtree_memo = row_memo(budget - self.memo.budget)
        self._memo_lock = threading.Lock()
        self._shapes = GrowingTable()
        self.to_scalar = ToScalar(to_scalar)

    def score(self, programs: Sequence[AnyProgram], networks: Sequence[int] | None = None) -> Scores:
        """Score each program on each network; equal programs are computed once.

        Args:
            programs: The programs to score, trees or sequences of instructions.
            networks: Indices into the statistics; all of them by default.

        Returns:
            Values of shape (programs, networks), and a failure for each value that is NaN.

        Raises:
            StatisticsError: A network does not exist, or does not hold a terminal that a program reads.
            EznasError: Something that is not a program.
        """
        for program in programs:
            if not isinstance(program, AnyProgram):
                raise EznasError(f"expected programs, got a {type(program).__name__}; use Program.parse")
        chosen = self._checked(networks)
        canonical = [canonical_form(program) for program in programs]
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
        self, programs: dict[bytes, AnyProgram], networks: list[int]
    ) -> dict[int, dict[bytes, Outcome]]:
        """For each network the outcome of each program, from the memo where it is kept."""
        known: dict[int, dict[bytes, Outcome]] = {}
        for network in networks:
            remembered = {code: self.memo.get((code, network)) for code in programs}
            known[network] = {code: outcome for code, outcome in remembered.items() if outcome is not None}
        missing = {
            network: tuple(code for code in programs if code not in known[network]) for network in networks
        }
        tasks = self._tasks(programs, {network: codes for network, codes in missing.items() if codes})
        for network, outcomes in self._over_threads(tasks):
            for code, outcome in zip(missing[network], outcomes, strict=True):
                known[network][code] = outcome
                self.memo.put((code, network), outcome)
        return known

    def _tasks(
        self, programs: Mapping[bytes, AnyProgram], missing: Mapping[int, tuple[bytes, ...]]
    ) -> list[Task]:
        """What is to be evaluated on each network, whose missing programs may differ."""
        if isinstance(self.backend, SubtreeBackend):
            # One graph for all networks, of which each takes the part that it misses.
            codes = tuple(dict.fromkeys(code for group in missing.values() for code in group))
            row_of = {code: row for row, code in enumerate(codes)}
            whole = TypedPrograms([programs[code] for code in codes], self.to_scalar, self._shapes)
            rows_of = {group: tuple(row_of[code] for code in group) for group in set(missing.values())}
            return [Task(network, whole, rows_of[group]) for network, group in missing.items()]
        typed = {
            group: TypedPrograms([programs[code] for code in group], self.to_scalar, self._shapes)
            for group in dict.fromkeys(missing.values())
        }
        return [Task(network, typed[group], tuple(range(len(group)))) for network, group in missing.items()]

    def _over_threads(self, tasks: Sequence[Task]) -> Iterator[tuple[int, list[Outcome]]]:
        """The outcomes of each task, with its network."""
        shares = share_out(tasks, self.threads, together=isinstance(self.backend, SubtreeBackend))
        # Each thread has the disk read for the share that will come to a thread when this one is done.
        later = itertools.chain(shares[self.threads :], itertools.repeat([]))
        if not shares:
            return
        with (
            one_torch_thread(),
            ThreadPoolExecutor(min(self.threads, len(shares)), initializer=_use_one_torch_thread) as pool,
        ):
            for found in pool.map(self._evaluate, shares, later):
                yield from found

    def _evaluate(self, share: list[Task], later: list[Task]) -> list[tuple[int, list[Outcome]]]:
        if hasattr(self.statistics, "read_ahead"):
            for task in later:
                self.statistics.read_ahead(task.network, task.typed.terminals)
        networks = [self.statistics[task.network] for task in share]
        with self._memo_lock:
            jobs = make_jobs(share, networks, self._subtrees_kept)
        found = []
        for batch in batches(jobs):
            for job, scalars in zip(batch, scalars_of(self.backend, batch, self.to_scalar), strict=True):
                with self._memo_lock:
                    of_programs = job.keep(scalars, self._subtrees_kept)
                found.append((job.task.network, job.outcomes(of_programs, self.to_scalar)))
        return found

    @property
    def _subtrees_kept(self) -> Memo[Row] | None:
        return self.subtree_memo if isinstance(self.backend, SubtreeBackend) else None


def _use_one_torch_thread() -> None:
    # The number of torch threads belongs to each thread that asks for it.
    torch.set_num_threads(1)
