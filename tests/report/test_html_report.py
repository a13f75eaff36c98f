"""The page as text: what stands in it, and what a parser finds. `test_html_report_browser.py` looks at it."""

import base64
import hashlib
import re
import shlex
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from run_examples import BEST, SECOND, write_run
from strategies_sequential import doublings

from eznas.errors import ConfigError, RunError
from eznas.evolution import RunFolder
from eznas.program import SequentialProgram
from eznas.ranking import Comparison, Correlation, Ranked, StatisticsSettings
from eznas.report.energy import Footprint, PowerAssumptions
from eznas.report.html import read_story, render_page, report_record
from eznas.report.html.charts import score_chart
from eznas.report.html.energy_section import energy_section
from eznas.report.html.programs import commands, shown_programs
from eznas.report.html.prose import seconds_text, status, time_text

EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
HOSTILE = '"><script>alert(1)<img src=x onerror=alert(1)>'


class Parsed(HTMLParser):
    """All elements with their attributes, and the texts by element."""

    def __init__(self, page):
        super().__init__()
        self.elements = []
        self.texts = {}
        self.open = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    def values(self, name):
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def footprint(story):
    given = PowerAssumptions(watts_per_core=9.4, pue=1.2, carbon_intensity=57, memory=64)
    return Footprint(story.everything, 2, given)


def page_of(folder):
    story = read_story(folder)
    return render_page(story, footprint(story), "as a test says")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "third")


@pytest.fixture(scope="module")
def page(folder):
    return page_of(folder)


@pytest.fixture(scope="module")
def parsed(page):
    return Parsed(page)


def test_the_page_tells_the_story_of_the_run(page):
    for text in (
        "<h1>third</h1>",
        "Finished: 4 generations and the test on held-out networks.",
        "evolved expression trees on digits and letters, with seed 3",
        "16 programs were measured, 5 distinct formulas",
        "It was born in generation 2, as a child of earlier programs; measured once.",
        "The run took 18.0 s of wall-clock time.",
        "Of 540 scores of programs on networks 180 (33%) were known from earlier generations",
        "digits: 30 held-out networks leave the Kendall tau of the best program open between",
        "digits: the best program has tau +",
        "Here the highest is 0.600; the best program has 0.550 on all 80 stored networks",
        str(BEST),
        str(SECOND),
    ):
        assert text in page


def test_the_energy_stands_with_its_assumptions_and_the_paper_beside(page):
    for text in (
        "Lannelongue, Grealey and Inouye",
        "9.4 W",
        "64 GB",
        "57 g CO2e/kWh",
        "as a test says",
        "about 24 h on an Intel Xeon Gold 6242 with 1 TB of memory",
        "358.6 g CO2e for one evolution and 4.49 kg CO2e for one architecture search are known as quoted by "
        "secondary notes; the paper&#39;s own table was not at hand",
    ):
        assert text in page


def test_the_commands_use_the_best_program_as_the_shell_needs_it(page):
    quoted = f"&#39;{BEST}&#39;"
    assert f"eznas export {quoted} --format python --out proxy.py" in page
    assert f"eznas analyse {quoted}" in page
    assert "without the run folder; of this program, higher is better" in page
    assert re.search(r"eznas export \S+/third --format python --out proxy.py", page)
    assert re.search(r"eznas test \S+/third --task digits", page)


def test_the_same_run_gives_the_same_page(folder, page):
    assert page_of(folder) == page


def test_nothing_of_the_page_lies_elsewhere(parsed, page):
    assert not [value for name in ("src", "srcset", "action", "data") for value in parsed.values(name)]
    targets = [*parsed.values("href"), *re.findall(r"url\(([^)]*)\)", page)]
    assert targets
    assert all(target.startswith("#") for target in targets if target != "data:,")
    assert "@import" not in page


def test_the_policy_of_the_page_allows_its_own_script_alone(parsed):
    (policy,) = [each["content"] for each in parsed.all("meta") if "http-equiv" in each]
    (script,) = parsed.texts["script"]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy


def test_every_id_is_there_once_and_every_reference_has_its_target(parsed, page):
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    references = [target.removeprefix("#") for target in parsed.values("href") if target.startswith("#")]
    references += parsed.values("aria-labelledby")
    references += re.findall(r"url\(#([^)]*)\)", page)
    assert set(references) <= set(ids)


def test_headings_are_in_order(parsed):
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_figures_and_tables_can_be_read_without_being_seen(parsed):
    pictures = [each for each in parsed.all("svg") if each.get("aria-hidden") != "true"]
    assert len(pictures) == 2 * 7 + 2 + 6  # scores, trees, generations
    assert all(each["role"] == "img" and each["aria-labelledby"] for each in pictures)
    assert all(each.get("scope") in ("row", "col") for each in parsed.all("th"))
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    assert all(each.get("aria-label") and each.get("tabindex") == "0" for each in parsed.all("div")
               if "scroll" in each.get("class", "").split())  # fmt: skip
    assert len(parsed.all("math")) == 2
    assert len(parsed.all("html")[0]["lang"]) == 2


def test_missing_scores_are_told_with_their_reasons(page):
    text = "second fittest ever has no score on 3 of 30 networks: nan in layer 2 (2); infinity &lt;b&gt; (1)."
    assert page.count(text) == 2


def test_a_contender_without_any_score_has_no_figures(page):
    row = re.search(r'<th scope="row">eznas-a-paper</th>\n(.*?)</tr>', page, re.DOTALL)
    assert row is not None
    assert re.findall(r'<td class="number">(.*?)</td>', row[1]) == ["-", "-", "-", "-", "0"]
    assert "<svg" not in row[1]
    assert page.count("The same for the 5 others on") == 2


def test_texts_of_a_run_stay_texts(tmp_path):
    folder = write_run(tmp_path / f"run{HOSTILE}", tasks=(f"&amp;{HOSTILE}",), roles=(f"role{HOSTILE}",))
    log = RunFolder(folder).generations_file
    log.write_text(log.read_text().replace(str(BEST), "<script>alert(2)</script>"))
    page = page_of(folder)
    parsed = Parsed(page)
    assert "<code>&lt;script&gt;alert(2)" in page
    assert len(parsed.all("script")) == 1
    assert not parsed.all("img")
    assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]
    assert "<h1>run&#34;&gt;&lt;script&gt;" in page
    assert "role&#34;&gt;&lt;script&gt;" in page
    assert "&amp;amp;" in page


def test_words_of_commands_are_quoted_for_the_shell(tmp_path):
    lines = [
        each.line for each in commands(read_story(write_run(tmp_path / "a run; rm", tasks=("my digits",))))
    ]
    assert f"eznas test '{tmp_path}/a run; rm' --task 'my digits'" in lines
    assert all(shlex.split(line)[0] == "eznas" for line in lines)


def test_an_unfinished_run_is_told_as_far_as_it_has_come(tmp_path):
    page = page_of(write_run(tmp_path / "run", generations=2, planned=15, finished=False))
    parsed = Parsed(page)
    assert "Not finished: 2 of 15 generations are there, no test on held-out networks yet." in page
    assert "The fittest programs so far" in page
    assert "eznas evolve --resume" in page
    assert "eznas export" not in page
    assert "The generations took 3.0 s of wall-clock time" in page
    assert len(parsed.all("math")) == 3
    assert "Test on held-out networks" not in page


def test_a_run_without_its_test_says_so(tmp_path):
    story = read_story(write_run(tmp_path / "run", generations=3, finished=False))
    assert status(story) == (
        "Not finished: all 3 generations are there, the test on held-out networks is not."
    )


def test_a_run_without_a_whole_generation_has_a_page_too(tmp_path):
    folder = write_run(tmp_path / "run", generations=0, planned=5, finished=False)
    # A kill may leave the programs of a generation without its record.
    lines = RunFolder(write_run(tmp_path / "other", generations=1)).programs_file.read_text()
    RunFolder(folder).programs_file.write_text(lines)
    page = page_of(folder)
    Parsed(page)
    assert "Not finished: 0 of 5 generations" in page
    assert "The evolution</h2>" not in page


def test_a_run_that_wrote_no_seconds_counts_those_of_its_generations(tmp_path):
    folder = write_run(tmp_path / "run")
    RunFolder(folder).seconds_file.unlink()
    story = read_story(folder)
    assert story.everything == pytest.approx(4 * 1.5)
    assert "what else was done was not written down" in time_text(story)
    (time, *_) = energy_section(story, footprint(story), "as a test says").assumptions
    assert time.origin.startswith("wall-clock time of the generations alone")


@pytest.mark.parametrize(
    ("best", "formulas"),
    [(SequentialProgram.parse("d0 = abs(T3); s0 = mean(d0)"), 3), (doublings(20), 2)],
    ids=["with a formula", "too large for a formula"],
)
def test_a_sequential_program_is_shown_by_its_instructions(tmp_path, best, formulas):
    story = read_story(write_run(tmp_path / "run", best=best, finished=False))
    fittest, *others = shown_programs(story)
    assert sum(each.formula is not None for each in (fittest, *others)) == formulas
    assert sum(each.tree is not None for each in (fittest, *others)) == formulas
    assert (fittest.instructions != ()) == (formulas == 2)


def test_many_networks_are_drawn_as_a_sample():
    accuracies = np.random.default_rng(0).uniform(10, 90, 5000)
    scores = np.where(accuracies < 20, np.nan, accuracies)
    ranked = Ranked("best", None, scores, *[Correlation(0.9, 0.8, 0.95)] * 4)
    comparison = Comparison("digits", StatisticsSettings(), ("net",) * 5000, accuracies, (ranked,))
    chart = score_chart("scores", ranked, comparison, highlighted=True)
    assert 1000 <= chart.count("<use") < 1100


def test_the_story_knows_where_formulas_come_from(tmp_path):
    story = read_story(write_run(tmp_path / "run"))
    best = story.born(BEST)
    assert best is not None
    assert (best.first_generation, best.origin, best.times, best.fitness) == (1, "child", 1, 0.6)
    assert [known.fitness for known in story.known] == sorted(
        (known.fitness for known in story.known), reverse=True
    )
    assert sum(known.times for known in story.known) == len(story.programs)


def test_the_record_holds_the_figures_of_the_page(tmp_path):
    story = read_story(write_run(tmp_path / "run"))
    record = report_record(story, footprint(story), "as a test says")
    assert record["finished"] is True
    assert record["candidates"][0]["born_in_generation"] == 1
    assert record["energy"]["kilowatt_hours"] == pytest.approx(
        18 / 3600 * (2 * 9.4 + 64 * 0.3725) * 1.2 / 1000
    )
    assert record["seconds"]["everything"] == 18
    assert [task["task"] for task in record["held_out"]] == ["digits", "letters"]
    assert record["fittest"][0]["program"] == str(BEST.canonical())
    assert len(record["generations"]) == 4


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        read_story(tmp_path)


def test_an_altered_configuration_is_refused(tmp_path):
    folder = write_run(tmp_path / "run")
    RunFolder(folder).config_file.write_text("seed = -1\n")
    with pytest.raises(ConfigError, match="seed"):
        read_story(folder)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (89.94, "89.9 s"),
        (252, "4 min 12 s"),
        (11_100, "3 h 05 min"),
        (86_400, "24 h 00 min"),
    ],
)
def test_seconds_are_told_in_the_units_of_a_person(seconds, text):
    assert seconds_text(seconds) == text
