"""numexpr: elementwise programs as one pass over blocks of their arrays, and the mean by NumPy."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from eznas.benchmark.peers.formulas import formula
from eznas.benchmark.peers.peer import Layer, Peer, Run
from eznas.errors import EznasError
from eznas.program import Program

# Numbers written in a formula are float64 to numexpr, and would make all of it float64.
_NUMBERS: Final = {"zero": np.float32(0), "one": np.float32(1), "minus": np.float32(-1)}

_TEMPLATES: Final = {
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "less": "where({0} < {1}, one, zero)",
    "greater": "where({0} > {1}, one, zero)",
    "equal": "where({0} == {1}, one, zero)",
    "log": "log(where({0} <= zero, one, {0}))",
    "abs_log": "log(abs(where({0} == zero, one, {0})))",
    "abs": "abs({0})",
    "square": "({0} ** 2)",
    "exp": "exp({0})",
    "relu": "where({0} <= zero, zero, {0})",
    "sign": "where({0} > zero, one, where({0} < zero, minus, zero))",
    "heaviside": "where({0} > zero, one, zero)",
    "reciprocal": "(one / {0})",
    "sigmoid": "(one / (one + exp(-{0})))",
    "ones_like": "where({0} == {0}, one, one)",
    "zeros_like": "where({0} == {0}, zero, zero)",
    "greater_than_zero": "where({0} > zero, one, zero)",
    "less_than_zero": "where({0} < zero, one, zero)",
}


class NumexprTrees(Peer):
    """One numexpr expression a program."""

    name = "numexpr"
    package = "numexpr"
    part = "elementwise operations and a final mean"
    compiles = False

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._numexpr: Any = importlib.import_module("numexpr")

    def supports(self, program: Program) -> bool:
        """See `Peer.supports`."""
        return formula(program, _TEMPLATES) is not None

    def load(self, layer: Layer) -> Any:
        """See `Peer.load`."""
        return {name: np.array(array) for name, array in layer.items()}

    def compile(self, program: Program) -> Run:
        """See `Peer.compile`."""
        chosen = formula(program, _TEMPLATES)
        if chosen is None:
            raise EznasError(f"numexpr computes {self.part}, got {program}")
        if chosen.text in chosen.terminals:
            return lambda layer: _mean(layer[chosen.text])
        used = set(re.findall(r"\w+", chosen.text))
        numbers = {name: number for name, number in _NUMBERS.items() if name in used}
        signature = [(name, float) for name in (*chosen.terminals, *numbers)]
        expression = self._numexpr.NumExpr(chosen.text, signature)

        def run(layer: Mapping[str, Any]) -> float:
            return _mean(expression(*[layer[name] for name in chosen.terminals], *numbers.values()))

        return run

    @contextmanager
    def running(self) -> Iterator[None]:
        """See `Peer.running`."""
        before = self._numexpr.set_num_threads(self.threads)
        try:
            yield
        finally:
            self._numexpr.set_num_threads(before)


def _mean(values: Any) -> float:
    return float(np.mean(values, dtype=np.float64))
