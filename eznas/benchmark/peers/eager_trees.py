"""The baseline: eager torch, one tree and one layer at a time, as users of DEAP do."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch

from eznas.benchmark.peers.peer import Layer, Peer, Run
from eznas.benchmark.peers.torch_trees import mean_number, tensor_function, torch_threads
from eznas.program import Program


class EagerTrees(Peer):
    """Nested calls of the operations' definitions on tensors that lie ready in memory."""

    name = "eager torch"
    package = "torch"
    compiles = False

    def load(self, layer: Layer) -> Any:
        """See `Peer.load`."""
        return {name: torch.tensor(array) for name, array in layer.items()}

    def compile(self, program: Program) -> Run:
        """See `Peer.compile`."""
        function = tensor_function(program, {name: name for name in program.terminals})
        return lambda layer: mean_number(function(layer))

    def running(self) -> AbstractContextManager[object]:
        """See `Peer.running`."""
        return torch_threads(self.threads)
