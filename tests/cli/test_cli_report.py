import shlex

import pytest
from run_examples import BEST, write_run

from eznas.cli import report as command
from eznas.evolution import RunFolder
from eznas.report.html import read_story
from eznas.report.html.programs import commands


@pytest.fixture
def quick_page(monkeypatch):
    """Pages of a word, since tests of the command need no figures."""
    monkeypatch.setattr("eznas.report.html.render_page", lambda *_: "<p>page</p>")


def test_a_report_is_written_into_the_run_folder(run, tmp_path):
    folder = write_run(tmp_path / "run", generations=1, finished=False)
    result = run("report", folder)
    assert (result.code, result.out) == (0, "")
    assert result.err == f"report: {folder}/report.html\n"
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_report_can_be_written_elsewhere_and_leaves_the_run_alone(run, tmp_path, quick_page):
    folder = write_run(tmp_path / "run")
    before = sorted(folder.iterdir())
    run("report", folder, "--out", tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "<p>page</p>"
    assert sorted(folder.iterdir()) == before


def test_the_figures_are_given_as_json(run, tmp_path, quick_page):
    folder = write_run(tmp_path / "run")
    result = run("report", folder, "--json")
    assert result.err == ""
    assert result.json["run"] == str(folder)
    assert result.json["candidates"][0]["program"] == str(BEST.canonical())
    assert len(result.json["generations"]) == 4
    assert [verdict["task"] for verdict in result.json["verdicts"]] == ["digits", "letters"]
    assert (folder / "report.html").exists()


def test_the_estimate_takes_what_is_given(run, tmp_path, quick_page):
    folder = write_run(tmp_path / "run")
    given = {"--watts-per-core": 9.4, "--cores": 16, "--usage": 0.5, "--memory": 64, "--pue": 1.2}
    options = [text for option, value in given.items() for text in (option, str(value))]
    energy = run("report", folder, *options, "--carbon-intensity", "57", "--json").json["energy"]
    assert energy["watts"] == pytest.approx((16 * 9.4 * 0.5 + 64 * 0.3725) * 1.2)
    assert energy["grams_co2e"] == pytest.approx(18 / 3600 * energy["watts"] / 1000 * 57)
    assert energy["cores_from"] == "as given by --cores"


def test_the_cores_are_those_of_the_configuration_or_of_this_machine(run, tmp_path, quick_page, monkeypatch):
    monkeypatch.setattr("eznas.threads.available_processors", lambda: 6)
    for threads, cores, why in (
        (3, 3, "threads of the configuration"),
        (None, 6, "processors of the machine"),
    ):
        folder = write_run(tmp_path / str(threads), threads=threads)
        energy = run("report", folder, "--json").json["energy"]
        assert energy["cores"] == cores
        assert energy["cores_from"].startswith(why)


def test_the_defaults_are_those_of_the_library(run, tmp_path, quick_page):
    from dataclasses import asdict

    from eznas.report.energy import PowerAssumptions

    energy = run("report", write_run(tmp_path / "run"), "--json").json["energy"]
    assert energy.items() >= asdict(PowerAssumptions()).items()


def test_the_page_is_shown_where_that_is_asked_for(run, tmp_path, quick_page, monkeypatch):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    folder = write_run(tmp_path / "run")
    run("report", folder)
    assert shown == []
    run("report", folder, "--open")
    assert shown == [(folder / "report.html").as_uri()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere holds no run"),
        (["run", "--pue", "0.5"], "PUE: expected a number of at least 1, got 0.5"),
        (["run", "--cores", "0"], "--cores"),
        (["run", "--out", "no/such/folder/page.html"], "cannot write the report no/such/folder/page.html"),
        ([], "RUN"),
    ],
)
def test_errors_are_one_line(run, tmp_path, monkeypatch, quick_page, arguments, message):
    write_run(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    result = run("report", *arguments)
    assert result.code != 0
    assert result.out == ""
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_result_that_is_not_as_written_is_one_line(run, tmp_path, quick_page):
    folder = write_run(tmp_path / "run")
    RunFolder(folder).result_file.write_text("{}")
    result = run("report", folder)
    assert result.code == 1
    assert "cannot read the result" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("finished", [True, False])
def test_every_command_of_a_page_is_one_of_this_version_with_its_options(run, tmp_path, finished):
    story = read_story(write_run(tmp_path / "run", finished=finished))
    for line in (each.line for each in commands(story)):
        _, name, *words = shlex.split(line)
        described = run(name, "--help").out
        assert all(word in described for word in words if word.startswith("--"))


def test_the_help_has_examples(run):
    result = run("report", "--help")
    assert result.code == 0
    assert "eznas report runs/third" in result.out
    assert "--carbon-intensity" in result.out
    assert command.report.__doc__ is not None
