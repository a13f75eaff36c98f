import json

import pytest

from eznas.export import load_json


def test_a_named_program_is_written_with_its_orientation(run, tmp_path):
    path = tmp_path / "b.json"
    result = run("export", "eznas-b", "--format", "json", "--out", path)
    assert result.code == 0
    assert "agrees with the evaluator on 24 random layers" in result.out
    assert load_json(path).orientation == -1


def test_which_scores_of_a_text_are_better_is_not_known(run, tmp_path):
    path = tmp_path / "proxy.py"
    result = run("export", "mean(abs(T3G_N))", "--out", path, "--structure", "cbr", "--json")
    assert result.json["proxy"]["orientation"] is None
    assert result.json["proxy"]["structure"] == "cbr"
    assert result.json["bytes"] == path.stat().st_size
    assert "conv_batch_norm_relu_layers" in path.read_text()


def test_without_a_name_the_file_is_called_proxy(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("export", "mean(T3)", "--format", "json").code == 0
    assert json.loads((tmp_path / "proxy.json").read_text())["program"] == "mean(T3)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mean(T3)", "--format", "pyhton"], "did you mean 'python'?"),
        (["mean(T3)", "--structure", "abc"], "unknown structure 'abc'"),
        (["mean(T3)", "--to-scalar", "max"], "unknown to_scalar 'max'"),
        (["mean(matmul(T3, mean(T3)))"], "has a shape on none of the layers"),
        (["mean(T3)", "--out", "/nowhere/proxy.py"], "expected a folder"),
    ],
)
def test_what_cannot_be_exported_is_one_line_of_error(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = run("export", *arguments)
    assert result.code == 1
    assert message in result.err
    assert list(tmp_path.iterdir()) == []


def test_the_help_says_what_formats_do_not_promise(run):
    text = " ".join(run("export", "--help").out.split())
    for promise in ("deprecates TorchScript", "eig_ratio", "C++", "only those that you trust", "Example"):
        assert promise in text
