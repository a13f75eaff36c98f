import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from evolution_settings import TINY
from interrupts import interruptible

from eznas.evolution import RunFolder
from eznas.tasks.embedded import embedded_folder

SETTINGS = [option for name, value in TINY.items() for option in ("--set", f"{name}={value}")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, stores):
    """A run by the command line in a process of its own, as users start it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    process = command("evolve", *SETTINGS, "--out", folder, "--stores", stores, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return folder, json.loads(out), err


def command(*arguments):
    root = Path(__file__).parents[2]
    with interruptible():
        return subprocess.Popen(
            [sys.executable, "-m", "eznas", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "kernels")])},
        )


def test_evolve_tells_its_progress_in_plain_lines_where_there_is_no_terminal(finished):
    _, _, err = finished
    assert "run folder: " in err
    assert "generation   1/4  best " in err
    assert re.search(r"memo +\d+% of programs +\d+% of subtrees +\d+\.\d MB ", err)
    assert "held-out test on mnist-size: 6 of 6" in err
    assert "\x1b" not in err


def test_evolve_gives_its_result_as_json(finished):
    folder, result, _ = finished
    assert result == json.loads(RunFolder(folder).result_file.read_text())
    assert [comparison["task"] for comparison in result["held_out"]] == ["mnist-topology", "mnist-size"]


def test_evolve_tells_at_its_end_where_the_time_went(finished):
    _, _, err = finished
    *_, line = [line for line in err.splitlines() if " s: kernels " in line]
    everything, *phases = map(float, re.findall(r"\d+\.\d", line))
    names = re.findall(r"([a-z ]+) \d", line.partition(" s: ")[2])
    assert [name.strip() for name in names] == [
        "kernels", "collection", "random programs", "variation", "validity", "evaluation", "correlation",
        "records", "held out test", "the rest",
    ]  # fmt: skip
    # Each number is rounded to a tenth.
    assert sum(phases) == pytest.approx(everything, abs=0.05 * (len(phases) + 1) + 1e-6)


def test_evolve_draws_its_figures(finished):
    names = {path.name for path in RunFolder(finished[0]).figures.iterdir()}
    stems = {
        "fitness",
        "scores-mnist-topology-batch1-seed0",
        "scores-mnist-size-batch1-seed0",
        "best-program",
    }
    assert names == {f"{stem}.{suffix}" for stem in stems for suffix in ("png", "svg")}


def test_a_finished_run_is_shown_again_by_resume(run, finished):
    result = run("evolve", "--resume", finished[0])
    assert result.code == 0
    assert "has already come to its end" in result.err
    assert "best program" in result.out
    assert "mnist-size: the best program has tau" in result.out


def test_the_best_program_of_a_run_can_be_shown_and_tested(run, finished):
    folder, result, _ = finished
    assert run("show", folder, "--json").json["program"] == result["candidates"][0]["program"]
    tested = run("test", folder, "-t", "mnist-size", "-n", "5", "--resamples", "100", "--json").json
    assert tested[0]["contenders"][0]["program"] == result["candidates"][0]["program"]


def test_an_interrupted_run_ends_cleanly_and_can_be_resumed(run, finished, stores, tmp_path):
    folder = tmp_path / "run"
    process = command("evolve", *SETTINGS, "--out", folder, "--stores", stores)
    with process:
        for line in process.stderr:
            if line.startswith("generation   2/4"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert f"eznas evolve --resume {folder}" in rest
    assert "Traceback" not in rest
    resumed = run("evolve", "--resume", folder, "--json")
    assert resumed.code == 0
    assert resumed.json == finished[1]


def test_a_configuration_file_of_another_run_can_be_used_again(run, finished, tmp_path):
    config = RunFolder(finished[0]).config_file
    result = run("evolve", "--config", config, "--out", tmp_path / "again", "--json")
    assert result.json == finished[1]


def test_a_task_in_a_folder_is_found_again_from_any_directory(run, tmp_path, monkeypatch):
    table = embedded_folder("mnist-size")
    monkeypatch.chdir(table.parent)
    assert run("evolve", *SETTINGS, "--task", "./mnist-size", "--out", tmp_path / "run").code == 0
    assert RunFolder(tmp_path / "run").config().tasks == (str(table),)
