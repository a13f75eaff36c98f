"""Scores kept as they come, so that long work goes on where it was ended."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from eznas.errors import RunError
from eznas.files import locked, write_whole

Outcome = float | str
"""A score, which is finite, or why there is none."""


class ScoreJournal:
    """The outcomes of contenders on the networks of a task, by architecture and by the contender's key.

    Args:
        known: What was kept before.
        file: Where more is appended; None keeps it in memory alone.
    """

    def __init__(self, known: dict[str, dict[str, Outcome]], file: Path | None) -> None:
        self._known = known
        self._file = file

    def outcomes(self, architecture: str) -> Mapping[str, Outcome]:
        """What is known of a network."""
        return self._known.get(architecture, {})

    def keep(self, found: Mapping[str, Mapping[str, Outcome]]) -> None:
        """Add outcomes of networks, and wait until they are on the disk.

        Raises:
            RunError: The file cannot be written, or the disk is full.
        """
        for architecture, outcomes in found.items():
            self._known.setdefault(architecture, {}).update(outcomes)
        if self._file is not None:
            lines = (json.dumps({"architecture": text, "scores": dict(of)}) for text, of in found.items())
            with _reported(self._file.parent), self._file.open("ab") as file:
                file.write("".join(f"{line}\n" for line in lines).encode())
                file.flush()
                os.fsync(file.fileno())


@contextmanager
def opened_journal(folder: Path | None, task: str, identity: Mapping[str, Any]) -> Iterator[ScoreJournal]:
    """The journal of a task in a folder, while no other process may add to it.

    A file holds the scores of one task under one identity; a last line that a crash tore off is dropped.

    Args:
        folder: Holds a file for each task and identity; made if it is not there. None keeps nothing.
        task: Begins the name of the file.
        identity: What else decides the scores.

    Raises:
        RunError: The folder is in use or cannot be written, or a whole line is none of a journal.
    """
    if folder is None:
        yield ScoreJournal({}, None)
        return
    text = json.dumps(identity, sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    path = folder / f"{task}-{digest}.jsonl"
    with ExitStack() as lock:
        with _reported(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock.enter_context(locked(folder, RunError(f"another process keeps scores in {folder}")))
            known = _read(path)
        yield ScoreJournal(known, path)


@contextmanager
def _reported(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"cannot keep scores in {folder}: {error.strerror or error}") from error


def _read(path: Path) -> dict[str, dict[str, Outcome]]:
    content = path.read_bytes() if path.exists() else b""
    whole, newline, torn = content.rpartition(b"\n")
    if torn:
        write_whole(path, whole + newline)
    known: dict[str, dict[str, Outcome]] = {}
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            record = json.loads(line)
            known.setdefault(str(record["architecture"]), {}).update(dict(record["scores"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}, line {number} holds no scores: {line[:80]!r}") from error
    return known
