"""Each backend on each frozen workload, on a few networks, against eager torch a tree at a time.

`eznas bench` measures the same thoroughly, with peers; this is for pytest-benchmark's own comparisons.
"""

import pytest

from eznas.backends import BACKEND_NAMES
from eznas.benchmark.networks import NetworkSettings, bench_networks
from eznas.benchmark.peers import EagerTrees
from eznas.benchmark.populations import check_backend
from eznas.benchmark.trees import load_layers, measure_baseline
from eznas.benchmark.workloads import WORKLOADS, load_workload
from eznas.evaluator import Evaluator

NETWORKS = 2


def nothing(done, total):
    pass


@pytest.fixture(scope="module")
def networks():
    return bench_networks(NetworkSettings(count=NETWORKS))


@pytest.fixture(scope="module", params=WORKLOADS)
def baseline(request, networks):
    return measure_baseline(load_workload(request.param), networks, 1, 1, float("inf"), nothing)


def test_eager_torch_a_tree_at_a_time(benchmark, networks, baseline):
    peer, programs = EagerTrees(1), baseline.workload.programs
    runs = [peer.compile(program) for program in programs]
    with peer.running():
        layers = [layer for network in networks for layer in load_layers(peer, network, programs)]
        benchmark.pedantic(lambda: [run(layer) for layer in layers for run in runs], rounds=2)


@pytest.mark.parametrize("backend", BACKEND_NAMES)
def test_a_backend(benchmark, networks, baseline, backend):
    assert not check_backend(backend, baseline, networks, nothing).wrong

    def evaluate():
        return Evaluator(networks, backend, threads=1, memo_bytes=0).score(baseline.workload.programs)

    benchmark.pedantic(evaluate, rounds=3, warmup_rounds=1)
