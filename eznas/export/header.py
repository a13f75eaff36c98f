"""What the headers of generated Python files have in common."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Final

from eznas.export.description import Description
from eznas.terminals import TERMINALS, Family, Input

WIDTH: Final = 110
"""Characters of a line of generated source, where it can be broken."""

_FAMILIES: Final = {
    Family.RELU_INPUT: "input of the ReLU",
    Family.CONVOLUTION_INPUT: "input of the convolution",
    Family.WEIGHT: "weight of the convolution",
    Family.BATCH_NORM_OUTPUT: "output of the batch norm",
}
_INPUTS: Final = {
    Input.DATA: "data",
    Input.NOISE: "noise",
    Input.PERTURBED: "perturbed data, as a difference to data",
}
_ORIENTATIONS: Final = {
    1: "Higher scores mean higher accuracy.",
    -1: "Lower scores mean higher accuracy.",
    None: "Whether higher or lower scores are better was not known when it was written.",
}


def program_paragraph(description: Description) -> str:
    """The program text, indented and wrapped."""
    text = str(description.program)
    lines = text.splitlines() if "\n" in text else textwrap.wrap(text, WIDTH - 4)
    return textwrap.indent("\n".join(lines), "    ")


def score_sentence(description: Description) -> str:
    """What the score is, and which scores are better."""
    return (
        f"The score is the mean over all {description.structure.steps} layers of the network.\n"
        f"{_ORIENTATIONS[description.orientation]}"
    )


def fields_source(description: Description) -> str:
    """The constants PROXY, which holds the description, and TERMINALS."""
    rows = "\n".join(f'    "{name}": {_literal(value)},' for name, value in description.fields().items())
    return f"PROXY = {{\n{rows}\n}}\nTERMINALS = {_literal(list(description.program.terminals))}"


def statistics_lines(terminals: Sequence[str]) -> list[str]:
    """A line for each statistic that says what it is."""
    lines = []
    for name in terminals:
        terminal = TERMINALS[name]
        text = _FAMILIES[terminal.family]
        if terminal.gradient:
            text = f"gradient of the {text}"
        if terminal.input is not None:
            text += f", on {_INPUTS[terminal.input]}"
        lines.append(f"{name}: {text}")
    return lines


def signature(name: str, parameters: Sequence[str], returns: str = "") -> list[str]:
    """The lines that a function begins with; one for each parameter where they do not fit into one."""
    line = f"def {name}({', '.join(parameters)}){returns}:"
    if len(line) <= WIDTH:
        return [line]
    return [f"def {name}(", *(f"    {parameter}," for parameter in parameters), f"){returns}:"]


def _literal(value: object) -> str:
    """Python source of a field, with the quotation marks of JSON."""
    return "None" if value is None else json.dumps(value)
