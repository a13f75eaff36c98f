import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import eznas
from eznas import tasks
from eznas.errors import RunError, TaskError
from eznas.evolution import Observer, Phase, RunFolder, evolve, resume
from eznas.evolution.outcome import read_outcome
from eznas.program import NAMED_PROGRAMS, Program
from eznas.ranking import kendall_tau
from eznas_kernels import loading

TIMES = {"seconds", "memo_hits", "memo_misses", "subtree_hits", "subtree_misses", "memo_bytes"}


def essence(folder):
    """All that a run has found, without times and without how often the memo helped."""
    run = RunFolder(folder)
    generations = [json.loads(line) for line in run.generations_file.read_text().splitlines()]
    return (
        run.result_file.read_text(),
        run.programs_file.read_text(),
        [{key: value for key, value in record.items() if key not in TIMES} for record in generations],
        {file.name: file.read_text() for file in sorted(run.scores.glob("*.csv"))},
    )


class Stop(Exception):
    """Raised by an observer to break a run off."""


class Recorder(Observer):
    def __init__(self, stop_after=None):
        self.events = []
        self.stop_after = stop_after

    def compiling(self, done, total):
        self.events.append(("compiling", done, total))

    def collecting(self, task, done, total):
        self.events.append(("collecting", task, done, total))

    def announcing(self, message):
        self.events.append(("announcing", message))

    def generation_done(self, record, total):
        self.events.append(("generation", record.generation, total))
        if record.generation == self.stop_after:
            raise Stop

    def testing(self, task, done, total):
        self.events.append(("testing", task, done, total))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, stores, tiny):
    folder = tmp_path_factory.mktemp("run") / "whole"
    observer = Recorder()
    outcome = evolve(tiny, folder, observer, stores)
    return folder, outcome, observer.events


def test_a_run_leaves_everything_behind(finished, tiny):
    folder, _, _ = finished
    run = RunFolder(folder)
    assert len(run.generations()) == 4
    assert len(run.programs()) == 4 * 8
    assert run.config() == tiny
    assert run.checkpoint().generation == 3
    names = {f"{task}-batch1-seed0.csv" for task in ("mnist-topology", "mnist-size")}
    assert {file.name for file in run.scores.glob("*.csv")} == names


def test_the_outcome_can_be_read_again(finished):
    folder, outcome, _ = finished
    run = RunFolder(folder)
    again = read_outcome(run.result_file, run.scores)
    assert again.candidates == outcome.candidates
    for read, made in zip(again.comparisons, outcome.comparisons, strict=True):
        assert (read.task, read.architectures) == (made.task, made.architectures)
        np.testing.assert_array_equal(read.accuracies, made.accuracies)
        for one, other in zip(read.ranked, made.ranked, strict=True):
            assert (one.name, one.program, one.tau, one.rho) == (
                other.name,
                other.program,
                other.tau,
                other.rho,
            )
            np.testing.assert_array_equal(one.scores, other.scores)


def test_the_candidates_are_the_paper_s_and_the_steadiest(finished):
    folder, outcome, _ = finished
    roles = [role for candidate in outcome.candidates for role in candidate.roles]
    assert sorted(roles) == [
        "best of last generation", "best on all stored", "fittest ever", "second fittest ever",
    ]  # fmt: skip
    assert outcome.best.fitness == max(candidate.fitness for candidate in outcome.candidates)
    measured = RunFolder(folder).programs()
    fittest = max(program.fitness.value for program in measured)
    (named,) = [candidate for candidate in outcome.candidates if "fittest ever" in candidate.roles]
    assert fittest in [p.fitness.value for p in measured if p.program.canonical() == named.program]


def test_the_test_is_on_held_out_networks_with_their_real_accuracies(finished):
    _, outcome, _ = finished
    for comparison in outcome.comparisons:
        task = tasks.get(comparison.task)
        stored, held_out = task.split(6, seed=0)
        assert not {task.architectures[row] for row in stored} & set(comparison.architectures)
        assert len(comparison.architectures) == 6
        for architecture, accuracy in zip(comparison.architectures, comparison.accuracies, strict=True):
            assert task.accuracies[task.index(architecture)] == accuracy
            assert task.index(architecture) in held_out


def test_parameters_flops_and_named_programs_are_compared_too(finished):
    _, outcome, _ = finished
    for comparison in outcome.comparisons:
        names = [ranked.name for ranked in comparison.ranked]
        assert names[-2:] == ["parameters", "FLOPs"]
        assert set(NAMED_PROGRAMS) < set(names)
        (parameters,) = [ranked for ranked in comparison.ranked if ranked.name == "parameters"]
        task = tasks.get(comparison.task)
        counts = [float(task.space.parameters(text, task.classes)) for text in comparison.architectures]
        assert parameters.tau.value == pytest.approx(kendall_tau(np.array(counts), comparison.accuracies))


def test_the_observer_hears_of_every_phase(finished):
    _, _, events = finished
    assert ("collecting", "mnist-topology", 6, 6) in events
    assert [event[1:] for event in events if event[0] == "generation"] == [(index, 4) for index in range(4)]
    assert ("testing", "mnist-size", 6, 6) in events
    assert any(event[0] == "announcing" and "needs about" in event[1] for event in events)


def test_kernels_that_must_be_compiled_are_told_of_before_anything_is_collected(
    stores, tmp_path, tiny, monkeypatch
):
    monkeypatch.setattr(loading, "needs_compiling", lambda: True)
    monkeypatch.setattr(loading, "load", lambda progress=None: progress and progress(1, 1))
    recorder = Recorder(stop_after=0)
    with pytest.raises(Stop):
        evolve(tiny, tmp_path / "run", recorder, stores)
    assert recorder.events[:2] == [("announcing", f"run folder: {tmp_path / 'run'}"), ("compiling", 1, 1)]


def test_nothing_is_told_of_kernels_that_were_compiled_before(finished):
    assert [event for event in finished[2] if event[0] == "compiling"] == []


def test_the_seconds_of_the_phases_add_up_to_those_of_the_run(finished):
    seconds = RunFolder(finished[0]).seconds()
    together = sum(seconds.phases.values())
    assert all(seconds.phases[phase] > 0 for phase in Phase)
    assert 0.9 * seconds.everything < together <= seconds.everything


def test_the_seconds_of_a_resumed_run_count_all_of_its_generations(stores, tmp_path, tiny):
    with pytest.raises(Stop):
        evolve(tiny, tmp_path / "run", Recorder(stop_after=1), stores)
    run = RunFolder(tmp_path / "run")
    assert run.seconds() is None
    resume(run.path, stores=stores)
    generations = run.generations()
    for phase in (Phase.VARIATION, Phase.EVALUATION):
        counted = sum(record.seconds.by_phase[phase] for record in generations)
        assert run.seconds().phases[phase] >= counted - 1e-3
    assert run.seconds().everything >= sum(record.seconds.total for record in generations) - 1e-3


def test_a_run_of_before_subtrees_were_counted_can_be_resumed(finished, stores, tmp_path, tiny):
    folder = tmp_path / "run"
    with pytest.raises(Stop):
        evolve(tiny, folder, Recorder(stop_after=1), stores)
    file = RunFolder(folder).generations_file
    records = [json.loads(line) for line in file.read_text().splitlines()]
    for record in records:
        del record["subtree_hits"], record["subtree_misses"], record["seconds"]["random_programs"]
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    resume(folder, stores=stores)
    assert essence(folder) == essence(finished[0])


@pytest.mark.parametrize("generation", [0, 2, 3])
def test_a_run_broken_off_after_any_generation_ends_as_if_left_alone(
    finished, stores, tmp_path, generation, tiny
):
    with pytest.raises(Stop):
        evolve(tiny, tmp_path / "run", Recorder(stop_after=generation), stores)
    resume(tmp_path / "run", stores=stores)
    assert essence(tmp_path / "run") == essence(finished[0])


def test_another_number_of_threads_gives_the_same_run(finished, stores, tmp_path, tiny):
    evolve(tiny.model_copy(update={"threads": 3}), tmp_path / "run", stores=stores)
    assert essence(tmp_path / "run") == essence(finished[0])


KILLED_RUN = """
import sys
from pathlib import Path
import torch
from evolution_settings import TINY
from eznas.evolution import Observer, evolve, make_config
torch.set_num_threads(1)

class Slow(Observer):
    def generation_done(self, record, total):
        print(record.generation, flush=True)

evolve(make_config(overrides=TINY), sys.argv[1], Slow(), sys.argv[2])
"""


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_a_run_killed_in_any_generation_ends_as_if_left_alone(finished, stores, tmp_path, generation):
    folder = tmp_path / "run"
    paths = [str(Path(module.__file__).parents[1]) for module in (eznas, loading)]
    paths.append(str(Path(__file__).parents[1]))
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN, str(folder), str(stores)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    with process:
        for line in process.stdout:
            if int(line) == generation:
                break
        # Somewhere within the next generation, which takes about a tenth of a second.
        time.sleep(0.03 * (generation + 1))
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "result.json").exists()
    resume(folder, stores=stores)
    assert essence(folder) == essence(finished[0])


def test_half_written_lines_of_a_killed_generation_are_dropped(finished, stores, tmp_path, tiny):
    folder = tmp_path / "run"
    with pytest.raises(Stop):
        evolve(tiny, folder, Recorder(stop_after=1), stores)
    with RunFolder(folder).programs_file.open("a") as file:
        file.write(
            RunFolder(folder).programs()[-1].to_json().replace('"generation": 1', '"generation": 2') + "\n"
        )
        file.write('{"generation": 2, "prog')
    resume(folder, stores=stores)
    assert essence(folder) == essence(finished[0])


def test_resuming_a_finished_run_gives_its_outcome(finished):
    folder, outcome, _ = finished
    recorder = Recorder()
    assert resume(folder, recorder).candidates == outcome.candidates
    assert recorder.events == [("announcing", f"the run in {folder} has already come to its end")]


def test_resuming_a_folder_without_a_run_is_refused_and_makes_nothing(tmp_path):
    with pytest.raises(RunError, match=r"holds no run: config\.toml is missing"):
        resume(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_folder_in_use_is_refused(tmp_path, tiny):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RunError, match="is not empty; choose a new folder, or --resume"):
        evolve(tiny, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"
    assert not (tmp_path / "config.toml").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, tiny):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write to .*file/run: Not a directory"):
        evolve(tiny, tmp_path / "file" / "run")


def test_two_processes_cannot_work_on_one_run(tmp_path, tiny, stores):
    run = RunFolder(tmp_path / "run")
    with run.locked(), pytest.raises(RunError, match="another process is working on the run"):
        evolve(tiny, run.path, stores=stores)


def test_an_unknown_task_is_refused_before_anything_runs(tmp_path, tiny):
    with pytest.raises(TaskError, match="mnist-siez"):
        evolve(tiny.model_copy(update={"tasks": ("mnist-siez",)}), tmp_path / "run")


def test_a_full_disk_ends_the_run_with_advice_and_loses_nothing(
    finished, stores, tmp_path, monkeypatch, tiny
):
    folder = tmp_path / "run"
    with pytest.raises(Stop):
        evolve(tiny, folder, Recorder(stop_after=1), stores)
    real_fsync = os.fsync

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device; once that is mended, go on with --resume"):
        resume(folder, stores=stores)
    monkeypatch.setattr(os, "fsync", real_fsync)
    resume(folder, stores=stores)
    assert essence(folder) == essence(finished[0])


@pytest.mark.parametrize("name", ["checkpoint.json", "programs.jsonl", "generations.jsonl"])
def test_an_altered_file_is_named_or_its_line_shown(stores, tmp_path, name, tiny):
    folder = tmp_path / "run"
    with pytest.raises(Stop):
        evolve(tiny, folder, Recorder(stop_after=0), stores)
    (folder / name).write_text("not what eznas wrote\n")
    with pytest.raises(RunError, match="got 'not what eznas wrote"):
        resume(folder, stores=stores)


def test_an_altered_result_is_refused(finished, tmp_path):
    folder = finished[0]
    broken = tmp_path / "result.json"
    broken.write_text('{"candidates": []')
    with pytest.raises(RunError, match="cannot read the result"):
        read_outcome(broken, RunFolder(folder).scores)


def test_a_run_needs_no_settings_to_be_resumed_with(finished):
    text = RunFolder(finished[0]).config_file.read_text()
    assert "generations = 4" in text
    assert Program.parse(
        json.loads(RunFolder(finished[0]).result_file.read_text())["candidates"][0]["program"]
    )
