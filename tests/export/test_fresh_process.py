"""Every format gives the evaluator's numbers in a process in which eznas cannot be imported."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from random_programs import random_programs

from eznas import NAMED_PROGRAMS, Evaluator, NetworkStatistics, Program
from eznas.export import Format
from eznas.export.agreement import agrees
from eznas.export.description import Description
from eznas.export.exporting import _MAKERS
from eznas.export.layer_source import layer_graph
from eznas.statistics import geometry_of_convolution
from eznas.terminals import TERMINALS

ALL = (*NAMED_PROGRAMS.values(), *random_programs())

UNKNOWN_TO_ONNX = ("eig_ratio", "sym_eig_ratio")

FEW = tuple(
    Program.parse(text)
    for text in (
        "add(normalize(T1_D), mul(T1_P, frobenius_norm(T3)))",
        "kl_divergence(heaviside(T1_D), T1G_N)",
    )
)
"""For formats that take seconds to compile a program; the bench compares all of them."""

COMPILED = Program.parse(
    "add(mean(exp(sub(T1_D, sigmoid(T1_N)))), "
    "add(mean(log(sigmoid(T1_D))), mean(sigmoid(add(det(T1_N), logdet(T1_D))))))"
)
"""Reads what aoti computes by eznas' own formulas and kernels, at a size that shows if a part is wrong."""

HAS_COMPILER = (
    shutil.which(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")) is not None
)

LAYERS = [
    {
        name: np.random.default_rng(seed).standard_normal(geometry.shape(name), np.float32)
        for seed, name in enumerate(TERMINALS)
    }
    for geometry in (
        geometry_of_convolution(16, 16, side=16),
        geometry_of_convolution(6, 6, kernel=5, side=7, batch=2),
        geometry_of_convolution(4, 6, kernel=1, side=4, batch=3, groups=2),
    )
]


def expected_of(program: Program) -> dict[int, float]:
    """The evaluator's number on each layer that the program has a score on."""
    networks = [NetworkStatistics.from_layers([layer]) for layer in LAYERS]
    (values,) = Evaluator(networks, backend="eager", threads=1, memo_bytes=0).score([program]).values
    return {index: float(value) for index, value in enumerate(values) if np.isfinite(value)}


def wrong_in_a_fresh_process(format_name: Format, programs: tuple[Program, ...], folder: Path) -> list[str]:
    maker = _MAKERS[format_name]
    make = getattr(importlib.import_module(f"eznas.export.{maker.module}"), maker.function)
    artefacts, expected = [], []
    for index, program in enumerate(programs):
        of_layers = expected_of(program)
        part = folder / str(index)
        part.mkdir()
        if format_name is Format.ONNX and set(UNKNOWN_TO_ONNX) & set(program.tokens):
            continue
        make(Description(program), part / f"proxy{maker.suffix}")
        artefacts.append(
            {
                "format": format_name,
                "file": f"{index}/proxy{maker.suffix}",
                "terminals": list(program.terminals),
                "layers": list(of_layers),
            }
        )
        expected += [(program, layer, number) for layer, number in of_layers.items()]
    assert len(expected) >= len(programs)
    np.savez(
        folder / "layers.npz",
        **{f"{index} {name}": array for index, layer in enumerate(LAYERS) for name, array in layer.items()},
    )
    (folder / "artefacts.json").write_text(json.dumps(artefacts))
    script = Path(__file__).with_name("fresh_process.py")
    subprocess.run([sys.executable, "-I", str(script), str(folder)], check=True, cwd=folder)
    numbers = json.loads((folder / "numbers.json").read_text())
    return [
        f"{program} on layer {layer}: expected {number}, got {got}"
        for (program, layer, number), got in zip(expected, numbers, strict=True)
        if not agrees(layer_graph(program, Description(program).to_scalar), LAYERS[layer], number, got)
    ]


def test_python_files_give_the_numbers_of_the_evaluator(tmp_path):
    assert wrong_in_a_fresh_process(Format.PYTHON, ALL, tmp_path) == []


def test_torchscript_archives_give_the_numbers_of_the_evaluator(tmp_path):
    with warnings.catch_warnings():
        assert wrong_in_a_fresh_process(Format.TORCHSCRIPT, ALL, tmp_path) == []


def test_onnx_models_give_the_numbers_of_the_evaluator(tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
    assert wrong_in_a_fresh_process(Format.ONNX, ALL, tmp_path) == []


def test_numba_files_give_the_numbers_of_the_evaluator(tmp_path):
    assert wrong_in_a_fresh_process(Format.NUMBA, FEW, tmp_path) == []


def test_archives_of_torch_export_give_the_numbers_of_the_evaluator(tmp_path):
    assert wrong_in_a_fresh_process(Format.TORCH_EXPORT, FEW, tmp_path) == []


@pytest.mark.skipif(not HAS_COMPILER, reason="aoti needs a C++ compiler")
def test_a_package_of_aoti_gives_the_numbers_of_the_evaluator(tmp_path):
    assert wrong_in_a_fresh_process(Format.AOTI, (COMPILED,), tmp_path) == []
