"""One standalone Python file of Numba kernels over arrays; it needs numba and numpy alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from eznas.compile import simplify
from eznas.export.description import Description
from eznas.export.gathering import Name, gather, joined, sorted_imports
from eznas.export.header import fields_source, program_paragraph, score_sentence, signature, statistics_lines
from eznas.export.layer_source import layer_graph
from eznas.export.loading import loaded_module
from eznas.export.numba_body import ADDRESSES, RUNTIME, layer_body
from eznas.export.trials import Array, Refusal, Runner
from eznas.terminals import TERMINALS

_PROVIDED: Final[dict[Name, str]] = {
    Name("eznas_kernels.policy", name): name
    for name in ("SOURCE", "DESTINATION", "SIZES", "OPTIONS", "scalar", "inlined", "kernel", "reduction")
}
_IN_LOOPS: Final = ("eznas_kernels.elementwise", "eznas_kernels.transcendental")
"""Modules whose functions become part of loops. LLVM alone would call those that a loop uses twice."""

_ADDRESS_OF: Final = Name("eznas_kernels.calling", "address_of")

_HEAD: Final = '''\
"""A zero-cost proxy over arrays: the score of an untrained network from statistics of its layers.

{program}

{score}

    import numpy as np
    import proxy  # this file

    layers = [{{"{terminal}": np.zeros({shape}, np.float32)}}]
    print(proxy.score_layers(layers), proxy.score(layers))

Importing it compiles for this processor; where the file's folder can be written, code is kept beside it.
Written by eznas {version}. It needs numba (0.61 or newer) and numpy alone.
Licence: Apache-2.0.
"""
'''

_SCORES: Final = '''\
def score_layers(layers):
    """The program's number for each layer.

    Args:
        layers: for each layer its statistics by name, float32 arrays of four dimensions.

    Raises:
        ValueError: the program has no shape on a layer.
    """
    return [
        float(layer_score(*[np.ascontiguousarray(layer[name], dtype=np.float32) for name in TERMINALS]{more}))
        for layer in layers
    ]


def score(layers):
    """The score of a network: the mean of the program's numbers over its layers.

    Raises:
        ValueError: the program has no shape on a layer, or gives a number that is not finite.
    """
    values = score_layers(layers)
    for index, value in enumerate(values):
        if not np.isfinite(value):
            raise ValueError(f"the program has no score on this network: it gives {value} for layer {index}")
    return sum(values) / len(values)'''


def make_numba(description: Description, path: Path) -> Runner:
    """Write the file, and run its kernels."""
    path.write_text(numba_source(description), encoding="utf-8")
    proxy = loaded_module(path)

    def run(layer: Mapping[str, Array]) -> float:
        try:
            (number,) = proxy.score_layers([layer])
        except ValueError as refusal:
            raise Refusal(str(refusal)) from refusal
        return float(number)

    return run


def numba_source(description: Description) -> str:
    """The text of the file; its functions `score_layers` and `score` are what users call.

    Raises:
        ExportError: The program has a shape on no layer.
    """
    body = layer_body(simplify(layer_graph(description.program, description.to_scalar)))
    runtime = [Name(RUNTIME, name) for name in ("STATISTIC", "kernel")]
    addressed = [*body.routines, *([_ADDRESS_OF] if body.routines else [])]
    parts = gather(
        [*(Name(RUNTIME, name) for name in _PROVIDED.values()), *runtime, *body.needed.values(), *addressed],
        provided=_PROVIDED,
        reserved=[*TERMINALS, "PROXY", "TERMINALS", "layer_score", "score_layers", "score"],
    )
    called = {f"{{{key}}}": parts.names[name] for key, name in body.needed.items()}
    terminals = description.program.terminals
    types = ["STATISTIC"] * len(terminals)
    parameters = list(terminals)
    if body.routines:
        types.append("SIZES")
        parameters.append(ADDRESSES)
    layer = [
        f"@kernel({', '.join(types)}, returns=types.float32)",
        *signature("layer_score", parameters),
        '    """The number that the program gives for one layer, from its statistics.',
        "",
        *(f"    {line}" for line in statistics_lines(terminals)),
        '    """',
        *(f"    {line}" for line in body.lines),
    ]
    generated = [
        re.sub(r"\{\w+\}", lambda match: called[match[0]], text) for text in [*body.loops, "\n".join(layer)]
    ]
    definitions = [
        text.replace("@scalar\n", "@inlined\n") if name.module in _IN_LOOPS else text
        for name, text in parts.definitions.items()
    ]
    sections = [
        _head(description)
        + "\nfrom __future__ import annotations\n\n"
        + sorted_imports([*parts.imports, "import numpy as np", "from numba import types"])
        + f"\n\n{fields_source(description)}",
        *definitions,
        *generated,
        *_addresses(parts.names, body.routines),
        _SCORES.replace("{more}", ", ADDRESSES" if body.routines else ""),
    ]
    return joined(sections)


def _addresses(names: Mapping[Name, str], routines: Sequence[Name]) -> list[str]:
    if not routines:
        return []
    listed = ", ".join(f"{names[_ADDRESS_OF]}({names[routine]})" for routine in routines)
    return [f"ADDRESSES = np.array([{listed}], np.int64)"]


def _head(description: Description) -> str:
    terminal = description.program.terminals[0]
    return _HEAD.format(
        program=program_paragraph(description),
        score=score_sentence(description),
        terminal=terminal,
        shape="(16, 16, 3, 3)" if terminal.startswith("T3") else "(1, 16, 32, 32)",
        version=description.fields()["eznas"],
    )
