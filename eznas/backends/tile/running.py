"""Running an encoded plan on the layers of a network."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends.tile.asked import Asked, Wanted
from eznas.backends.tile.encoding import EncodedPlan, encode
from eznas.backends.tile.kernels import KernelTable
from eznas.plan import NOTHING, Expression, Plan
from eznas.statistics import LayerTable
from eznas_kernels import machine
from eznas_kernels.instructions import FLOAT_BYTES
from eznas_kernels.repeats import find_repeats

_LINE_BYTES: Final = 64

PATTERNS_KEPT: Final = 4
"""Of how many patterns of repeated tensors the parts are kept; each takes about as much as the plan."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The instructions that some layers need, given what is known of them."""

    instructions: NDArray[np.int32]
    sections: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Selection:
    """What some nodes need, given others."""

    whole: _Part
    """For layers of which nothing else is known."""
    is_needed: NDArray[np.bool_]
    """(values,)."""
    is_known: NDArray[np.bool_]
    """(values,) whether the value is among those given."""
    parts: dict[bytes, _Part]
    """For patterns of repeated tensors what layers of all kinds need; see `RunnablePlan._part_of_kinds`."""


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
        self._all_terminals = tuple(terminals)
        self._set_of_number: dict[int, int] = dict(self._encoded.numbers[:, :2].tolist())
        """For values that are numbers to compute the index of the set of terminals that they depend on."""
        self._dependencies = np.array(
            [[name in each for name in terminals] for each in self._encoded.dependencies], np.bool_
        ).reshape(-1, len(terminals))
        self._selections: dict[tuple[int, ...], _Selection] = {}

    def run(
        self,
        layers: NDArray[np.int64],
        geometries: NDArray[np.int64],
        table: LayerTable,
        asked: Asked,
        scalars: NDArray[np.float64],
    ) -> None:
        """Compute numbers of nodes on some layers.

        Args:
            layers: The layers whose geometries the plan is for, in ascending order.
            geometries: For each of them which of the plan's geometries it has.
            table: All layers.
            asked: What is asked of them.
            scalars: (nodes asked, all layers); the columns of `layers` are written, where nothing is asked
                with anything.
        """
        encoded = self._encoded
        # A node that has no shape here is not asked of these layers, and any number may stand in its place.
        results = [self.plan.number_of_node.get(node, NOTHING) for node in asked.nodes]
        if self._constants.keys() >= set(results):
            for row, result in zip(scalars, results, strict=True):
                row[layers] = self._constants[result][geometries]
            return
        repeated = np.empty((len(self._dependencies), len(layers)), np.int64)
        kinds, examples = np.empty((2, len(layers)), np.int64)
        first_layers = table.first_layers_of(self._all_terminals)
        found = find_repeats(first_layers, self._dependencies, layers, repeated, kinds, examples)
        examples = examples[:found]
        wanted_of_kinds = [0] * found
        if asked.wanted_of is not None:
            wanted_of = asked.wanted_of[layers]
            _, examples, kinds = np.unique(wanted_of * found + kinds, return_index=True, return_inverse=True)
            wanted_of_kinds = wanted_of[examples].tolist()
        is_there = repeated[:, examples] != examples
        part = self._part_of_kinds(asked.wanted, wanted_of_kinds, is_there)
        known = self._known(asked, scalars.shape[1])
        given_slots, given = self._given(table, layers, geometries, repeated, *known)
        # Numbers of a layer lie where its network's earlier layers do not, and later ones may look for them.
        numbers = np.empty((table.most_layers, encoded.number_room), np.float32)
        rows = _address(numbers) + numbers.strides[0] * table.places[layers[repeated]]
        scratch = _scratch(encoded.scratch_size)
        begin = perf_counter()
        machine.run(
            part.instructions,
            part.sections,
            self._kernels,
            encoded.lengths,
            encoded.sizes,
            given_slots,
            layers,
            geometries,
            kinds,
            given,
            encoded.numbers,
            rows,
            encoded.offsets + _address(scratch),
            encoded.steps,
            np.empty(len(encoded.offsets)),
            np.array(results, np.int64),
            scalars,
        )
        self.seconds += perf_counter() - begin
        self.layers += len(layers)

    @cached_property
    def chains(self) -> Counter[Expression]:
        """See `Plan.chains`."""
        return self.plan.chains()

    @cached_property
    def _constants(self) -> dict[int, NDArray[np.float32]]:
        """For values that are known from shapes alone, the number for each geometry."""
        return dict(zip(self.plan.constants, self._encoded.constants, strict=True))

    def _known(self, asked: Asked, layers: int) -> tuple[list[int], NDArray[np.float32]]:
        """The values of numbers that are known on any layer, and room for them, which holds what is known.

        Returns:
            Values, and (values, all layers).
        """
        value_of = self.plan.number_of_node
        nodes = set[int]().union(*[wanted.known for wanted in asked.wanted])
        values = sorted({value_of[node] for node in nodes if node in value_of} & self._set_of_number.keys())
        row_of = {value: row for row, value in enumerate(values)}
        known = np.empty((len(values), layers), np.float32)
        for wanted in asked.wanted:
            for node, numbers in wanted.known.items():
                row = row_of.get(value_of.get(node, NOTHING))
                if row is not None:
                    known[row, wanted.layers] = numbers
        return values, known

    def _given(
        self,
        table: LayerTable,
        layers: NDArray[np.int64],
        geometries: NDArray[np.int64],
        repeated: NDArray[np.int64],
        known: Sequence[int],
        numbers: NDArray[np.float32],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The slots whose addresses differ from layer to layer, and (slots, all layers) their addresses.

        Args:
            table: All layers.
            layers: Those to run on.
            geometries: For each of them which of the plan's geometries it has.
            repeated: See `find_repeats`.
            known: See `_known`.
            numbers: Likewise.
        """
        slots = np.array([*self._terminals.values(), *known, *self._constants], np.int64)
        given = np.empty((len(slots), len(table.layers)), np.int64)
        rows = iter(given)
        for name, row in zip(self._terminals, rows, strict=False):
            row[:] = table.addresses_of(name)
        if known:
            # Where one is not known, it is computed on the first layer with these tensors, and put there.
            distances = FLOAT_BYTES * layers[repeated]
            for value, of_value, row in zip(known, numbers, rows, strict=False):
                row[layers] = _address(of_value) + distances[self._set_of_number[value]]
        for constants, row in zip(self._encoded.constants, rows, strict=True):
            row[layers] = _addresses(constants)[geometries]
        return slots, given

    def _part_of_kinds(
        self, wanted: Sequence[Wanted], wanted_of: Sequence[int], is_there: NDArray[np.bool_]
    ) -> _Part:
        """What layers of some kinds need, one kind after the other.

        Args:
            wanted: What is wanted on any layers.
            wanted_of: For each kind the index of what is wanted on its layers.
            is_there: (dependencies, kinds) whether numbers that depend on these terminals are there.
        """
        selections = {index: self._selection(wanted[index]) for index in dict.fromkeys(wanted_of)}
        if len(selections) > 1:
            # Such calls seldom have the same numbers known, and choosing takes a hundredth of running.
            kinds = zip(wanted_of, is_there.T, strict=True)
            return _joined([self._part(selections[index], of_kind) for index, of_kind in kinds])
        (selection,) = selections.values()
        pattern = is_there.tobytes()
        found = selection.parts.get(pattern)
        if found is None:
            found = _joined([self._part(selection, of_kind) for of_kind in is_there.T])
            if len(selection.parts) < PATTERNS_KEPT:
                selection.parts[pattern] = found
        return found

    def _part(self, selection: _Selection, is_there: NDArray[np.bool_]) -> _Part:
        """The part for layers of a kind, by the sets of terminals for which numbers are there."""
        if not is_there.any():
            return selection.whole
        slots, sets = self._encoded.numbers[:, 0], self._encoded.numbers[:, 1]
        is_known = selection.is_known.copy()
        is_known[slots[is_there[sets]]] = True
        # All that is not there, even where its readers are: later layers may look for it.
        wanted = np.zeros(len(is_known), np.bool_)
        wanted[slots] = selection.is_needed[slots]
        return self._select(wanted, is_known)

    def _selection(self, wanted: Wanted) -> _Selection:
        value_of = self.plan.number_of_node
        known = [value_of[node] for node in wanted.known if node in value_of]
        found = None if known else self._selections.get(wanted.nodes)
        if found is None:
            is_needed, is_known = np.zeros((2, len(self._encoded.offsets)), np.bool_)
            is_needed[[value_of[node] for node in wanted.nodes]] = True
            is_known[known] = True
            found = _Selection(self._select(is_needed, is_known), is_needed, is_known, {})
            if not known:
                self._selections[wanted.nodes] = found
        return found

    def _select(self, wanted: NDArray[np.bool_], is_known: NDArray[np.bool_]) -> _Part:
        """The instructions for values that are wanted; those that they depend on are marked as well."""
        encoded = self._encoded
        instructions = np.empty(encoded.instructions.shape, np.int32)
        sections = np.empty(encoded.sections.shape, np.int64)
        kept = machine.select(
            encoded.instructions, encoded.sections, encoded.sizes[0], wanted, is_known, instructions, sections
        )
        return _Part(instructions[:kept], sections)


def _joined(parts: Sequence[_Part]) -> _Part:
    """The parts of several kinds of layers as one."""
    if len(parts) == 1:
        return _Part(parts[0].instructions, parts[0].sections[np.newaxis])
    sections = np.array([part.sections for part in parts])
    begin = 0
    for of_part, part in zip(sections, parts, strict=True):
        of_part[:, :2] += begin
        begin += len(part.instructions)
    return _Part(np.concatenate([part.instructions for part in parts]), sections)


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
