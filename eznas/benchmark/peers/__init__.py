"""Peers: other ways to compute the same programs, each as its own users would; all of them optional."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from eznas.benchmark.peers.compiled_trees import CompiledTrees
from eznas.benchmark.peers.eager_trees import EagerTrees
from eznas.benchmark.peers.jax_trees import JaxTrees
from eznas.benchmark.peers.numexpr_trees import NumexprTrees
from eznas.benchmark.peers.operon_trees import OperonTrees
from eznas.benchmark.peers.peer import Layer, Peer, Run
from eznas.benchmark.peers.torchscript_trees import TorchScriptTrees

PEERS: Final[Mapping[str, type[Peer]]] = MappingProxyType(
    {
        "torchscript-trees": TorchScriptTrees,
        "torch-compile": CompiledTrees,
        "jax": JaxTrees,
        "numexpr": NumexprTrees,
        "pyoperon": OperonTrees,
    }
)
"""The peers by the names that the command line takes; the baseline, `EagerTrees`, is always measured."""

__all__ = ["PEERS", "EagerTrees", "Layer", "Peer", "Run"]
