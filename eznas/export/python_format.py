"""One standalone Python file: the program as code, the layer finder and collection; it needs torch alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch

from eznas.export.description import Description
from eznas.export.gathering import Name, gather, joined, sorted_imports
from eznas.export.header import (
    fields_source,
    program_paragraph,
    score_sentence,
    signature,
    statistics_lines,
)
from eznas.export.layer_source import layer_graph, layer_lines, operations_used
from eznas.export.loading import loaded_module
from eznas.export.templates import torch_scoring, torch_weights
from eznas.export.trials import Array, Refusal, Runner
from eznas.statistics import Structure
from eznas.terminals import TERMINALS

_TEMPLATE: Final = torch_scoring.__name__
_FINDERS: Final = {
    Structure.RCB: "relu_conv_batch_norm_layers",
    Structure.CBR: "conv_batch_norm_relu_layers",
}

_HEAD: Final = '''\
"""A zero-cost proxy: it scores an untrained network for images, so that scores rank networks by accuracy.

{program}

{score}

    import torch
    import proxy  # this file

    model = proxy.initialise(model, seed=0)
    print(proxy.score(model, torch.randn(1, 3, 32, 32)))

Written by eznas {version}. It needs torch (2.6 or newer) alone.
Licence: Apache-2.0.
"""
'''


def make_python(description: Description, path: Path) -> Runner:
    """Write the file, and run what it says about layers."""
    path.write_text(python_source(description), encoding="utf-8")
    proxy = loaded_module(path)

    def run(layer: Mapping[str, Array]) -> float:
        tensors = {name: torch.tensor(layer[name]) for name in description.program.terminals}
        try:
            with torch.inference_mode():
                return float(proxy.layer_score(**tensors))
        except (RuntimeError, IndexError) as refusal:
            raise Refusal(str(refusal)) from refusal

    return run


def python_source(description: Description) -> str:
    """The text of the file; its functions `score` and `initialise` are what users call."""
    graph = layer_graph(description.program, description.to_scalar)
    terminals = description.program.terminals
    used = operations_used(graph)
    finder = _FINDERS[description.structure]
    parts = gather(
        [
            Name(_TEMPLATE, "score"),
            Name(torch_weights.__name__, "initialise"),
            Name(_TEMPLATE, finder),
            *used.values(),
        ],
        provided={
            Name(_TEMPLATE, "TERMINALS"): "TERMINALS",
            Name(_TEMPLATE, "layer_score"): "layer_score",
            Name(_TEMPLATE, "find_layers"): finder,
        },
        reserved=[*TERMINALS, "PROXY", "TERMINALS", "layer_score"],
    )
    layer = [
        *signature("layer_score", [f"{name}: Tensor" for name in terminals], " -> Tensor"),
        '    """The number that the program gives for one layer, from its statistics.',
        "",
        *(f"    {line}" for line in statistics_lines(terminals)),
        '    """',
        *(f"    {line}" for line in layer_lines(graph, {op: parts.names[name] for op, name in used.items()})),
    ]
    imports = sorted_imports([*parts.imports, "from torch import Tensor"])
    sections = [
        _head(description)
        + f"\nfrom __future__ import annotations\n\n{imports}\n\n{fields_source(description)}",
        "\n".join(layer),
        *parts.in_order_of_source(),
    ]
    return joined(sections)


def _head(description: Description) -> str:
    return _HEAD.format(
        program=program_paragraph(description),
        score=score_sentence(description),
        version=description.fields()["eznas"],
    )
