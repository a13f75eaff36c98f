"""Each peer that is installed gives what eager torch gives."""

import numpy as np
import pytest

from eznas.benchmark.peers import PEERS
from eznas.benchmark.trees import measure_baseline, measure_peer, spread
from eznas.benchmark.workloads import Workload
from eznas.ops import OPS
from eznas.program import Program

DEAR = "torch-compile"
TEXTS = [
    "mean(mul(sub(T1_D, T2_N), exp(square(T2_D))))",
    "l1_norm(add(T1_N, abs(T1_D)))",
    "T3",
    *(f"{name}({', '.join(['T1_D', 'T1_N'][: op.arity])})" for name, op in OPS.items()),
]


def workload(texts):
    return Workload("mine", tuple(map(Program.parse, texts)), "")


def nothing(done, total):
    pass


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in PEERS if name != DEAR])
def test_a_peer_agrees_with_eager_torch_on_every_operation_that_it_can_do(name, networks):
    if PEERS[name].version() is None:
        pytest.skip(f"{PEERS[name].package} is not installed")
    timing = measure_peer(PEERS[name](1), workload(TEXTS), networks[:1], 1, 1e9, nothing)
    assert timing.agreement.wrong == ()
    assert len(timing.rows) == timing.supported >= 3
    assert timing.agreement.compared == timing.supported * len(networks[0])
    assert timing.ratio > 0
    assert timing.ratio_with_compiling <= timing.ratio


@pytest.mark.filterwarnings("ignore")
def test_the_compiled_peer_agrees_on_a_program(networks):
    timing = measure_peer(PEERS[DEAR](1), workload(["mean(exp(T3))"]), networks[:1], 1, 0, nothing)
    assert timing.agreement.wrong == ()
    assert timing.rows == (0,)


def test_a_wrong_peer_is_reported_and_not_timed(networks):
    class Wrong(PEERS["torchscript-trees"]):
        compiles = False

        def compile(self, program):
            right = super().compile(program)
            return (lambda layer: right(layer) + 1) if "T3" in program.tokens else right

    timing = measure_peer(Wrong(1), workload(["mean(T3)", "mean(T1_D)"]), networks[:1], 1, 1e9, nothing)
    assert timing.rows == (1,)
    assert {difference.program for difference in timing.agreement.wrong} == {"mean(T3)"}


def test_a_peer_without_anything_to_do_is_no_error(networks):
    numexpr = PEERS["numexpr"]
    if numexpr.version() is None:
        pytest.skip("numexpr is not installed")
    timing = measure_peer(numexpr(1), workload(["det(T1_D)"]), networks, 1, 1, nothing)
    assert (timing.supported, timing.rows) == (0, ())


def test_the_baseline_stops_after_its_time_with_one_network_at_least(networks):
    programs = workload(["mean(T1_D)", "numel(T3)"])
    assert measure_baseline(programs, networks, 1, 2, 0, nothing).seconds.shape == (2, 1)
    whole = measure_baseline(programs, networks, 1, 1, 1e9, nothing)
    assert whole.seconds.shape == (2, len(networks))
    np.testing.assert_allclose(whole.of([1], 2), whole.seconds[1:].sum(axis=1))


def test_every_beginning_of_a_spread_is_spread():
    assert spread(range(8))[:4] == [0, 4, 2, 6]
    assert sorted(spread(range(13))) == list(range(13))
    assert spread([]) == []
