"""TorchScript: each program traced once for each geometry."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from eznas.benchmark.peers.peer import Layer, Peer, Run
from eznas.benchmark.peers.torch_trees import mean_number, tensor_function, torch_threads
from eznas.program import Program


class TorchScriptTrees(Peer):
    """One traced function a program and geometry, run by TorchScript's interpreter."""

    name = "TorchScript"
    package = "torch"

    def load(self, layer: Layer) -> Any:
        """See `Peer.load`."""
        return {name: torch.tensor(array) for name, array in layer.items()}

    def compile(self, program: Program) -> Run:
        """See `Peer.compile`."""
        names = program.terminals
        function = tensor_function(program, {name: index for index, name in enumerate(names)})
        traced: dict[tuple[torch.Size, ...], Callable[..., Tensor]] = {}

        def run(layer: dict[str, Tensor]) -> float:
            tensors = [layer[name] for name in names]
            key = tuple(tensor.shape for tensor in tensors)
            if key not in traced:
                traced[key] = _trace(function, tensors)
            return mean_number(traced[key](*tensors))

        return run

    def running(self) -> AbstractContextManager[object]:
        """See `Peer.running`."""
        return torch_threads(self.threads)


def _trace(function: Callable[[Any], Tensor], tensors: list[Tensor]) -> Callable[..., Tensor]:
    with warnings.catch_warnings():
        # Torch 2.13 deprecates TorchScript; and every branch of an operation is fixed by the trace.
        warnings.simplefilter("ignore")
        traced: Callable[..., Tensor] = torch.jit.trace(  # type: ignore[no-untyped-call]
            lambda *values: function(values), tuple(tensors), check_trace=False
        )
    return traced
