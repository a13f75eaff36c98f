"""The torchscript backend: torch source generated for a graph of programs, run by torch's own interpreter."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eznas.backends.backend import Backend, ToScalar
from eznas.backends.torchscript_source import FUNCTION, parameters_of, torchscript_source
from eznas.compile import Graph
from eznas.ops import OPS
from eznas.statistics import NetworkStatistics

CALLED_BACK: Final = ("sym_eig_ratio", "eig_ratio")
"""Operations that run as Python functions: TorchScript cannot catch that eigenvalues do not converge."""

KEPT_GRAPHS: Final = 8
KEPT_NODES: Final = 16_384
"""How many compiled graphs a backend keeps, and of how many nodes together; one graph may be larger.

The least recently used one goes first. Compiled code takes about 5.5 kB a node.
"""

_Run = Callable[..., list[float]]


class TorchScriptBackend(Backend):
    """Runs where torch runs, and equals `eager` to the bit: the same functions call the same torch kernels.

    A graph is compiled when it is met first, and kept for the next networks.
    """

    name = "torchscript"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Graph, ToScalar], _Run] = OrderedDict()
        # Now and not when it is first needed, because the filters for warnings belong to all threads.
        _scripted_ops()

    def layer_scalars(
        self, graph: Graph, network: NetworkStatistics, to_scalar: ToScalar
    ) -> NDArray[np.float64]:
        """See `Backend.layer_scalars`."""
        run = self._compiled(graph, to_scalar)
        terminals = parameters_of(graph)
        scalars = np.empty((len(graph.roots), len(network.layers)))
        # The optimising executor compiles a function again at its first two calls, five times the time in
        # all, for later calls that are 1 to 9 % shorter; and its rewrites do not promise the same bits. The
        # switch belongs to the thread.
        with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            for column, layer in enumerate(network.layers):
                # Copies, in torch's own aligned memory, for the same bits as `eager`.
                scalars[:, column] = run(*[torch.tensor(layer[name]) for name in terminals])
        return scalars

    def _compiled(self, graph: Graph, to_scalar: ToScalar) -> _Run:
        # Threads that begin together would otherwise all compile the same graph.
        with self._lock:
            key = graph, to_scalar
            # Put back as the latest. To hash a graph takes 0.3 ms for 1,300 nodes.
            run = self._kept.pop(key, None)
            if run is None:
                run = _compile(graph, to_scalar)
            self._kept[key] = run
            while len(self._kept) > 1 and self._keeps_too_much():
                self._kept.popitem(last=False)
            return run

    def _keeps_too_much(self) -> bool:
        nodes = sum(len(graph.nodes) for graph, _ in self._kept)
        return len(self._kept) > KEPT_GRAPHS or nodes > KEPT_NODES


def _compile(graph: Graph, to_scalar: ToScalar) -> _Run:
    # A unit of its own: torch.jit.script would keep every function until the process ends.
    unit: Any = torch.jit.CompilationUnit()
    # One function even for large graphs: in parts of 128 to 512 nodes they compile no faster at 3,000 nodes,
    # and in 0.5 to 0.9 of the time at 5,000 to 15,000.
    unit.define(torchscript_source(graph, to_scalar), {"ops": _scripted_ops()}.get)
    run: _Run = getattr(unit, FUNCTION)
    return run


_scripting = threading.Lock()


def _scripted_ops() -> ModuleType:
    with _scripting:
        return _script_ops()


@cache
def _script_ops() -> ModuleType:
    """The operations as members of a module: TorchScript looks up names with a dot in modules alone."""
    ops = ModuleType("ops")
    with warnings.catch_warnings():
        # Torch 2.13 deprecates TorchScript; people who score programs cannot do anything about it.
        warnings.filterwarnings(
            "ignore", r"`torch\.jit\.script` is (deprecated|not supported)", DeprecationWarning
        )
        for name, op in OPS.items():
            setattr(ops, name, _called_back(op.eager) if name in CALLED_BACK else torch.jit.script(op.eager))
    return ops


def _called_back(eager: Callable[..., Tensor]) -> Any:
    def call(a: Tensor) -> Tensor:
        return eager(a)

    # TorchScript takes the types of a Python function as objects, not as text.
    call.__annotations__ = {"a": Tensor, "return": Tensor}
    return torch.jit.ignore(call)  # type: ignore[no-untyped-call]
