"""Formulas for a page: MathML, which browsers typeset without any script, from the LaTeX of a program."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import Final

from eznas.errors import EznasError
from eznas.program import Program, latex

_TOKEN: Final = re.compile(
    r"\\(?:left|right)\s*(?:\\\||.)|\\[A-Za-z]+|\\[,|]|[0-9]+|\S", re.DOTALL
)  # fences, commands, thin space and double bar, numbers, and any other sign
_FENCES: Final = {"(": "(", ")": ")", "[": "[", "]": "]", "|": "|", r"\|": "‖"}
_FUNCTIONS: Final = {r"\exp": "exp", r"\log": "log", r"\det": "det", r"\cos": "cos"}
_SYMBOLS: Final = {
    r"\max": "<mi>max</mi>",
    r"\min": "<mi>min</mi>",
    r"\lambda": "<mi>λ</mi>",
    r"\sigma": "<mi>\N{GREEK SMALL LETTER SIGMA}</mi>",
    r"\nabla": "<mo>∇</mo>",
    r"\odot": "<mo>⊙</mo>",
    r"\|": "<mo>‖</mo>",
    r"\,": '<mspace width="0.17em"></mspace>',
}
_ARGUMENTS: Final = {r"\frac": 2, r"\mathrm": 1, r"\mathbf": 1}
"""The commands that take groups, and how many."""
_OPERATOR: Final = "+-<>=,"


def mathml(program: Program) -> str:
    """The formula as a `math` element that stands in a line of its own.

    It is made from `eznas.program.latex`, so that the formula of an operation stands in one place.

    Raises:
        EznasError: The LaTeX holds what is not known here; a defect of eznas.
    """
    formula = converted(latex(program))
    return f'<math display="block" alttext="{escape(str(program))}"><mrow>{formula}</mrow></math>'


@dataclass(slots=True)
class _Atom:
    """A sign or group, with what stands below and above it."""

    base: str
    scripts: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        below, above = self.scripts.get("_"), self.scripts.get("^")
        if below and above:
            return f"<msubsup>{self.base}{below}{above}</msubsup>"
        if below:
            return f"<msub>{self.base}{below}</msub>"
        return f"<msup>{self.base}{above}</msup>" if above else self.base


@dataclass(slots=True)
class _Group:
    """What stands between braces or fences, as far as it has been read."""

    opening: str = ""
    atoms: list[_Atom] = field(default_factory=list)
    script: str = ""
    """`_` or `^` where the next atom belongs below or above the last one."""
    command: str = ""
    """The command that waits for groups."""
    given: list[str] = field(default_factory=list)

    def add(self, base: str) -> None:
        """Take the next sign or group."""
        if self.command:
            self.given.append(base)
            if len(self.given) < _ARGUMENTS[self.command]:
                return
            base = _applied(self.command, self.given)
            self.command, self.given = "", []
        if self.script:
            self.atoms[-1].scripts[self.script] = base
            self.script = ""
        else:
            self.atoms.append(_Atom(base))

    def __str__(self) -> str:
        return "".join(map(str, self.atoms))


def converted(text: str) -> str:
    """MathML of the part of LaTeX in which the op table is written; without recursion, however nested.

    Raises:
        EznasError: A command that is not known here, or braces that do not match.
    """
    open_groups = [_Group()]
    for token in _TOKEN.findall(text):
        group = open_groups[-1]
        if token in ("_", "^"):
            group.script = token
        elif token in _ARGUMENTS:
            group.command = token
        elif token == "{" or token.startswith(r"\left"):
            open_groups.append(_Group(token))
        elif token == "}" or token.startswith(r"\right"):
            open_groups.pop()
            if not open_groups or (token == "}") != (group.opening == "{"):
                raise EznasError(f"expected braces and fences that match, got {text!r}")
            open_groups[-1].add(_closed(group, token))
        else:
            group.add(_sign(token))
    if len(open_groups) > 1:
        raise EznasError(f"expected braces and fences that match, got {text!r}")
    return str(open_groups[0])


def _closed(group: _Group, closing: str) -> str:
    if group.opening == "{":
        return f"<mrow>{group}</mrow>"
    left, right = (
        _fence(token.replace(command, "", 1).strip(), place)
        for token, command, place in ((group.opening, r"\left", "prefix"), (closing, r"\right", "postfix"))
    )
    return f"<mrow>{left}{group}{right}</mrow>"


def _fence(sign: str, place: str) -> str:
    if sign not in _FENCES:
        raise EznasError(f"expected one of {' '.join(_FENCES)} as a fence, got {sign!r}")
    return f'<mo fence="true" stretchy="true" form="{place}">{_FENCES[sign]}</mo>'


def _sign(token: str) -> str:
    if token in _FUNCTIONS:
        return f'<mo form="prefix" lspace="0.1em" rspace="0.17em">{_FUNCTIONS[token]}</mo>'
    if token in _SYMBOLS:
        return _SYMBOLS[token]
    if token.isdigit():
        return f"<mn>{token}</mn>"
    if token in _OPERATOR:
        return f"<mo>{escape(token)}</mo>"
    if token.isalpha():
        return f"<mi>{token}</mi>"
    raise EznasError(f"expected a formula of the op table, got the sign {token!r}")


def _applied(command: str, groups: list[str]) -> str:
    if command == r"\frac":
        return f"<mfrac>{groups[0]}{groups[1]}</mfrac>"
    # Letters of a name stand upright and together: one identifier.
    name = "".join(re.findall(r">([^<]+)<", groups[0]))
    if command == r"\mathrm":
        return f'<mi mathvariant="normal">{name}</mi>'
    return f'<mn class="bold">{name}</mn>'
