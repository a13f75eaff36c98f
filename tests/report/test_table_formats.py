import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sample_comparisons import comparison, ranked

from eznas.report import Measure, TableFormat, comparison_table, render, text_tables, write_tables
from eznas.report.table_formats import as_csv, as_latex, as_markdown, latex_text
from eznas.report.text_table import as_text

LONG = "reciprocal(add(frobenius_norm(T1G_P), exp(frobenius_norm(log(sigmoid(T1G_P))))))"
SHORT = "mean(abs(T3G_N))"


def table_of(*tasks, seeds=1, measure=Measure.TAU):
    contenders = [
        ranked("eznas-a", 0.5),
        ranked(LONG, 0.625, program=LONG),
        ranked(SHORT, 0.25, program=SHORT, scored=4),
        ranked("naswot", 0.0, scored=0),
    ]
    tests = [comparison(task, contenders, seed=seed) for task in tasks for seed in range(seeds)]
    return comparison_table(measure, tests)


def shown(tables, width, **options):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(text_tables(tables, width, **options))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("seeds", [1, 3])
def test_text_keeps_every_value_whole_at_any_width(width, seeds):
    tasks = [f"nats-topology-{number}" for number in range(7)]
    text = shown([table_of(*tasks, seeds=seeds)], width)
    assert max(map(len, text.splitlines())) <= width
    value = r"\+0\.625 ± 0\.000" if seeds > 1 else r"\+0\.625 \[\+0\.525, \+0\.725\]"
    assert len(re.findall(value, text)) == len(tasks)
    assert all(task in text for task in tasks)


def test_text_numbers_long_programs_and_tells_them_once_below():
    text = shown([table_of("digits", measure=measure) for measure in (Measure.TAU, Measure.RHO)], 80)
    assert text.count("│ program 1 ") == 2
    assert text.count("program 1: reciprocal") == 1
    assert re.sub(r"\s", "", LONG) in re.sub(r"\s", "", text)
    assert text.count(f"{SHORT} lacks 6 of 10 scores on digits") == 1


def test_text_without_intervals_has_values_alone():
    text = shown([table_of("digits")], 80, with_intervals=False)
    assert "+0.500" in text
    assert "+0.400" not in text


def test_text_of_a_file_has_no_colour_and_no_trailing_space():
    text = as_text([table_of("digits", "letters")])
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_csv_holds_every_number_in_full():
    (first, second, third, fourth) = csv.DictReader(io.StringIO(as_csv([table_of("digits")])))
    assert (first["measure"], first["contender"], first["program"]) == ("tau", "eznas-a", "")
    assert [float(first[f"digits{part}"]) for part in ("", " low", " high")] == [0.5, 0.4, 0.6]
    assert (first["digits deviation"], first["digits tests"]) == ("", "1")
    assert second["program"] == LONG
    assert third["digits"] == "0.25"
    assert (fourth["digits"], fourth["digits tests"]) == ("", "0")


def test_csv_over_seeds_has_the_deviation_and_the_number_of_tests():
    first = next(csv.DictReader(io.StringIO(as_csv([table_of("digits", seeds=3)]))))
    assert (first["digits deviation"], first["digits tests"], first["digits low"]) == ("0.0", "3", "")


def test_csv_holds_all_measures_below_each_other():
    tables = [table_of("digits", measure=measure) for measure in Measure]
    rows = list(csv.DictReader(io.StringIO(as_csv(tables))))
    assert [row["measure"] for row in rows[::4]] == ["tau", "rho", "top-half", "top-tenth"]


def test_markdown_has_the_best_in_bold_and_programs_as_code():
    lines = as_markdown([table_of("digits")]).splitlines()
    assert lines[0] == "| Kendall tau on 10 networks, 95 % interval | digits |"
    assert lines[1] == "| --- | ---: |"
    assert lines[2] == "| eznas-a | +0.500 [+0.400, +0.600] |"
    assert lines[3] == f"| `{LONG}` | **+0.625 [+0.525, +0.725]** |"
    assert lines[5] == "| naswot | - |"


def test_markdown_escapes_names_that_would_break_the_table():
    text = as_markdown([comparison_table(Measure.TAU, [comparison("a|b", {"best of x|y_z": 0.5})])])
    assert "a\\|b" in text
    assert "best of x\\|y\\_z" in text


def test_latex_is_a_booktabs_table_with_the_best_in_bold():
    text = as_latex([table_of("digits", "letters")])
    assert text.startswith("% Needs \\usepackage{booktabs}.\n\\begin{table}")
    assert "\\begin{tabular}{lrr}" in text
    assert "contender & digits & letters \\\\" in text
    assert "$\\mathbf{+0.625}$ {\\scriptsize $[+0.525, +0.725]$}" in text
    assert text.count("\\mathbf") == 2
    assert "\\texttt{mean(\\allowbreak abs(\\allowbreak T3G\\_N))} & $+0.250$" in text
    assert "program 1: \\texttt{reciprocal(" in text
    assert text.count("{") == text.count("}")


def test_latex_over_seeds_tells_deviation_and_number():
    text = as_latex([table_of("digits", seeds=4)], with_intervals=True)
    assert "mean $\\pm$ standard deviation (n = 4)" in text
    assert "$\\mathbf{+0.625} \\pm 0.000$" in text
    assert "\\pm 0.000" not in as_latex([table_of("digits", seeds=4)], with_intervals=False)


@given(st.text(st.sampled_from("&%$#_{}~^\\<>|±ab 1-")))
def test_latex_escapes_every_special_character(text):
    # What is left once escapes are taken away can do no harm.
    escapes = r"\\(?:[&%$#_{}]|text[a-z]+\{\}|pm)|\$(?=\\pm)|(?<=\\pm)\$"
    assert re.fullmatch(r"[ab 1\-]*", re.sub(escapes, "", latex_text(text)))


def test_files_hold_what_is_rendered(tmp_path):
    tables = [table_of("digits", measure=measure) for measure in Measure]
    written = write_tables(tables, tmp_path / "table")
    assert [file.name for file in written] == ["table.txt", "table.csv", "table.md", "table.tex"]
    for file, table_format in zip(written, TableFormat, strict=True):
        assert file.read_text(encoding="utf-8") == render(tables, table_format)
