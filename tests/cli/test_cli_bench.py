import json

import pytest

TINY = [
    "bench",
    "--space",
    "micro-topology",
    "-n",
    "2",
    "--programs",
    "3",
    "--repeats",
    "1",
    "--budget",
    "0.01",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


def test_a_tiny_run_gives_every_table_as_json_markdown_and_picture(run, report):
    options = ["-w", "elementwise", "-b", "eager", "-p", "torchscript-trees"]
    files = ["--json", report / "a.json", "--markdown", report / "a.md", "--picture", report / "a.png"]
    result = run(*TINY, *options, *files, "--date", "today")
    assert result.code == 0, result.err
    assert "needs about" in result.err
    record = json.loads((report / "a.json").read_text())
    assert record["machine"]["versions"]["torch"]
    assert record["options"]["networks"] == {"space": "micro-topology", "count": 2, "seed": 0}
    (timing,) = record["backends"]
    assert (timing["backend"], timing["workload"], timing["rows"]) == ("eager", "elementwise", [0, 1, 2])
    assert timing["agreement"]["wrong"] == []
    assert timing["ratio"] == pytest.approx(timing["baseline_seconds"] / timing["first_seconds"])
    assert timing["node_evaluations"] > 0
    assert record["peers"][0]["peer"] == "TorchScript"
    assert {case["op"] for case in record["operations"]} >= {"add", "det", "eig_ratio", "numel"}
    assert {point["varied"] for point in record["growth"]} == {"programs", "networks", "threads"}
    assert 0 < record["memos"][0]["hit_rate"] < 1
    assert record["rooflines"][0]["bandwidth"] > 1e8
    assert record["cold_starts"][0]["import_seconds"] > 0
    markdown = (report / "a.md").read_text()
    assert "Measured on today." in markdown
    assert "## Growth" in markdown
    assert "## Wrong results" not in markdown
    assert "Whole workloads" in result.out
    assert (report / "a.png").read_bytes().startswith(b"\x89PNG")


def test_json_can_be_printed_and_the_statistics_are_found_again(run):
    result = run(*TINY, "-w", "elementwise", "-b", "eager", "--part", "memo", "--json", "-")
    assert result.code == 0, result.err
    assert result.json["backends"] == []
    assert len(result.json["memos"]) == 1
    assert "needs about" not in run(*TINY, "-b", "eager", "--part", "roofline").err


def test_wrong_results_end_with_an_exit_code(run, monkeypatch):
    from eznas.backends.eager import EagerBackend

    right = EagerBackend.layer_scalars
    monkeypatch.setattr(EagerBackend, "layer_scalars", lambda *given: right(*given) + 1)
    result = run(*TINY, "-w", "elementwise", "-b", "eager", "--part", "workloads")
    assert result.code == 1
    assert "results of backends are wrong" in result.err
    assert "Wrong results" in result.out


def test_the_help_shows_examples(run):
    result = run("bench", "--help")
    assert "eznas bench --quick" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-w", "randm"], "expected one of random, evolved, deep, elementwise, got 'randm'"),
        (["-b", "gpu"], "got 'gpu'"),
        (["-p", "numba"], "got 'numba'"),
        (["--part", "all"], "got 'all'"),
        (["--space", "nowhere"], "nowhere"),
        (["--picture", "a.bmp"], ".png, .svg, .pdf"),
        (["--quick", "--full"], "--quick and --full"),
        (["--networks", "0"], "--networks"),
    ],
)
def test_bad_arguments_are_one_line(run, arguments, message):
    result = run("bench", "-b", "eager", *arguments)
    assert result.code in {1, 2}
    assert message in result.err.splitlines()[-1]
    assert "Traceback" not in result.err
