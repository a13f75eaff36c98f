"""Running an encoded plan on the layers of a network."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eznas.backends.tile.encoding import EncodedPlan, encode
from eznas.backends.tile.kernels import KernelTable
from eznas.compile import ShapeColumn
from eznas.plan import Plan
from eznas_kernels import machine
from eznas_kernels.instructions import FLOAT_BYTES

_LINE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class _Selection:
    """The part of a plan that some nodes need, given others."""

    instructions: NDArray[np.int32]
    sections: NDArray[np.int64]
    given_slots: NDArray[np.int64]
    results: NDArray[np.int64]


class RunnablePlan:
    """A plan, encoded, with the parts of it that were asked for.

    Threads may share it.
    """

    def __init__(self, plan: Plan, shapes: Sequence[ShapeColumn], kernels: KernelTable) -> None:
        self.plan = plan
        self.shapes = shapes
        """What it was planned for."""
        self.seconds = 0.0
        """How long it has run, and"""
        self.layers = 0
        """on how many layers."""
        self._kernels = kernels.addresses
        self._encoded: EncodedPlan = encode(plan, kernels.number_of)
        self._terminals = plan.terminals
        self._selections: dict[tuple[int, ...], _Selection] = {}

    def run(
        self,
        layers: NDArray[np.int64],
        geometries: NDArray[np.int64],
        terminals: Mapping[str, NDArray[np.int64]],
        nodes: tuple[int, ...],
        known: Mapping[int, NDArray[np.float32]],
        scalars: NDArray[np.float64],
    ) -> None:
        """Compute numbers of nodes on some layers.

        Args:
            layers: The layers whose geometries the plan is for.
            geometries: For each of them which of the plan's geometries it has.
            terminals: For each terminal the address of its numbers in each of all layers.
            nodes: The nodes to compute.
            known: Numbers of other nodes in each of all layers.
            scalars: (nodes, all layers); the columns of `layers` are written.
        """
        encoded = self._encoded
        here = tuple(node for node in known if node in self.plan.number_of_node)
        part = self._selection(nodes, here)
        # The arrays behind these addresses are held by the caller.
        given = np.empty((len(part.given_slots), scalars.shape[1]), np.int64)
        rows = [terminals[name] for name in self._terminals] + [_addresses(known[node]) for node in here]
        for row, addresses in zip(given, rows, strict=False):
            row[:] = addresses
        for row, constants in zip(given[len(rows) :], encoded.constants, strict=True):
            row[layers] = _addresses(constants)[geometries]
        scratch = _scratch(encoded.scratch_size)
        begin = perf_counter()
        machine.run(
            part.instructions,
            part.sections,
            self._kernels,
            encoded.lengths,
            encoded.sizes,
            part.given_slots,
            layers,
            geometries,
            given,
            encoded.offsets + _address(scratch),
            encoded.steps,
            np.empty(len(encoded.offsets)),
            part.results,
            scalars,
        )
        self.seconds += perf_counter() - begin
        self.layers += len(layers)

    def _selection(self, nodes: tuple[int, ...], known: tuple[int, ...]) -> _Selection:
        if known:
            # Networks seldom have the same numbers known, and choosing takes a hundredth of running.
            return self._select(nodes, known)
        found = self._selections.get(nodes)
        if found is None:
            found = self._selections[nodes] = self._select(nodes, known)
        return found

    def _select(self, nodes: Sequence[int], known: Sequence[int]) -> _Selection:
        encoded, value_of = self._encoded, self.plan.number_of_node
        results = np.array([value_of[node] for node in nodes], np.int64)
        known_values = [value_of[node] for node in known]
        wanted = np.zeros(len(encoded.offsets), np.bool_)
        wanted[results] = True
        is_known = np.zeros(len(encoded.offsets), np.bool_)
        is_known[known_values] = True
        instructions = np.empty_like(encoded.instructions)
        sections = np.empty_like(encoded.sections)
        kept = machine.select(
            encoded.instructions, encoded.sections, encoded.sizes[0], wanted, is_known, instructions, sections
        )
        given = [*self._terminals.values(), *known_values, *self.plan.constants]
        given_slots = np.array(given, np.int64)
        return _Selection(instructions[:kept], sections, given_slots, results)


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
