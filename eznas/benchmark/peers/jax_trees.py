"""JAX: each program compiled by XLA for each geometry."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

from eznas.benchmark.peers.jax_operations import operations
from eznas.benchmark.peers.peer import Layer, Peer, Run
from eznas.ops import OPS
from eznas.program import Program


class JaxTrees(Peer):
    """One compiled function a program and geometry, with the mean in it."""

    name = "JAX"
    package = "jax"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        # XLA reads both once, when it is first used in the process.
        os.environ.setdefault("NPROC", str(threads))
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        if threads == 1:
            os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
        self._jax: Any = importlib.import_module("jax")
        self._operations = operations()

    def load(self, layer: Layer) -> Any:
        """See `Peer.load`."""
        return {name: self._jax.device_put(array) for name, array in layer.items()}

    def compile(self, program: Program) -> Run:
        """See `Peer.compile`."""
        names = program.terminals

        def of_arrays(*arrays: Any) -> Any:
            waiting: list[Any] = []
            by_name = dict(zip(names, arrays, strict=True))
            for name in reversed(program.tokens):
                if name in by_name:
                    waiting.append(by_name[name])
                else:
                    arguments = [waiting.pop() for _ in range(OPS[name].arity)]
                    waiting.append(self._operations[name](*arguments))
            return self._jax.numpy.mean(waiting.pop())

        compiled = self._jax.jit(of_arrays)

        def run(layer: Mapping[str, Any]) -> float:
            return float(compiled(*[layer[name] for name in names]))

        return run
