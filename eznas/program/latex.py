"""Typesets programs as formulas, in the part of LaTeX's mathematics that matplotlib renders too."""

from __future__ import annotations

import re
from functools import cache

from eznas.ops import OPS
from eznas.program.program import Program
from eznas.terminals import TERMINALS

_OPEN, _CLOSE = r"\left(", r"\right)"
_SELF_DELIMITED_SLOT = re.compile(
    r"""(?: \\left(?:\(|\||\\\||\[) | \{\{ | ,[ ] )   # an opening sign or a comma
        \{([01])\}                                    # the place of an argument
        (?= \\right | \}\} | , )                      # a closing sign or a comma""",
    re.VERBOSE,
)


def latex(program: Program) -> str:
    r"""The formula of a program, to stand between dollar signs, such as `\exp \left(T_{3}^{\nabla,D}\right)`.

    A terminal is a T with the tensor's number below; above stands the input (D, N or P), after a nabla
    where the terminal is a gradient: `T1_D` is `T_{1}^{D}`, `T3` is `T_{3}`, `T4G_P` is `T_{4}^{\nabla,P}`.
    Parentheses around sums, differences and products are left out where other signs enclose them anyway.
    """
    bare: list[tuple[str, bool]] = []
    for name in reversed(program.tokens):
        if name in TERMINALS:
            bare.append((_terminal(name), False))
            continue
        arguments = [bare.pop() for _ in range(OPS[name].arity)]
        enclosed = _enclosed_slots(name)
        written = [
            f"{_OPEN}{formula}{_CLOSE}" if needs and slot not in enclosed else formula
            for slot, (formula, needs) in enumerate(arguments)
        ]
        bare.append((_bare_template(name).format(*written), _needs_parentheses(name)))
    return bare[0][0]


def _terminal(name: str) -> str:
    terminal = TERMINALS[name]
    above = ",".join([r"\nabla"] * terminal.gradient + ([terminal.input.value] if terminal.input else []))
    below = terminal.family.value[1:]
    return f"T_{{{below}}}^{{{above}}}" if above else f"T_{{{below}}}"


@cache
def _needs_parentheses(name: str) -> bool:
    """Whether the op's template is one pair of parentheses around everything."""
    template = OPS[name].latex
    return template.count(_OPEN) == 1 and template.startswith(_OPEN) and template.endswith(_CLOSE)


@cache
def _bare_template(name: str) -> str:
    template = OPS[name].latex
    return template[len(_OPEN) : -len(_CLOSE)] if _needs_parentheses(name) else template


@cache
def _enclosed_slots(name: str) -> frozenset[int]:
    """The arguments that stand between signs of the op's own template, so that they need no parentheses."""
    if _needs_parentheses(name):
        return frozenset()
    return frozenset(int(slot) for slot in _SELF_DELIMITED_SLOT.findall(OPS[name].latex))
