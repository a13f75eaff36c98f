"""What to say about a name that is not known: the name itself, and the nearest one that is."""

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


def with_nearest(message: str, name: str, known: Iterable[str]) -> str:
    """The message, and the known name that is nearest to the given one, where one is near."""
    by_lowercase = {candidate.lower(): candidate for candidate in known}
    nearest = get_close_matches(name[:LONGEST_QUOTED].lower(), by_lowercase, n=1)
    return f"{message}; did you mean {by_lowercase[nearest[0]]!r}?" if nearest else message


def unknown_name(kind: str, name: str, known: Iterable[str], otherwise: str) -> str:
    """A message about a name that is not known: the known ones, what else is possible, the nearest."""
    known = list(known)
    message = f"unknown {kind} {quoted(name)}; expected one of {', '.join(known)}, or {otherwise}"
    return with_nearest(message, name, known)
