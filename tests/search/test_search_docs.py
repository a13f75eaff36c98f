import csv
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "search.md").read_text(encoding="utf-8")


def test_the_python_of_the_documentation_runs(capsys):
    together: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 5
    for code in blocks:
        exec(compile(code, "search.md", "exec"), together)
    printed = capsys.readouterr().out.splitlines()
    assert float(printed[0]) > 0
    assert "'depth'" in printed[1]
    assert printed[2].endswith("-inf]")
    assert float(printed[4]) > 0


def test_the_curves_are_those_that_the_documentation_tells():
    with (DOCS / "search.csv").open() as file:
        curves = {(row["method"], int(row["trained"])): row for row in csv.DictReader(file)}
    assert len(curves) == 5 * 150
    heading = re.search(r"\| best accuracy after \|(.*)\|\n", TEXT)
    assert heading is not None
    counts = [int(text) for text in heading[1].split("|")]
    rows = re.findall(r"\| `([a-z-]+)` \|((?: \d\d\.\d\d \[.*?\] \|){4})\n", TEXT)
    assert len(rows) == 5
    for method, cells in rows:
        told = [[float(number) for number in re.findall(r"\d\d\.\d\d", cell)] for cell in cells.split("|")]
        for count, numbers in zip(counts, told, strict=False):
            found = curves[method, count]
            expected = [float(found[name]) for name in ("mean", "low", "high")]
            assert numbers == pytest.approx(expected, abs=0.0051)


def test_the_figure_is_there():
    assert "](search.png)" in TEXT
    assert (DOCS / "search.png").stat().st_size > 50_000
