"""Operon, the fastest evaluator of genetic programming over columns of data: a column is a statistic."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from eznas.benchmark.peers.formulas import formula
from eznas.benchmark.peers.peer import Layer, Peer, Run
from eznas.errors import EznasError
from eznas.program import Program
from eznas.terminals import TERMINALS, Family

_TEMPLATES: Final = {
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "abs": "abs({0})",
    "square": "square({0})",
    "exp": "exp({0})",
    "reciprocal": "(1 / ({0}))",
}

# Columns have one length; T1 and T2 have one shape in every layer whose ReLU stands before the convolution.
_TABLES: Final = (
    frozenset({Family.RELU_INPUT, Family.CONVOLUTION_INPUT}),
    frozenset({Family.WEIGHT}),
    frozenset({Family.BATCH_NORM_OUTPUT}),
)


class OperonTrees(Peer):
    """One Operon tree a program, over the elements of a layer as rows; one thread a tree."""

    name = "pyoperon"
    package = "pyoperon"
    part = f"{', '.join(_TEMPLATES)} over statistics of one table, and a final mean"
    compiles = False

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._operon: Any = importlib.import_module("pyoperon")

    def supports(self, program: Program) -> bool:
        """See `Peer.supports`."""
        return formula(program, _TEMPLATES) is not None and _table(program) is not None

    def load(self, layer: Layer) -> Any:
        """See `Peer.load`."""
        tables = {}
        for index, names in enumerate(map(_columns, _TABLES)):
            # The statistics that are not at hand are not read by any program either.
            columns = [layer[name].ravel() for name in names if name in layer]
            if columns and len({len(column) for column in columns}) == 1:
                blank = np.zeros_like(columns[0])
                whole = [layer[name].ravel() if name in layer else blank for name in names]
                memory = np.asfortranarray(np.stack(whole, axis=1))
                dataset = self._operon.Dataset(memory)
                # A data set only looks at the memory of its array.
                tables[index] = dataset, self._operon.Range(0, dataset.Rows), memory
        return tables

    def compile(self, program: Program) -> Run:
        """See `Peer.compile`."""
        chosen, table = formula(program, _TEMPLATES), _table(program)
        if chosen is None or table is None:
            raise EznasError(f"Operon computes {self.part}, got {program}")
        names = _columns(_TABLES[table])
        # Operon knows a column by a hash of its name, and names the columns of an array itself.
        memory = np.zeros((1, len(names)), np.float32, order="F")
        named = self._operon.Dataset(memory).Variables
        hashes = {name: each.Hash for name, each in zip(names, _in_order(named), strict=True)}
        tree = self._operon.InfixParser.Parse(chosen.text, hashes)
        evaluate = self._operon.Evaluate

        def run(layer: Mapping[int, Any]) -> float:
            dataset, rows, _ = layer[table]
            return float(np.mean(evaluate(tree, dataset, rows), dtype=np.float64))

        return run


def _table(program: Program) -> int | None:
    families = {TERMINALS[name].family for name in program.terminals}
    return next((index for index, table in enumerate(_TABLES) if families <= table), None)


def _columns(families: frozenset[Family]) -> tuple[str, ...]:
    return tuple(name for name, terminal in TERMINALS.items() if terminal.family in families)


def _in_order(variables: Any) -> list[Any]:
    return sorted(variables, key=lambda variable: variable.Index)
