import csv
import json

import numpy as np
import pytest
from evolution_settings import TINY

from eznas import tasks
from eznas.errors import RunError
from eznas.evolution import Observer, RunFolder
from eznas.evolution.outcome import read_outcome
from eznas.report import Measure
from eznas.studies import (
    StudyConfig,
    StudyObserver,
    run_study,
    study_figure,
    study_record,
    study_table,
    write_study,
)
from eznas.studies.runs import planned_runs

EVOLUTION = {name: value for name, value in TINY.items() if name != "threads"}
EVOLUTION |= {"generations": 2, "test_networks": 3}


def study_of(axis, values=(), **settings):
    return StudyConfig.model_validate(
        {
            "name": "tiny",
            "question": "?",
            "axis": axis,
            "values": values,
            "test_networks": 8,
            "evolution": EVOLUTION,
            **settings,
        }
    )


@pytest.fixture(scope="module")
def transfer(tmp_path_factory, stores):
    folder = tmp_path_factory.mktemp("studies") / "transfer"
    study = study_of("tasks", seeds=2, references=("eznas-a", "naswot"))
    return study, folder, run_study(study, folder, stores=stores, threads=1)


@pytest.fixture(scope="module")
def to_scalar(tmp_path_factory, stores):
    folder = tmp_path_factory.mktemp("studies") / "to-scalar"
    study = study_of("to_scalar", ("mean", "l2"), tasks=("mnist-size",), references=("eznas-a", "naswot"))
    return study, folder, run_study(study, folder, stores=stores, threads=1)


class Told(StudyObserver):
    def __init__(self, stop_at_generation=None):
        self.begun, self.kept, self.generations = [], [], 0
        self._stop_at = stop_at_generation

    def of_run(self, *_):
        told = self

        class OfRun(Observer):
            def generation_done(self, *_):
                told.generations += 1
                if told.generations == told._stop_at:
                    raise KeyboardInterrupt

        return OfRun()

    def run_begins(self, run, number, total):
        self.begun.append((run.name, number, total))

    def run_kept(self, run, *_):
        self.kept.append(run.name)


def test_every_evolution_is_an_ordinary_run_with_its_settings(transfer):
    study, folder, outcome = transfer
    runs = planned_runs(study, 1)
    assert [path.name for path in sorted((folder / "runs").iterdir())] == sorted(run.name for run in runs)
    for run, finished in zip(runs, outcome.runs, strict=True):
        of_run = RunFolder(folder / "runs" / run.name)
        assert of_run.config() == run.config
        assert read_outcome(of_run.result_file, of_run.scores).best == finished.best


def test_every_program_is_tested_on_every_task(transfer):
    _, _, outcome = transfer
    (test,) = outcome.tests
    names = [finished.run.name for finished in outcome.runs]
    assert [comparison.task for comparison in test.comparisons] == tasks.names()
    for comparison in test.comparisons:
        assert [ranked.name for ranked in comparison.ranked] == [
            *names, "eznas-a", "naswot", "parameters", "FLOPs",
        ]  # fmt: skip


def test_no_network_that_any_run_evolved_on_is_tested(transfer):
    study, _, outcome = transfer
    for comparison in outcome.tests[0].comparisons:
        task = tasks.get(comparison.task)
        stored, held_out = task.split(study.evolution["stored_networks"], 0)
        tested = {task.index(text) for text in comparison.architectures}
        assert len(tested) == study.test_networks
        assert not tested & set(stored.tolist())
        assert tested == set(held_out[: study.test_networks].tolist())


def test_the_table_has_a_row_for_each_value_over_its_seeds(transfer):
    _, _, outcome = transfer
    table = study_table(outcome, Measure.TAU)
    assert table.corner == "evolved on"
    assert list(table.columns) == tasks.names()
    assert [row.name for row in table.rows] == [*tasks.names(), "eznas-a", "naswot", "parameters", "FLOPs"]
    taus = [outcome.tests[0].comparisons[1].ranked[number].tau.value for number in (0, 1)]
    cell = table.rows[0].cells[1]
    assert cell.value == pytest.approx(np.mean(taus))
    assert cell.deviation == pytest.approx(np.std(taus, ddof=1))
    assert len(table.rows[2].cells[0].correlations) == 1


def test_programs_are_scored_as_they_were_evolved(to_scalar):
    _, _, outcome = to_scalar
    assert [test.label for test in outcome.tests] == ["mean", "l2"]
    for test in outcome.tests:
        assert {comparison.settings.to_scalar for comparison in test.comparisons} == {test.label}
    rows = [row.name for row in study_table(outcome, Measure.TAU).rows]
    assert rows == [
        "mean", "l2", "eznas-a (mean)", "naswot (mean)", "eznas-a (l2)", "naswot (l2)", "parameters", "FLOPs",
    ]  # fmt: skip


def test_the_same_call_keeps_finished_runs_and_gives_the_same(transfer, stores):
    study, folder, outcome = transfer
    told = Told()
    again = run_study(study, folder, told, stores)
    assert told.begun == []
    assert told.kept == [finished.run.name for finished in outcome.runs]
    assert study_record(again) == study_record(outcome)


def test_more_seeds_add_to_what_is_there(to_scalar, stores, tmp_path):
    study, folder, outcome = to_scalar
    told = Told()
    more = run_study(study.model_copy(update={"seeds": 2}), folder, told, stores, threads=1)
    assert told.begun == [("mean-seed1", 2, 4), ("l2-seed1", 4, 4)]
    assert [finished.best for finished in more.runs[::2]] == [finished.best for finished in outcome.runs]


def test_an_interrupted_study_goes_on_and_ends_as_if_it_had_not_been(to_scalar, stores, tmp_path):
    study, _, outcome = to_scalar
    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path, Told(stop_at_generation=3), stores, threads=1)
    told = Told()
    resumed = run_study(study, tmp_path, told, stores, threads=1)
    assert told.kept == ["mean-seed0"]
    assert told.generations == 1
    assert study_record(resumed) == study_record(outcome)


def test_a_folder_with_other_settings_is_refused_before_anything_runs(to_scalar, stores):
    study, folder, _ = to_scalar
    other = study.model_copy(update={"evolution": {**EVOLUTION, "generations": 3}})
    told = Told()
    with pytest.raises(RunError, match="expected generations to be 3, got 2"):
        run_study(other, folder, told, stores)
    assert told.kept == []


def test_a_study_that_leaves_no_networks_to_test_on_is_refused(tmp_path):
    study = study_of("tasks", evolution={**EVOLUTION, "stored_networks": 318})
    with pytest.raises(RunError, match="at least 3 networks of mnist-topology.*got 2"):
        run_study(study, tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_tables_figure_record_and_scores_are_written(transfer, tmp_path):
    study, _, outcome = transfer
    write_study(outcome, tmp_path, tuple(Measure))
    names = {file.name for file in tmp_path.iterdir()}
    tables = {f"table.{suffix}" for suffix in ("txt", "csv", "md", "tex")}
    assert names == {*tables, "study.json", "tiny.png", "tiny.svg", "scores"}
    record = json.loads((tmp_path / "study.json").read_text())
    assert record == json.loads(json.dumps(study_record(outcome)))
    assert [run["value"] for run in record["runs"]] == [name for name in study.tasks for _ in range(2)]
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert len(rows) == 4 * len(study_table(outcome, Measure.TAU).rows)
    assert len(list((tmp_path / "scores").glob("*.csv"))) == 2


def test_tests_that_share_names_of_files_have_folders_of_their_own(to_scalar, tmp_path):
    write_study(to_scalar[2], tmp_path, (Measure.TAU,))
    assert len(list((tmp_path / "scores").glob("test-*/*.csv"))) == 2


def test_the_figure_is_a_heat_map_for_tasks_and_points_for_other_axes(transfer, to_scalar):
    assert study_figure(transfer[2]).axes[0].images
    assert not study_figure(to_scalar[2]).axes[0].images
