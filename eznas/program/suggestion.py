"""What to say about a name that is not known: the name itself, and the nearest name that is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

LONGEST_QUOTED: Final = 40


def quoted(name: str) -> str:
    """The name in quotes, shortened where it is longer than any name could be."""
    if len(name) <= LONGEST_QUOTED:
        return repr(name)
    return f"{name[:LONGEST_QUOTED]!r}... ({len(name)} characters)"


def unknown_name(name: str, known: Iterable[str]) -> str:
    """A message about an unknown operation or terminal, with the nearest known name where one is near."""
    message = f"expected an operation or a terminal, got the unknown name {quoted(name)}"
    if len(name) > LONGEST_QUOTED:
        return message
    by_lowercase = {candidate.lower(): candidate for candidate in known}
    nearest = get_close_matches(name.lower(), by_lowercase, n=1)
    return f"{message}; did you mean {by_lowercase[nearest[0]]!r}?" if nearest else message
