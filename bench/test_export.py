"""Exported proxies against eager torch on 64 layers of 16x32x32, one thread; all of them are right first.

`python -m pytest -s bench/test_export.py -k faster` compiles for some minutes, and prints the factors;
`-k fresh` compiles packages of aoti for half an hour, and counts those that agree in a process without eznas.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from eznas import NAMED_PROGRAMS, Program
from eznas.backends import ToScalar, get_backend
from eznas.compile import build_graph
from eznas.export import ExportError, Format, export
from eznas.export.agreement import agrees
from eznas.export.description import Description
from eznas.export.layer_source import layer_graph
from eznas.export.loading import loaded_module
from eznas.statistics import NetworkStatistics, geometry_of_convolution

# For the programs of the tests, and the process in which eznas cannot be imported.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "export"))

LAYERS = 64
ROUNDS = 15

PROGRAMS = {
    **NAMED_PROGRAMS,
    "mean of a weight": Program.parse("mean(abs(T3G_N))"),
    "normalize and log": Program.parse("mean(mul(normalize(T1_D), log(T1G_N)))"),
    "exp and sigmoid": Program.parse("mean(exp(sub(T1_D, sigmoid(T4_D))))"),
}


def best_seconds(runs):
    """The least processor time of a call of each, taken in turn: other work on the machine counts little."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for way, run in runs.items():
            start = time.thread_time()
            run()
            best[way] = min(best[way], time.thread_time() - start)
    return best


def layers_of(program):
    geometry = geometry_of_convolution(16, 16, side=32)
    generator = np.random.default_rng(0)
    return [
        {name: generator.standard_normal(geometry.shape(name), np.float32) for name in program.terminals}
        for _ in range(LAYERS)
    ]


def numba_runs(path, layers):
    score_layers = loaded_module(path).score_layers
    return {"numba": lambda: score_layers(layers)}


def aoti_runs(path, layers):
    package = torch._inductor.aoti_load_package(str(path))
    ready = [[torch.from_numpy(layer[name]) for layer in layers] for name in layers[0]]
    stacked = [torch.stack(statistic) for statistic in ready]

    def run():
        with torch.no_grad():
            return package(*stacked).tolist()

    def stack_and_run():
        for statistic, buffer in zip(ready, stacked, strict=True):
            torch.stack(statistic, out=buffer)
        return run()

    return {"aoti": run, "aoti with stacking": stack_and_run}


RUNS = {"numba": (numba_runs, ".py"), "aoti": (aoti_runs, ".pt2")}
"""The ways in which each is run, and its suffix."""

ASKED = 5.0
"""How many times as fast as eager torch an export has to be, in the first of its ways."""


@pytest.mark.parametrize("format_name", RUNS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_export_is_faster_than_eager_torch(name, format_name, tmp_path):
    program = PROGRAMS[name]
    make_runs, suffix = RUNS[format_name]
    path = tmp_path / f"proxy{suffix}"
    layers = layers_of(program)
    network, graph = NetworkStatistics.from_layers(layers), build_graph([program])
    eager = get_backend("eager")
    threads = torch.get_num_threads()
    # Before the export too: a package of aoti is made for the threads that torch has then.
    torch.set_num_threads(1)
    try:
        export(program, path, format_name)
        runs = make_runs(path, layers)
        expected = eager.layer_scalars(graph, network, ToScalar.MEAN)[0]
        judged = layer_graph(program, Description(program).to_scalar)
        for run in runs.values():
            for layer, right, got in zip(layers, expected, run(), strict=True):
                assert agrees(judged, layer, float(right), got)
        runs["eager"] = lambda: eager.layer_scalars(graph, network, ToScalar.MEAN)
        seconds = best_seconds(runs)
    finally:
        torch.set_num_threads(threads)
    eager_seconds = seconds.pop("eager")
    print(f"\n{name}: {eager_seconds / LAYERS * 1e6:.1f} µs a layer in eager torch")
    for way, spent in seconds.items():
        print(f"  {way}: {spent / LAYERS * 1e6:.1f} µs, {eager_seconds / spent:.1f} times")
    assert eager_seconds / seconds[format_name] >= ASKED


def test_packages_of_aoti_give_the_numbers_of_the_evaluator_in_a_fresh_process(tmp_path):
    from test_fresh_process import ALL, expected_of, wrong_in_a_fresh_process

    agree, wrong, refused, without_score = [], [], [], []
    for index, program in enumerate(ALL):
        if not expected_of(program):
            without_score.append(program)
            continue
        folder = tmp_path / f"program {index}"
        folder.mkdir()
        try:
            found = wrong_in_a_fresh_process(Format.AOTI, (program,), folder)
        except ExportError as error:
            refused.append(f"{program}: {error}")
            continue
        wrong += found
        agree += [] if found else [program]
    print(f"\n{len(agree)} agree, {len(refused)} refused, {len(without_score)} have no score on the layers")
    print(*refused, sep="\n")
    assert wrong == []
