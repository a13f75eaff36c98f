"""The work of a call: its task, shared out over threads, and for each share the job that is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends import ToScalar, Work
from eznas.errors import StatisticsError
from eznas.evaluator.diagnosis import shape_failure, value_failure
from eznas.evaluator.memo import Memo, Row
from eznas.evaluator.outcomes import Outcomes
from eznas.evaluator.typed_programs import Refusal, TypedPrograms
from eznas.statistics import LayerTable, NetworkStatistics
from eznas.terminals import TERMINALS

USUAL_SHARE: Final = 20
"""Networks at once, of which all statistics may be in memory: as many as evolution draws of a task.

A call of a backend takes about 0.5 ms beside what it computes.
"""

LARGEST_SHARE: Final = 64
"""Networks at once where few programs read few statistics, so that 20 would be computed in a few ms."""


@dataclass(frozen=True, slots=True)
class Task:
    """Programs to evaluate on some networks."""

    networks: tuple[int, ...]
    """Their indices in the statistics."""
    rows: tuple[tuple[int, ...], ...]
    """For each network the places of its programs among the typed ones."""
    typed: TypedPrograms

    def part(self, begin: int, end: int) -> Task:
        """The task of some of the networks."""
        return Task(self.networks[begin:end], self.rows[begin:end], self.typed)


def share_out(task: Task, threads: int, *, together: bool) -> list[Task]:
    """The task in parts of one network, or of several at once; about as many parts for every thread."""
    networks = len(task.networks)
    largest = 1
    if together:
        asked_of_each = max(len(task.typed.programs), len(task.typed.terminals))
        largest = min(LARGEST_SHARE, max(USUAL_SHARE, USUAL_SHARE * len(TERMINALS) // asked_of_each))
    rounds = -(-networks // (threads * largest))
    size = -(-networks // (threads * rounds))
    return [task.part(begin, begin + size) for begin in range(0, networks, size)]


def to_read_ahead(shares: Sequence[Task], threads: int) -> list[list[Task]]:
    """For each share what the disk should read while it is evaluated.

    That is the share which will come to a thread when this one is done; and of a share among the first, for
    which nobody could do so, all networks but the one that it begins with.
    """
    later = [shares[number : number + 1] for number in range(threads, threads + len(shares))]
    own = [[share.part(1, len(share.networks))] for share in shares[:threads]]
    own += [[] for _ in shares[threads:]]
    return [[*first, *then] for first, then in zip(own, later, strict=True)]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be computed of a task: programs that have a shape on every layer of a network."""

    task: Task
    networks: tuple[int, ...]
    """The places of the networks in the task."""
    rows: tuple[tuple[int, ...], ...]
    """For each of them the places of its programs among the typed ones."""
    programs: tuple[int, ...]
    """The places of all programs, in ascending order."""

    @classmethod
    def of(cls, task: Task, refusals: Mapping[int, Mapping[int, Refusal]]) -> Job:
        """The job of a task without what is refused, see `TypedPrograms.refusals`."""
        rows_of = dict(enumerate(task.rows))
        for place, refused in refusals.items():
            rows_of[place] = tuple(row for row in rows_of[place] if row not in refused)
        rows_of = {place: rows for place, rows in rows_of.items() if rows}
        programs = sorted(set[int]().union(*set(rows_of.values())))
        return cls(task, tuple(rows_of), tuple(rows_of.values()), tuple(programs))

    @property
    def roots(self) -> list[int]:
        """For each program the node that is its scalar."""
        roots = self.task.typed.subtrees.graph.roots
        return [roots[row] for row in self.programs]

    def works(self, memo: Memo[Row]) -> list[Work]:
        """What a backend that keeps subtrees computes, given what a memo knows of them."""
        numbers_of: dict[tuple[int, ...], list[int]] = {}
        for number, rows in enumerate(self.rows):
            numbers_of.setdefault(rows, []).append(number)
        works = []
        subtrees = self.task.typed.subtrees
        for rows, numbers in numbers_of.items():
            roots = [subtrees.graph.roots[row] for row in rows]
            networks = [self.task.networks[self.networks[number]] for number in numbers]
            for work in subtrees.works(roots, networks, memo):
                works.append(replace(work, networks=tuple(numbers[place] for place in work.networks)))
        return works

    def keep(
        self,
        works: Iterable[Work],
        nodes: Sequence[int],
        numbers: NDArray[np.float64],
        bounds: Sequence[int],
        memo: Memo[Row],
    ) -> None:
        """Have a memo keep all numbers of works.

        Args:
            works: The works.
            nodes: All nodes that they compute, and others.
            numbers: (nodes, layers of its networks, one after the other).
            bounds: Where the layers of each network begin, and the end.
            memo: The memo.
        """
        row_of = {node: row for row, node in enumerate(nodes)}
        rounded = numbers.astype(np.float32)
        for work in works:
            rows = [row_of[node] for node in work.nodes]
            for number in work.networks:
                begin, end = bounds[number : number + 2]
                network = self.task.networks[self.networks[number]]
                self.task.typed.subtrees.keep(work.nodes, network, rounded[rows, begin:end], memo)

    def outcomes(
        self,
        numbers: NDArray[np.float64],
        rows: Sequence[int],
        networks: Sequence[NetworkStatistics],
        bounds: Sequence[int],
        to_scalar: ToScalar,
    ) -> Outcomes:
        """The outcomes of its programs on its networks.

        Args:
            numbers: (numbers, layers of its networks, one after the other).
            rows: For each program its row among the numbers.
            networks: The networks.
            bounds: Where the layers of each network begin, and the end.
            to_scalar: How a program's tensor became a number.
        """
        outcomes = Outcomes(means_over_layers(numbers[: max(rows) + 1], bounds)[rows], {})
        # Finite scalars have a finite mean: they were rounded to float32.
        is_fine = np.isfinite(outcomes.values)
        if self.rows.count(self.programs) < len(self.rows):
            row_of = {program: row for row, program in enumerate(self.programs)}
            is_asked = np.zeros(is_fine.shape, np.bool_)
            for column, programs in enumerate(self.rows):
                is_asked[[row_of[program] for program in programs], column] = True
            outcomes.values[~is_asked] = np.nan
            is_fine |= ~is_asked
        if is_fine.all():
            return outcomes
        for row, column in np.argwhere(~is_fine).tolist():
            outcomes.values[row, column] = np.nan
            of_layers = numbers[rows[row], bounds[column] : bounds[column + 1]]
            layer = int(np.flatnonzero(~np.isfinite(of_layers))[0])
            outcomes.failures[row, column] = value_failure(
                self.task.typed.programs[self.programs[row]],
                networks[column],
                self.task.networks[self.networks[column]],
                layer,
                float(of_layers[layer]),
                to_scalar,
            )
        return outcomes


def check_terminals(typed: TypedPrograms, table: LayerTable) -> None:
    """Refuse networks that do not hold all that programs read.

    Raises:
        StatisticsError: A network does not hold a terminal.
    """
    for terminals in table.terminals:
        missing = sorted(typed.terminals.difference(terminals))
        if missing:
            held = ", ".join(terminals)
            raise StatisticsError(f"the programs read {', '.join(missing)}, the statistics hold {held}")


def shape_failures(task: Task, refusals: Mapping[int, Mapping[int, Refusal]], outcomes: Outcomes) -> None:
    """Put the failures of a task into its outcomes as far as shapes decide them."""
    for place, refused in refusals.items():
        for row in task.rows[place]:
            if (refusal := refused.get(row)) is not None:
                outcomes.failures[row, place] = shape_failure(
                    task.typed.programs[row], task.networks[place], refusal.layer, refusal.rejection
                )


def means_over_layers(numbers: NDArray[np.float64], bounds: Sequence[int]) -> NDArray[np.float64]:
    """(numbers, networks) from (numbers, layers), where the layers of each network begin at its bound."""
    begins = np.array(bounds[:-1])
    lengths = np.array(bounds[1:]) - begins
    networks = np.arange(len(begins))
    # One call for all sums. Each begins with a zero, and so has the bits that np.mean gives alone.
    row = np.zeros((len(numbers), bounds[-1] + len(begins)))
    row[:, np.arange(bounds[-1]) + (networks + 1).repeat(lengths)] = numbers
    with np.errstate(all="ignore"):
        means: NDArray[np.float64] = np.add.reduceat(row, begins + networks, axis=1) / lengths
        return means
