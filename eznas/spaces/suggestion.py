"""What to say about a name that is not known: the names that are, and the nearest of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

LONGEST_QUOTED: Final = 80


def quoted(text: str) -> str:
    """The text in quotes, shortened where it is longer than any name or architecture could be."""
    if len(text) <= LONGEST_QUOTED:
        return repr(text)
    return f"{text[:LONGEST_QUOTED]!r}... ({len(text)} characters)"


def unknown_name(kind: str, name: str, known: Iterable[str], otherwise: str) -> str:
    """A message about a name that is not known: the known ones, what else is possible, the nearest."""
    known = list(known)
    message = f"unknown {kind} {quoted(name)}; expected one of {', '.join(known)}, or {otherwise}"
    nearest = get_close_matches(name[:LONGEST_QUOTED].lower(), known, n=1)
    return f"{message}; did you mean {nearest[0]!r}?" if nearest else message
