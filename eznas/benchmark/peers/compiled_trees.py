"""torch.compile: each program compiled by TorchInductor for each geometry; needs a C++ compiler."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from eznas.benchmark.peers.peer import Layer, Peer, Run
from eznas.benchmark.peers.torch_trees import mean_number, tensor_function, torch_threads
from eznas.program import Program

_GEOMETRIES = 64


class CompiledTrees(Peer):
    """One compiled function a program and geometry."""

    name = "torch.compile"
    package = "torch"
    # A program takes 2 to 6 seconds to compile for each geometry.
    geometries = 2

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        # More geometries than the limit would run eagerly; worker processes would outlive the run.
        dynamo: Any = importlib.import_module("torch._dynamo.config")
        inductor: Any = importlib.import_module("torch._inductor.config")
        dynamo.recompile_limit = _GEOMETRIES
        inductor.compile_threads = 1
        # Compile times are measured: none may come from an earlier run.
        inductor.force_disable_caches = True

    def load(self, layer: Layer) -> Any:
        """See `Peer.load`."""
        return {name: torch.tensor(array) for name, array in layer.items()}

    def compile(self, program: Program) -> Run:
        """See `Peer.compile`."""
        names = program.terminals
        function = tensor_function(program, {name: index for index, name in enumerate(names)})

        def of_tensors(*tensors: Tensor) -> Tensor:
            return function(tensors)

        compiled = torch.compile(of_tensors, dynamic=False)
        return lambda layer: mean_number(compiled(*[layer[name] for name in names]))

    def running(self) -> AbstractContextManager[object]:
        """See `Peer.running`."""
        return torch_threads(self.threads)
