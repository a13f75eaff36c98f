"""Running an encoded plan on the layers of a network."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends.tile.encoding import EncodedPlan, encode
from eznas.backends.tile.kernels import KernelTable
from eznas.backends.tile.layers import LayerTable
from eznas.plan import Expression, Plan
from eznas_kernels import machine
from eznas_kernels.instructions import FLOAT_BYTES
from eznas_kernels.repeats import find_repeats

_LINE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class _Part:
    """The instructions that some layers need, given what is known of them."""

    instructions: NDArray[np.int32]
    sections: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Selection:
    """What some nodes need, given others, on layers of which nothing else is known."""

    whole: _Part
    is_needed: NDArray[np.bool_]
    """(values,)."""
    is_known: NDArray[np.bool_]
    """(values,) whether the value is among those given."""
    given_slots: NDArray[np.int64]
    results: NDArray[np.int64]
    constants: NDArray[np.float32] | None
    """(nodes, geometries), where all are known from shapes alone."""


class RunnablePlan:
    """A plan, encoded, with the parts of it that were asked for.

    Layers of a network often hold the same tensors: in NAS-Bench-201 all edges out of a node read one. What
    depends on such tensors alone, and is one number, is computed on the first of these layers.

    Threads may share it.
    """

    def __init__(self, plan: Plan, kernels: KernelTable, terminals: Sequence[str]) -> None:
        self.plan = plan
        self.seconds = 0.0
        """How long it has run, and"""
        self.layers = 0
        """on how many layers."""
        self._kernels = kernels.addresses
        self._encoded: EncodedPlan = encode(plan, kernels.number_of)
        self._terminals = plan.terminals
        self._rows = [terminals.index(name) for name in self._terminals]
        self._dependencies = np.array(
            [[name in each for name in terminals] for each in self._encoded.dependencies], np.bool_
        ).reshape(-1, len(terminals))
        self._selections: dict[tuple[int, ...], _Selection] = {}

    def run(
        self,
        layers: NDArray[np.int64],
        geometries: NDArray[np.int64],
        table: LayerTable,
        nodes: tuple[int, ...],
        known: Mapping[int, NDArray[np.float32]],
        scalars: NDArray[np.float64],
    ) -> None:
        """Compute numbers of nodes on some layers.

        Args:
            layers: The layers whose geometries the plan is for, in ascending order.
            geometries: For each of them which of the plan's geometries it has.
            table: All layers, with the terminals that the plan was told of.
            nodes: The nodes to compute.
            known: Numbers of other nodes in each of all layers.
            scalars: (nodes, all layers); the columns of `layers` are written.
        """
        encoded = self._encoded
        here = tuple(node for node in known if node in self.plan.number_of_node)
        selection = self._selection(nodes, here)
        if selection.constants is not None:
            scalars[:, layers] = selection.constants[:, geometries]
            return
        repeated = np.empty((len(self._dependencies), len(layers)), np.int64)
        kinds, examples = np.empty((2, len(layers)), np.int64)
        found = find_repeats(table.first_layers, self._dependencies, layers, repeated, kinds, examples)
        part = self._part_of_kinds(selection, repeated[:, examples[:found]] != examples[:found])
        # Numbers of a layer lie where its network's earlier layers do not, and later ones may look for them.
        places = table.places[layers]
        numbers = np.empty((int(places.max()) + 1, encoded.number_room), np.float32)
        given = np.empty((len(selection.given_slots), scalars.shape[1]), np.int64)
        given[: len(self._rows)] = table.addresses[self._rows]
        for row, node in zip(given[len(self._rows) :], here, strict=False):
            row[:] = _addresses(known[node])
        for row, constants in zip(given[len(self._rows) + len(here) :], encoded.constants, strict=True):
            row[layers] = _addresses(constants)[geometries]
        scratch = _scratch(encoded.scratch_size)
        begin = perf_counter()
        machine.run(
            part.instructions,
            part.sections,
            self._kernels,
            encoded.lengths,
            encoded.sizes,
            selection.given_slots,
            layers,
            geometries,
            kinds,
            given,
            encoded.numbers,
            _address(numbers) + numbers.strides[0] * places[repeated],
            encoded.offsets + _address(scratch),
            encoded.steps,
            np.empty(len(encoded.offsets)),
            selection.results,
            scalars,
        )
        self.seconds += perf_counter() - begin
        self.layers += len(layers)

    @cached_property
    def chains(self) -> Counter[Expression]:
        """See `Plan.chains`."""
        return self.plan.chains()

    def _part_of_kinds(self, selection: _Selection, is_there: NDArray[np.bool_]) -> _Part:
        """What layers of some kinds need, one kind after the other.

        Args:
            selection: What is wanted.
            is_there: (dependencies, kinds) whether numbers that depend on these terminals are there.
        """
        # Not kept: they are as large as the plan, and a hundred times quicker to choose than to run.
        parts = [self._part(selection, of_kind) for of_kind in is_there.T]
        if len(parts) == 1:
            return _Part(parts[0].instructions, parts[0].sections[np.newaxis])
        begins = np.cumsum([0, *(len(part.instructions) for part in parts[:-1])])
        sections = np.stack([part.sections for part in parts])
        sections[:, :, :2] += begins[:, np.newaxis, np.newaxis]
        return _Part(np.concatenate([part.instructions for part in parts]), sections)

    def _part(self, selection: _Selection, is_there: NDArray[np.bool_]) -> _Part:
        """The part for layers of a kind, by the sets of terminals for which numbers are there."""
        if not is_there.any():
            return selection.whole
        slots, sets = self._encoded.numbers[:, 0], self._encoded.numbers[:, 1]
        is_known = selection.is_known.copy()
        is_known[slots[is_there[sets]]] = True
        # All that is not there, even where its readers are: later layers may look for it.
        wanted = np.zeros_like(is_known)
        wanted[slots] = selection.is_needed[slots]
        return self._select(wanted, is_known)

    def _selection(self, nodes: tuple[int, ...], known: tuple[int, ...]) -> _Selection:
        # Networks seldom have the same numbers known, and choosing takes a hundredth of running.
        found = None if known else self._selections.get(nodes)
        if found is None:
            value_of = self.plan.number_of_node
            results, known_values = ([value_of[node] for node in each] for each in (nodes, known))
            is_needed, is_known = np.zeros((2, len(self._encoded.offsets)), np.bool_)
            is_needed[results] = True
            is_known[known_values] = True
            whole = self._select(is_needed, is_known)
            given_slots = np.array([*self._terminals.values(), *known_values, *self.plan.constants], np.int64)
            slots = np.array(results, np.int64)
            found = _Selection(whole, is_needed, is_known, given_slots, slots, self._constants(results))
            if not known:
                self._selections[nodes] = found
        return found

    def _constants(self, values: Sequence[int]) -> NDArray[np.float32] | None:
        row_of = {value: row for row, value in enumerate(self.plan.constants)}
        if not row_of.keys() >= set(values):
            return None
        return self._encoded.constants[[row_of[value] for value in values]]

    def _select(self, wanted: NDArray[np.bool_], is_known: NDArray[np.bool_]) -> _Part:
        """The instructions for values that are wanted; those that they depend on are marked as well."""
        encoded = self._encoded
        instructions = np.empty_like(encoded.instructions)
        sections = np.empty_like(encoded.sections)
        kept = machine.select(
            encoded.instructions, encoded.sections, encoded.sizes[0], wanted, is_known, instructions, sections
        )
        return _Part(instructions[:kept], sections)


_of_thread = threading.local()


def _scratch(size: int) -> NDArray[np.float32]:
    """Scratch memory of this thread, from the beginning of a cache line on."""
    held: NDArray[np.float32] | None = getattr(_of_thread, "scratch", None)
    if held is None or held.size < size:
        room = np.empty(size + _LINE_BYTES // FLOAT_BYTES, np.float32)
        skipped = -_address(room) % _LINE_BYTES // FLOAT_BYTES
        held = _of_thread.scratch = room[skipped:]
    return held


def _address(array: NDArray[np.float32]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _addresses(row: NDArray[np.float32]) -> NDArray[np.int64]:
    return _address(row) + row.strides[0] * np.arange(row.size)
