"""Thousands of different programs in one process: what is made for a call goes with it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from evaluator_examples import SQUARE, random_network

from eznas.evaluator import Evaluator
from eznas.evolution import make_config
from eznas.evolution.variation import Variation
from eznas.program import Program

VALID, CALL = 5_000, 100
ALLOWED = 64 * 2**20
"""How much the process may grow, a fifth of what is promised; 28 MiB were measured."""
MEMORY = Path("/proc/self/statm")


@pytest.mark.skipif(not MEMORY.exists(), reason="only Linux tells how much memory a process holds")
def test_memory_hardly_grows_with_five_thousand_programs() -> None:
    paths = os.pathsep.join(path for path in sys.path if path)
    child = subprocess.run(
        [sys.executable, "-W", "ignore", __file__],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    result = json.loads(child.stdout)
    assert result["valid"] >= VALID
    assert result["remembered"] >= result["valid"]
    assert result["grown"] < ALLOWED


def _distinct_programs() -> Iterator[Program]:
    variation, met = Variation(make_config(), random.Random(0)), set[Program]()
    while True:
        for program in variation.random_programs(CALL):
            if (canonical := program.canonical()) not in met:
                met.add(canonical)
                yield canonical


def _resident_bytes() -> int:
    return int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _grow() -> dict[str, int]:
    evaluator = Evaluator([random_network(0, [SQUARE])], "tile")
    valid, first = 0, 0
    drawn = _distinct_programs()
    while valid < VALID:
        valid += int(evaluator.score(list(islice(drawn, CALL))).valid.sum())
        first = first or _resident_bytes()
    return {"valid": valid, "remembered": len(evaluator.memo), "grown": _resident_bytes() - first}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_grow()))
