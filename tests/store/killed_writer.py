"""Writes small stores in child processes, each killed one system call later than the one before."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

folder = Path(sys.argv[1])
sys.path[:0] = sys.argv[2:]

from sample_stores import NAMES, SETTINGS, assert_holds, made_up  # noqa: E402

from eznas.errors import StoreError  # noqa: E402
from eznas.store import StatisticsStore  # noqa: E402

CALLS = ("pwrite", "replace", "ftruncate", "fsync", "unlink", "mkdir")
TERMINALS = ("T1_D", "T3")

# What a killed process has written is there without it, and it takes long.
os.fsync = lambda _: None


def write(path: Path, report: Path) -> None:
    with StatisticsStore.create(path, NAMES[:2], TERMINALS, SETTINGS) as writer:
        report.write_text(str(len(writer.completed)))
        for name in writer.remaining:
            writer.append(name, made_up(name))
            report.write_text(str(len(writer.completed)))
        writer.finish()


def kill_at(moment: int, report: Path) -> None:
    """Kill this process before (even) or within or right after (odd) the system call of half this number."""
    made = 0

    def wrapped(name: str, really: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal made
            made += 1
            if made == moment // 2 + 1:
                report.write_text(name)
                if moment % 2:
                    half = args[1][: len(args[1]) // 2] if name == "pwrite" else None
                    really(*(args if half is None else (args[0], half, args[2])), **kwargs)
                os.kill(os.getpid(), signal.SIGKILL)
            return really(*args, **kwargs)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(name, getattr(os, name)))


def state(path: Path) -> str:
    """What a reader sees: the error, or "finished" for a store that holds what it should."""
    try:
        assert_holds(StatisticsStore.open(path), NAMES[:2])
    except StoreError as error:
        return str(error)
    return "finished"


def outcome_of(moment: int) -> dict[str, Any]:
    path, appended, call = (folder / f"{what} {moment}" for what in ("store", "appended", "call"))
    child = os.fork()
    if child == 0:
        kill_at(moment, call)
        write(path, appended)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    killed = {
        "folder": str(path),
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status),
        "call": call.read_text() if call.exists() else "",
        "appended": int(appended.read_text()) if appended.exists() else 0,
        "state": state(path),
    }
    if killed["state"] != "finished":
        with StatisticsStore.create(path, NAMES[:2], TERMINALS, SETTINGS) as writer:
            killed["resumed at"] = len(writer.completed)
        write(path, appended)
    return killed


moment, outcome = 0, outcome_of(0)
while outcome["signal"] == signal.SIGKILL:
    sys.stdout.write(json.dumps(outcome) + "\n")
    moment += 1
    outcome = outcome_of(moment)
sys.stdout.write(json.dumps(outcome) + "\n")
