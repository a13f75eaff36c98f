"""A program as a torch module over the statistics of one layer, from generated source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

import torch
from torch import Tensor, nn

from eznas.export.description import Description
from eznas.export.gathering import Name, gather, joined, sorted_imports
from eznas.export.header import signature
from eznas.export.layer_source import layer_graph, layer_lines, operations_used
from eznas.export.loading import loaded_module
from eznas.export.templates import torch_batchable, torch_traceable
from eznas.terminals import TERMINALS

EXTRA_FILE: Final = "eznas.json"
"""The file within an archive that holds the description."""


class StackedLayers(nn.Module):
    """The module of one layer over several layers of one shape, stacked along a new first dimension."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *statistics: Tensor) -> Tensor:
        """The numbers of the layers, float64."""
        numbers: Tensor = torch.vmap(self.layer)(*statistics)
        return numbers.double()


def layer_module(description: Description, folder: Path, *, is_batchable: bool = False) -> nn.Module:
    """The module; its `forward` takes the statistics in the order of the program's terminals.

    Args:
        description: The program.
        folder: Where its source is written: scripting reads it.
        is_batchable: Whether torch.vmap has to take it while torch.export traces.
    """
    path = folder / "layer_program.py"
    path.write_text(module_source(description, is_batchable=is_batchable), encoding="utf-8")
    module: nn.Module = loaded_module(path).LayerProgram()
    return module


def module_source(description: Description, *, is_batchable: bool = False) -> str:
    """The source of the class LayerProgram and of the functions that it calls."""
    graph = layer_graph(description.program, description.to_scalar)
    templates = (torch_batchable, torch_traceable) if is_batchable else (torch_traceable,)
    used = {op: _replaced(op, name, templates) for op, name in operations_used(graph).items()}
    parts = gather(used.values(), reserved=[*TERMINALS, "LayerProgram", "nn", "Tensor"])
    lines = layer_lines(graph, {op: parts.names[name] for op, name in used.items()})
    parameters = ["self", *(f"{name}: Tensor" for name in description.program.terminals)]
    forward: Sequence[str] = [
        *signature("forward", parameters, " -> Tensor"),
        *(f"    {line}" for line in lines),
    ]
    imports = sorted_imports([*parts.imports, "from torch import Tensor", "from torch import nn"])
    layer = "\n".join(["class LayerProgram(nn.Module):", *(f"    {line}" for line in forward)])
    return joined([imports, *parts.definitions.values(), layer])


def _replaced(op: str, name: Name, templates: Sequence[ModuleType]) -> Name:
    return next((Name(template.__name__, op) for template in templates if hasattr(template, op)), name)
