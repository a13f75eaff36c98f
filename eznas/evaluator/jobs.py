"""The work of a call: its tasks, shared out over threads, and jobs, for which a backend is called once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends import Backend, SubtreeBackend, ToScalar
from eznas.errors import StatisticsError
from eznas.evaluator.diagnosis import shape_failure, value_failure
from eznas.evaluator.memo import Memo, Row
from eznas.evaluator.outcomes import Outcomes
from eznas.evaluator.subtrees import Work
from eznas.evaluator.typed_programs import Refusal, TypedPrograms
from eznas.statistics import NetworkStatistics
from eznas.terminals import TERMINALS

USUAL_SHARE: Final = 16
"""Networks at once, of which all statistics may be in memory; a call of a backend takes about 0.5 ms beside
what it computes."""

LARGEST_SHARE: Final = 64
"""Networks at once where few programs read few statistics, so that 16 would be computed in a few ms."""


@dataclass(frozen=True, slots=True)
class Task:
    """Programs to evaluate on some networks."""

    networks: tuple[int, ...]
    """Their indices in the statistics."""
    programs: tuple[int, ...]
    """The places of the programs among those of the call,"""
    rows: tuple[int, ...]
    """and among the typed ones."""
    typed: TypedPrograms


def share_out(task: Task, threads: int, *, together: bool) -> list[Task]:
    """The task in parts of one network, or of several at once; about as many parts for every thread."""
    networks = len(task.networks)
    largest = 1
    if together:
        asked_of_each = max(len(task.rows), len(task.typed.terminals))
        largest = min(LARGEST_SHARE, max(USUAL_SHARE, USUAL_SHARE * len(TERMINALS) // asked_of_each))
    rounds = -(-networks // (threads * largest))
    size = -(-networks // (threads * rounds))
    return [replace(task, networks=task.networks[begin : begin + size]) for begin in range(0, networks, size)]


def to_read_ahead(shares: Sequence[Task], threads: int) -> list[list[Task]]:
    """For each share what the disk should read while it is evaluated.

    That is the share which will come to a thread when this one is done; and of a share among the first, for
    which nobody could do so, all networks but the one that it begins with.
    """
    later = [shares[number : number + 1] for number in range(threads, threads + len(shares))]
    own = [[replace(share, networks=share.networks[1:])] for share in shares[:threads]]
    own += [[] for _ in shares[threads:]]
    return [[*first, *then] for first, then in zip(own, later, strict=True)]


@dataclass(frozen=True, slots=True)
class Job:
    """The programs of a task that have a shape on every layer of some of its networks."""

    task: Task
    networks: tuple[int, ...]
    """The places of these networks in the task."""
    programs: tuple[int, ...]
    """The places of the programs in the task."""
    work: Work | None
    """What a backend that keeps subtrees computes for them; None for others."""

    @property
    def rows(self) -> tuple[int, ...]:
        """The places of the programs among the typed ones."""
        return tuple(self.task.rows[program] for program in self.programs)

    @property
    def _places(self) -> list[int]:
        """Where the scalars of the programs stand among the numbers that are run."""
        if self.work is None:
            return list(range(len(self.programs)))
        roots = self.task.typed.subtrees.graph.roots
        place_of = {node: place for place, node in enumerate(self.work.nodes)}
        return [place_of[roots[row]] for row in self.rows]

    def run(
        self, backend: Backend, networks: Sequence[NetworkStatistics], to_scalar: ToScalar
    ) -> list[NDArray[np.float64]]:
        """For each of its networks the numbers of the work's nodes, or of the programs: (numbers, layers)."""
        typed = self.task.typed
        if self.work is None or not isinstance(backend, SubtreeBackend):
            graph = typed.graph_of(self.rows)
            return [backend.layer_scalars(graph, network, to_scalar) for network in networks]
        return backend.node_scalars(typed.subtrees.graph, networks, self.work.nodes, self.work.known)

    def keep(self, numbers: Sequence[NDArray[np.float64]], memo: Memo[Row] | None) -> None:
        """Have the memo keep all numbers of the work."""
        if self.work is not None and memo is not None:
            networks = [self.task.networks[network] for network in self.networks]
            self.task.typed.subtrees.keep(self.work.nodes, networks, numbers, memo)

    def outcomes(
        self,
        numbers: Sequence[NDArray[np.float64]],
        networks: Sequence[NetworkStatistics],
        to_scalar: ToScalar,
    ) -> Outcomes:
        """The outcomes of its programs on its networks, from what was run."""
        rows, found = self.rows, self._places
        means = means_over_layers([of_network[: max(found) + 1] for of_network in numbers])
        outcomes = Outcomes(means[found], {})
        # Finite scalars have a finite mean: they were rounded to float32.
        for row, column in np.argwhere(~np.isfinite(outcomes.values)).tolist():
            outcomes.values[row, column] = np.nan
            of_layers = numbers[column][found[row]]
            layer = int(np.flatnonzero(~np.isfinite(of_layers))[0])
            outcomes.failures[row, column] = value_failure(
                self.task.typed.programs[rows[row]],
                networks[column],
                self.task.networks[self.networks[column]],
                layer,
                float(of_layers[layer]),
                to_scalar,
            )
        return outcomes


def check_terminals(typed: TypedPrograms, networks: Iterable[NetworkStatistics]) -> None:
    """Refuse networks that do not hold all that programs read.

    Raises:
        StatisticsError: A network does not hold a terminal.
    """
    for terminals in dict.fromkeys(network.terminals for network in networks):
        missing = sorted(typed.terminals.difference(terminals))
        if missing:
            held = ", ".join(terminals)
            raise StatisticsError(f"the programs read {', '.join(missing)}, the statistics hold {held}")


def make_jobs(task: Task, refusals: Sequence[Mapping[int, Refusal]], memo: Memo[Row] | None) -> list[Job]:
    """Find out what is to be computed.

    Args:
        task: The task.
        refusals: For each of its networks the typed programs without a shape, see `TypedPrograms.refusals`.
        memo: What is known of subtrees; None for backends that keep none.
    """
    everything = tuple(range(len(task.rows)))
    groups: dict[tuple[int, ...], list[int]] = {}
    for network, refused in enumerate(refusals):
        fitting = everything
        if refused:
            fitting = tuple(program for program in everything if task.rows[program] not in refused)
        groups.setdefault(fitting, []).append(network)
    jobs = []
    for programs, networks in groups.items():
        if not programs:
            continue
        if memo is None:
            jobs.append(Job(task, tuple(networks), programs, None))
            continue
        subtrees = task.typed.subtrees
        roots = [subtrees.graph.roots[task.rows[program]] for program in programs]
        for work in subtrees.works(roots, [task.networks[network] for network in networks], memo):
            jobs.append(Job(task, tuple(networks[place] for place in work.networks), programs, work))
    return jobs


def shape_outcomes(task: Task, refusals: Sequence[Mapping[int, Refusal]]) -> Outcomes:
    """The outcomes of a task as far as shapes decide them: failures."""
    outcomes = Outcomes.unknown(len(task.rows), len(task.networks))
    for column, refused in enumerate(refusals):
        if not refused:
            continue
        for row, program in enumerate(task.rows):
            if (refusal := refused.get(program)) is not None:
                outcomes.failures[row, column] = shape_failure(
                    task.typed.programs[program], task.networks[column], refusal.layer, refusal.rejection
                )
    return outcomes


def means_over_layers(numbers: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(numbers, networks) from the (numbers, layers) of each network."""
    zero = np.zeros((len(numbers[0]), 1))
    lengths = np.array([of_network.shape[1] for of_network in numbers])
    ends = np.cumsum(lengths + 1)
    with np.errstate(all="ignore"):
        # One call for all sums. Each begins with a zero, and so has the bits that np.mean gives alone.
        row = np.concatenate([part for of_network in numbers for part in (zero, of_network)], axis=1)
        sums = np.add.reduceat(row, ends - (lengths + 1), axis=1)
        means: NDArray[np.float64] = sums / lengths
        return means
