import sys

import numpy as np
import pytest

from eznas import NAMED_PROGRAMS, Program
from eznas.errors import ConfigError
from eznas.export import ExportError, Format, export, json_format, suffix_of, torch_export_format
from eznas.export.agreement import agrees
from eznas.export.description import Description
from eznas.export.layer_source import layer_graph
from eznas.export.trials import Refusal, Trial, check, make_trials
from eznas.program import SequentialProgram

A = NAMED_PROGRAMS["eznas-a"]


@pytest.mark.parametrize("to_scalar", ["mean", "l2"])
@pytest.mark.parametrize("structure", ["rcb", "cbr"])
@pytest.mark.parametrize("format_name", [Format.JSON, Format.PYTHON, Format.TORCHSCRIPT])
def test_every_structure_and_scalar_can_be_exported(tmp_path, format_name, structure, to_scalar):
    path = tmp_path / f"proxy{suffix_of(format_name)}"
    program = Program.parse("matmul(sign(T1_D), T1G_N)")
    exported = export(program, path, format_name, structure=structure, to_scalar=to_scalar)
    assert exported.layers > 10
    assert exported.size == path.stat().st_size
    assert list(tmp_path.iterdir()) == [path]


def test_sequential_programs_can_be_exported(tmp_path):
    text = _exported_text(SequentialProgram.parse("d0 = abs(T3)"), tmp_path)
    assert "average = mean(size)" in text


def _exported_text(program, folder):
    export(program, folder / "proxy.py", "python")
    return (folder / "proxy.py").read_text()


def test_only_the_operations_used_are_in_a_python_file(tmp_path):
    text = _exported_text(A, tmp_path)
    assert "def logdet(" in text
    assert "def softmax(" not in text
    assert "def conv_batch_norm_relu_layers" not in text


def test_an_artefact_that_disagrees_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(json_format, "node_values", lambda graph, _: [np.float32(7.0)] * len(graph.nodes))
    with pytest.raises(ExportError, match=r"expected .* on random layer 0 .* the artefact gives 7"):
        export(A, tmp_path / "proxy.json", "json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("is_refused", "refuses", "may_refuse", "message"),
    [
        (True, False, False, "to be refused"),
        (False, True, False, "the artefact refuses it"),
        (False, True, True, "takes none of the layers"),
        (True, True, False, "takes none of the layers"),
    ],
)
def test_shapes_are_refused_by_both_or_neither(is_refused, refuses, may_refuse, message):
    def run(layer):
        if refuses:
            raise Refusal("shapes")
        return 1.0

    trial = Trial({"T3": np.ones((1, 1, 1, 1), np.float32)}, 1.0, is_refused)
    with pytest.raises(ExportError, match=message):
        check(Description(Program.parse("mean(T3)")), [trial], run, may_refuse=may_refuse)


def test_infinities_among_the_values_are_tried():
    values = [trial.layer["T1_D"] for trial in make_trials(Description(Program.parse("mean(T1_D)")), 0)]
    assert any(np.isnan(array).any() for array in values)
    assert any(np.isinf(array).any() for array in values)
    assert len({array.shape for array in values}) >= 8


def test_a_missing_compiler_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ExportError, match="aoti needs a C\\+\\+ compiler, 'no-such-compiler' is not found"):
        export(A, tmp_path / "proxy.pt2", "aoti")


def test_onnx_names_the_operation_that_it_does_not_have(tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
    with pytest.raises(ExportError, match="ONNX has no operation for eig_ratio"):
        export(Program.parse("mean(eig_ratio(T3))"), tmp_path / "proxy.onnx", "onnx")


def test_packages_that_onnx_needs_are_named(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "eznas.export.onnx_format", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ExportError, match=r"onnxruntime is missing: pip install 'eznas\[export\]'"):
        export(A, tmp_path / "proxy.onnx", "onnx")


def test_unknown_settings_are_refused(tmp_path):
    for settings in (
        {"format_name": "pickle"},
        {"structure": "bcr"},
        {"to_scalar": "max"},
        {"orientation": 0},
    ):
        with pytest.raises(ConfigError):
            export(A, tmp_path / "proxy", **settings)


def test_sizes_are_dynamic_where_the_program_lets_them_be(tmp_path):
    exported = torch_export_format._exported(Description(Program.parse("mean(abs(T1_D))")), tmp_path)
    (statistic,) = (node for node in exported.graph.nodes if node.op == "placeholder")
    assert not any(isinstance(size, int) for size in statistic.meta["val"].shape)


@pytest.mark.parametrize(
    ("text", "got", "is_right"),
    [
        ("mean(T1_D)", 1.00005, True),
        ("mean(T1_D)", 1.001, False),
        ("mean(T1_D)", np.nan, False),
        ("sym_eig_ratio(T1_D)", 1e20, True),
        ("eig_ratio(T1_D)", 0.1, False),
    ],
)
def test_numbers_are_judged_by_what_rounding_explains(text, got, is_right):
    program = Program.parse(text)
    # Two equal rows: the smaller eigenvalue is zero up to rounding.
    layer = {"T1_D": np.ones((2, 3, 4, 4), np.float32)}
    graph = layer_graph(program, Description(program).to_scalar)
    expected = {"mean(T1_D)": 1.0, "sym_eig_ratio(T1_D)": -3e7, "eig_ratio(T1_D)": 0.0}
    assert agrees(graph, layer, expected[text], got) is is_right
