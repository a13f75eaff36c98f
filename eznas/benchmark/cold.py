"""Times a new process from its start to its first scores: what a user waits for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eznas.errors import EznasError
from eznas.program import Program

_FAR_TOO_LONG = 1800

_PROGRAM = """
import time
begin = time.perf_counter()
from eznas.benchmark.cold import score_twice
score_twice(begin)
"""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """A new process that scores programs twice; kernels come from the disk cache."""

    backend: str
    programs: int
    networks: int
    process_seconds: float
    """From the start of the process to its end."""
    import_seconds: float
    """Python's own start not counted."""
    load_seconds: float
    """Opening the store and making the evaluator: loads kernels, where the backend does so at once."""
    first_seconds: float
    """The first call: planning, kernels loaded on demand, statistics read."""
    later_seconds: float
    """The second call."""

    @property
    def planning_seconds(self) -> float:
        """What the first call takes beyond the second."""
        return max(0.0, self.first_seconds - self.later_seconds)


def measure_cold_start(
    backend: str, programs: Sequence[Program], store: Path, networks: int, threads: int
) -> ColdStart:
    """Score programs on the first networks of a store in a new process.

    Raises:
        EznasError: The process failed.
    """
    work = {
        "backend": backend,
        "programs": [str(program) for program in programs],
        "store": str(store),
        "networks": networks,
        "threads": threads,
    }
    begin = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=json.dumps(work),
        capture_output=True,
        text=True,
        timeout=_FAR_TOO_LONG,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    whole = time.perf_counter() - begin
    if process.returncode != 0:
        last = process.stderr.strip().rpartition("\n")[2]
        raise EznasError(f"the new process for backend {backend} ended with {process.returncode}: {last}")
    seconds = json.loads(process.stdout)
    return ColdStart(backend, len(programs), networks, whole, **seconds)


def score_twice(begin: float) -> None:
    """Score what standard input says, and write the seconds of each phase to standard output, as JSON.

    Args:
        begin: When the process began to import.
    """
    from eznas.evaluator import Evaluator
    from eznas.store import StatisticsStore

    clock = [begin]

    def lap() -> float:
        clock.append(time.perf_counter())
        return clock[-1] - clock[-2]

    seconds = {"import_seconds": lap()}
    work = json.load(sys.stdin)
    programs = [Program.parse(text) for text in work["programs"]]
    lap()
    store = StatisticsStore.open(work["store"])
    evaluator = Evaluator(store, work["backend"], work["threads"], memo_bytes=0)
    seconds["load_seconds"] = lap()
    # A store compares its checksums when it is first read; that is no part of an evaluation.
    read = {name for program in programs for name in program.terminals}
    for network in range(work["networks"]):
        for layer in store[network].layers:
            for name in read:
                layer[name].sum()
    lap()
    for call in ("first_seconds", "later_seconds"):
        evaluator.score(programs, range(work["networks"]))
        seconds[call] = lap()
    json.dump(seconds, sys.stdout)
