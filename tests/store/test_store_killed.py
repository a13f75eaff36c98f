import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sample_stores import contents

SCRIPT = Path(__file__).parent / "killed_writer.py"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """How a writer ended that was killed at one moment after the other; the last one was not."""
    folder = tmp_path_factory.mktemp("killed")
    paths = [str(SCRIPT.parent), str(SCRIPT.parents[2])]
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), str(folder), *paths],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_writer_is_killed_around_every_system_call_that_changes_something(
    outcomes: list[dict[str, Any]],
) -> None:
    *killed, last = outcomes
    assert len(killed) > 40
    assert all(outcome["signal"] == signal.SIGKILL for outcome in killed)
    assert {"pwrite", "replace", "ftruncate", "unlink"} <= {outcome["call"] for outcome in killed}
    assert last["signal"] == 0
    assert last["state"] == "finished"


def test_killed_writer_never_leaves_a_part_that_is_taken_for_whole(outcomes: list[dict[str, Any]]) -> None:
    states = [outcome["state"] for outcome in outcomes]
    first_finished = states.index("finished")
    assert 0 < first_finished < len(states) - 1
    assert set(states[first_finished:]) == {"finished"}
    assert all(
        "unfinished: it holds" in state or "no statistics store" in state for state in states[:first_finished]
    )


def test_killed_writer_loses_at_most_the_network_in_work(outcomes: list[dict[str, Any]]) -> None:
    unfinished = [outcome for outcome in outcomes if outcome["state"] != "finished"]
    # one more than reported where it was killed between the end of the work and the report
    assert all(outcome["resumed at"] - outcome["appended"] in (0, 1) for outcome in unfinished)
    assert {outcome["resumed at"] for outcome in unfinished} == {0, 1, 2}


def test_store_is_the_same_wherever_its_writer_was_killed(outcomes: list[dict[str, Any]]) -> None:
    whole = contents(Path(outcomes[-1]["folder"]))
    assert "manifest.json" in whole
    for outcome in outcomes:
        held = contents(Path(outcome["folder"]))
        if outcome["state"] == "finished":
            # killed while it tidied up: what is left is not looked at any more
            held = {name: data for name, data in held.items() if name not in ("plan.json", "journal.jsonl")}
        assert held == whole
