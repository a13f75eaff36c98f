"""The evaluator: scores of many programs on many networks, by a chosen backend, over threads."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import accumulate
from typing import Final

import numpy as np
import torch

from eznas.backends import Backend, SubtreeBackend, ToScalar, get_backend
from eznas.compile import GrowingTable
from eznas.errors import ConfigError, EznasError, StatisticsError
from eznas.evaluator.jobs import Job, Task, check_terminals, shape_failures, share_out, to_read_ahead
from eznas.evaluator.memo import outcome_memo, program_code, row_memo
from eznas.evaluator.outcomes import Outcomes
from eznas.evaluator.scores import Scores
from eznas.evaluator.typed_programs import TypedPrograms, typed_programs
from eznas.program import AnyProgram, canonical_form
from eznas.statistics import LayerTable, NetworkStatistics
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
        backend: One of `eznas.backends.BACKEND_NAMES`, where `auto` is `eager` for a single network; or a
            backend that other evaluators have as well, so that it plans programs once for all of them.
        threads: How many networks are evaluated at once, by default the processors that the backend can use;
            with one, everything is done in the thread that calls.
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
        backend: str | Backend = "auto",
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
        if isinstance(backend, str):
            backend = get_backend("eager" if is_small else backend)
        self.backend = backend
        self.threads = threads or min(
            available_processors(), self.backend.useful_threads or available_processors()
        )
        budget = DEFAULT_MEMO_BYTES if memo_bytes is None else memo_bytes
        self.memo = outcome_memo(budget // _OUTCOME_SHARE)
        self.subtree_memo = row_memo(budget - self.memo.budget)
        self._memo_lock = threading.Lock()
        # What a backend infers for plans was mostly inferred for the programs before.
        self.shapes = self.backend.shapes if isinstance(self.backend, SubtreeBackend) else GrowingTable()
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
        distinct = dict(zip(codes, canonical, strict=True))
        row_of = {code: row for row, code in enumerate(distinct)}
        column_of = {network: column for column, network in enumerate(dict.fromkeys(chosen))}
        rows, columns = [row_of[code] for code in codes], [column_of[network] for network in chosen]
        outcomes = self._outcomes(distinct, column_of)
        values = outcomes.values[rows][:, columns]
        failures = tuple(
            replace(outcomes.failures[rows[row], columns[column]], program=programs[row])
            for row, column in (np.argwhere(np.isnan(values)).tolist() if outcomes.failures else ())
        )
        return Scores(values, failures)

    def _checked(self, networks: Sequence[int] | None) -> list[int]:
        held = len(self.statistics)
        chosen = list(range(held)) if networks is None else [operator.index(network) for network in networks]
        for network in chosen:
            if not 0 <= network < held:
                raise StatisticsError(f"no network {network}; the statistics hold {held} networks")
        return chosen

    def _outcomes(self, programs: Mapping[bytes, AnyProgram], column_of: Mapping[int, int]) -> Outcomes:
        """The outcomes of distinct programs on distinct networks, from the memo where they are kept.

        Args:
            programs: The programs by code.
            column_of: For each network its column among the outcomes, in ascending order.
        """
        codes, networks = tuple(programs), tuple(column_of)
        found = Outcomes.unknown(len(codes), len(networks))
        missing = found.recall(self.memo, codes, networks)
        rows = sorted(set[int]().union(*set(missing)))
        if not rows:
            return found
        typed = typed_programs(
            {codes[row]: programs[codes[row]] for row in rows}, self.to_scalar, self.shapes
        )
        for share, outcomes in self._over_threads(_task(typed, rows, networks, missing)):
            columns = [column_of[network] for network in share.networks]
            found.put(rows, columns, outcomes)
            outcomes.remember(self.memo, [codes[row] for row in rows], share.networks, share.rows)
        return found

    def _over_threads(self, task: Task) -> Iterator[tuple[Task, Outcomes]]:
        """The task in parts, and the outcomes of each."""
        together = isinstance(self.backend, SubtreeBackend)
        shares = share_out(task, self.threads, together=together)
        threads = min(self.threads, len(shares))
        ahead = to_read_ahead(shares, threads)
        with one_torch_thread():
            if threads <= 1:
                # Here, since one thread of a pool would only be waited for.
                yield from zip(shares, map(self._evaluate, shares, ahead), strict=True)
                return
            with ThreadPoolExecutor(threads, initializer=_use_one_torch_thread) as pool:
                yield from zip(shares, pool.map(self._evaluate, shares, ahead), strict=True)

    def _evaluate(self, share: Task, ahead: Sequence[Task]) -> Outcomes:
        """The outcomes of a share, (typed programs, networks)."""
        if hasattr(self.statistics, "read_ahead"):
            for task in ahead:
                for network in task.networks:
                    self.statistics.read_ahead(network, task.typed.terminals)
        networks = [self.statistics[network] for network in share.networks]
        table = LayerTable.of(networks)
        check_terminals(share.typed, table)
        refusals = share.typed.refusals(table)
        outcomes = Outcomes.unknown(len(share.typed.programs), len(networks))
        shape_failures(share, refusals, outcomes)
        job = Job.of(share, refusals)
        if job.programs:
            chosen = [networks[place] for place in job.networks]
            outcomes.put(job.programs, job.networks, self._computed(job, chosen))
        return outcomes

    def _computed(self, job: Job, networks: Sequence[NetworkStatistics]) -> Outcomes:
        """The outcomes of a job on its networks."""
        typed = job.task.typed
        bounds = [0, *accumulate(map(len, networks))]
        if not isinstance(self.backend, SubtreeBackend):
            # These have one network in a job.
            graph = typed.graph_of(job.programs)
            (numbers,) = (self.backend.layer_scalars(graph, network, self.to_scalar) for network in networks)
            return job.outcomes(numbers, range(len(job.programs)), networks, bounds, self.to_scalar)
        with self._memo_lock:
            works = job.works(self.subtree_memo)
        roots = job.roots
        nodes = tuple(dict.fromkeys([*roots, *(node for work in works for node in work.nodes)]))
        numbers = self.backend.work_scalars(typed.subtrees.graph, networks, nodes, works)
        if not self.subtree_memo.is_off:
            with self._memo_lock:
                job.keep(works, nodes, numbers, bounds, self.subtree_memo)
        row_of = {node: row for row, node in enumerate(nodes)}
        return job.outcomes(numbers, [row_of[root] for root in roots], networks, bounds, self.to_scalar)


def _use_one_torch_thread() -> None:
    # The number of torch threads belongs to each thread that asks for it.
    torch.set_num_threads(1)


def _task(
    typed: TypedPrograms,
    rows: Sequence[int],
    networks: Sequence[int],
    missing: Sequence[tuple[int, ...]],
) -> Task:
    """What is to be evaluated.

    Args:
        typed: The programs that some network misses.
        rows: Their places among the programs of the call.
        networks: The networks of the call.
        missing: For each of them the places of the programs that it misses.
    """
    number_of = {row: number for number, row in enumerate(rows)}
    moved = {each: tuple([number_of[row] for row in each]) for each in set(missing)}
    lacking = [(network, moved[each]) for network, each in zip(networks, missing, strict=True) if each]
    return Task(tuple([network for network, _ in lacking]), tuple([each for _, each in lacking]), typed)
