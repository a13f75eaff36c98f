"""A program as a torch module over the statistics of one layer, from generated source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from torch import nn

from eznas.export.description import Description
from eznas.export.gathering import Name, gather, joined, sorted_imports
from eznas.export.header import signature
from eznas.export.layer_source import layer_graph, layer_lines, operations_used
from eznas.export.loading import loaded_module
from eznas.export.templates import torch_traceable
from eznas.terminals import TERMINALS

EXTRA_FILE: Final = "eznas.json"
"""The file within an archive that holds the description."""

_TRACEABLE: Final = torch_traceable.__name__


def layer_module(description: Description, folder: Path) -> nn.Module:
    """The module; its `forward` takes the statistics in the order of the program's terminals.

    Args:
        description: The program.
        folder: Where its source is written: scripting reads it.
    """
    path = folder / "layer_program.py"
    path.write_text(module_source(description), encoding="utf-8")
    module: nn.Module = loaded_module(path).LayerProgram()
    return module


def module_source(description: Description) -> str:
    """The source of the class LayerProgram and of the functions that it calls."""
    graph = layer_graph(description.program, description.to_scalar)
    used = {op: _traceable(op, name) for op, name in operations_used(graph).items()}
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


def _traceable(op: str, name: Name) -> Name:
    return Name(_TRACEABLE, op) if hasattr(torch_traceable, op) else name
