"""The memo: what is kept between calls, for how long, and what it costs."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from evaluator_examples import FIVE_NETWORKS, programs
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.backends import SubtreeBackend
from eznas.evaluator import Evaluator, Failure, FailureKind
from eznas.evaluator.memo import Memo, Outcome, outcome_memo, program_code, row_memo
from eznas.ops import OPS
from eznas.program import Program
from eznas.terminals import TERMINALS

ENTRY = 201
"""The bytes of the score of a program of one token,"""

NETWORK = 500
"""and of a network for which anything is kept."""


TEXTS = (
    "l1_norm(T3)",
    "exp(l1_norm(T3))",
    "mul(T1_D, l1_norm(T3))",
    "add(mean(exp(T1_D)), l1_norm(T3))",
    "mul(mean(exp(T1_D)), frobenius_norm(mul(T1_D, mean(exp(T1_D)))))",
    "log(sub(mean(T3), mean(T3)))",
    "reciprocal(sub(mean(T3), mean(T3)))",
    "add(T3, T1_D)",
)
"""Programs that share subtrees; some fail."""


def _keep(memo: Memo[Outcome], *names: bytes) -> None:
    for name in names:
        memo.put_all([name], 0, [float(name[0])])


def _kept(memo: Memo[Outcome], names: bytes) -> bytes:
    codes = [bytes([name]) for name in names]
    return b"".join(code for code, is_held in zip(codes, memo.holds(codes, 0), strict=True) if is_held)


def test_what_is_put_is_found_and_counted() -> None:
    memo = outcome_memo(10_000)
    memo.put_all([b"a"], 3, [0.5])
    assert memo.get_all([b"a", b"b"], 3) == [0.5, None]
    assert memo.get_all([b"a"], 4) == [None]
    assert (memo.hits, memo.misses, len(memo), memo.bytes) == (1, 2, 1, NETWORK + ENTRY)


def test_a_score_of_zero_is_a_hit() -> None:
    memo = outcome_memo(10_000)
    memo.put_all([b"a"], 0, [0.0])
    assert memo.get_all([b"a"], 0) == [0.0]
    assert memo.hits == 1


def test_the_least_recently_used_leave_first() -> None:
    memo = outcome_memo(NETWORK + 3 * ENTRY)
    _keep(memo, b"a", b"b", b"c")
    memo.get_all([b"a"], 0)
    _keep(memo, b"d")
    assert _kept(memo, b"abcd") == b"acd"


def test_the_network_that_was_used_least_recently_is_forgotten_first() -> None:
    memo = outcome_memo(2 * NETWORK + 3 * ENTRY)
    memo.put_all([b"a", b"b"], 0, [1.0, 2.0])
    memo.put_all([b"a"], 1, [3.0])
    memo.take_all([b"a"], 0)
    memo.put_all([b"c"], 0, [4.0])
    assert (memo.holds([b"a", b"b", b"c"], 0), memo.holds([b"a"], 1)) == ((True,) * 3, (False,))
    assert memo.bytes == NETWORK + 3 * ENTRY


def test_looking_whether_something_is_held_is_no_use_of_it() -> None:
    memo = outcome_memo(NETWORK + 3 * ENTRY)
    _keep(memo, b"a", b"b", b"c")
    assert memo.holds([b"a", b"d"], 0) == (True, False)
    assert memo.holds([b"a"], 1) == (False,)
    _keep(memo, b"d")
    assert (memo.hits, memo.misses, _kept(memo, b"abcd")) == (0, 0, b"bcd")


def test_putting_again_counts_as_use_and_not_twice() -> None:
    memo = outcome_memo(NETWORK + 3 * ENTRY)
    _keep(memo, b"a", b"b", b"c", b"a", b"d")
    assert _kept(memo, b"abcd") == b"acd"
    assert memo.bytes == NETWORK + 3 * ENTRY


def test_without_budget_nothing_is_kept() -> None:
    memo = outcome_memo(0)
    _keep(memo, b"a")
    assert (len(memo), memo.bytes, memo.get_all([b"a"], 0)) == (0, 0, [None])


@given(st.integers(0, 3_000), st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.booleans())))
def test_the_budget_is_never_exceeded(budget: int, puts: list[tuple[bytes, bool]]) -> None:
    memo = outcome_memo(budget)
    for code, fails in puts:
        memo.put_all([code], 0, [_failure("mean(T3)", 0) if fails else 1.0])
        assert memo.bytes <= budget
    assert (memo.bytes == 0) == (len(memo) == 0)


def _failure(text: str, network: int) -> Failure:
    program = Program.parse(text)
    shapes = ((1, 300 + network, 14, 14), (300 + network, 8, 3, 3))
    message = f"add: shapes {shapes[0]} and {shapes[1]} do not broadcast: 14 against 3, in dimension -1"
    return Failure(program, network, 0, FailureKind.SHAPE, "add", shapes, message)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("networks", [1, 40])
def test_the_bytes_are_an_honest_upper_bound(fails: bool, networks: int) -> None:
    entries = 1_000
    texts = [f"add(T3, {'abs(' * (1 + n % 12)}T3{')' * (1 + n % 12)})" for n in range(entries // networks)]
    memo = outcome_memo(10**9)
    tracemalloc.start()
    try:
        for number, text in enumerate(texts):
            code = program_code(Program.parse(text)) + number.to_bytes(2, "little")
            for network in range(networks):
                outcome: Outcome = _failure(text, 300 + network) if fails else network + 0.5
                memo.put_all([code], 300 + network, [outcome])
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(memo) == entries
    assert used < memo.bytes < 2.5 * used


def test_distinct_programs_have_distinct_codes() -> None:
    chosen = [Program((name, *["T3"] * op.arity)) for name, op in OPS.items()]
    chosen += [Program((name,)) for name in TERMINALS]
    chosen += programs("add(T3, abs(T3))", "add(abs(T3), T3)")
    assert len({program_code(program) for program in chosen}) == len(chosen) == 34 + 22 + 2


def test_an_evaluator_answers_from_the_memo_with_the_same_bits() -> None:
    evaluator = Evaluator(FIVE_NETWORKS)
    chosen = programs("mean(T3)", "mean(add(T3, T1_D))", "mean(T1_D)")
    first = evaluator.score(chosen, [0, 1])
    assert (evaluator.memo.hits, evaluator.memo.misses, len(evaluator.memo)) == (0, 6, 6)
    second = evaluator.score([*chosen, *programs("mean(T2_D)")], [1, 2])
    assert (evaluator.memo.hits, evaluator.memo.misses, len(evaluator.memo)) == (3, 11, 11)
    np.testing.assert_array_equal(second.values[:3, 0], first.values[:, 1])
    assert second.failures[0] == first.failures[1]


def test_only_what_is_not_remembered_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = Evaluator(FIVE_NETWORKS, "eager")
    computed: list[tuple[int, int]] = []
    eager = evaluator.backend.layer_scalars

    def watched(graph, network, to_scalar):  # type: ignore[no-untyped-def]
        computed.append((len(graph.roots), FIVE_NETWORKS.index(network)))
        return eager(graph, network, to_scalar)

    monkeypatch.setattr(evaluator.backend, "layer_scalars", watched)
    evaluator.score(programs("mean(T3)", "mean(T1_D)"), [0, 1])
    evaluator.score(programs("mean(T3)", "mean(T1_D)"), [1, 0])
    evaluator.score(programs("mean(T3)", "mean(T2_D)", "mean(T2_D)"), [0, 2, 2, 0])
    assert sorted(computed) == [(1, 0), (2, 0), (2, 1), (2, 2)]


def test_a_commuted_program_is_remembered_under_its_own_text() -> None:
    evaluator = Evaluator(FIVE_NETWORKS)
    one, other = programs("mean(add(T3, T1_D))", "mean(add(T1_D, T3))")
    evaluator.score([one], [0])
    (failure,) = evaluator.score([other], [0]).failures
    assert evaluator.memo.hits == 1
    assert failure.program == other
    assert str(failure).startswith("mean(add(T1_D, T3)) on network 0, layer 0: add: shapes")


def test_more_scores_than_the_budget_holds_are_still_all_given() -> None:
    evaluator = Evaluator(FIVE_NETWORKS, memo_bytes=3800)
    chosen = programs("mean(T3)", "mean(T1_D)", "mean(T2_D)")
    np.testing.assert_array_equal(evaluator.score(chosen).values, evaluator.score(chosen).values)
    assert evaluator.memo.bytes <= 950
    assert 0 < len(evaluator.memo) <= 2


def test_rows_of_subtrees_are_an_honest_upper_bound_too() -> None:
    memo = row_memo(10**9)
    tracemalloc.start()
    try:
        for number in range(1_000):
            memo.put_all([number.to_bytes(12, "little")], 300, [np.zeros(47, np.float32).tobytes()])
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used < memo.bytes < 2.5 * used


def test_numbers_of_subtrees_are_computed_once_for_all_generations(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = Evaluator(FIVE_NETWORKS, "tile")
    assert isinstance(evaluator.backend, SubtreeBackend)
    asked: list[tuple[list[str], list[str]]] = []
    tile = evaluator.backend.work_scalars

    def watched(graph, networks, nodes, works):  # type: ignore[no-untyped-def]
        (work,) = works
        assert tuple(nodes) == work.nodes
        asked.append(([graph.nodes[n].name for n in nodes], [graph.nodes[n].name for n in work.known]))
        return tile(graph, networks, nodes, works)

    monkeypatch.setattr(evaluator.backend, "work_scalars", watched)
    evaluator.score(programs("exp(l1_norm(T3))"), [0])
    evaluator.score(programs("mul(l1_norm(T3), frobenius_norm(T1_D))"), [0])
    assert asked == [(["mean", "l1_norm"], []), (["mean", "frobenius_norm"], ["l1_norm"])]
    assert evaluator.subtree_memo.hits == 1


def test_of_kept_subtrees_only_those_that_are_used_count_as_used() -> None:
    evaluator = Evaluator(FIVE_NETWORKS, "tile")
    evaluator.score(programs("exp(l1_norm(mul(T1_D, frobenius_norm(T3))))"), [0])
    assert len(evaluator.subtree_memo) == 3
    evaluator.score(programs("log(l1_norm(mul(T1_D, frobenius_norm(T3))))"), [0])
    assert evaluator.subtree_memo.hits == 1


def test_networks_that_lack_different_programs_are_computed_in_one_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluator = Evaluator(FIVE_NETWORKS, "tile", threads=1)
    assert isinstance(evaluator.backend, SubtreeBackend)
    asked: list[list[tuple[list[int], int]]] = []
    tile = evaluator.backend.work_scalars

    def watched(graph, networks, nodes, works):  # type: ignore[no-untyped-def]
        indices = [FIVE_NETWORKS.index(network) for network in networks]
        asked.append([([indices[place] for place in work.networks], len(work.nodes)) for work in works])
        return tile(graph, networks, nodes, works)

    monkeypatch.setattr(evaluator.backend, "work_scalars", watched)
    evaluator.score(programs("T3"), [1, 3])
    evaluator.score(programs("T3", "T1_D"), [0, 1, 2, 3])
    evaluator.score(programs("T3"), [0, 1, 2, 3])
    assert asked == [[([1, 3], 1)], [([0, 2], 2), ([1, 3], 1)]]


@given(
    st.lists(st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=5), min_size=1, max_size=6),
    st.data(),
)
@settings(max_examples=40)
def test_the_memo_changes_no_bit(calls: list[list[int]], data: st.DataObject) -> None:
    evaluators = [Evaluator(FIVE_NETWORKS, "tile", memo_bytes=size) for size in (0, 4_000, None)]
    for call in calls:
        chosen = programs(*(TEXTS[index] for index in call))
        networks = data.draw(st.lists(st.integers(0, len(FIVE_NETWORKS) - 1), min_size=1))
        values = [evaluator.score(chosen, networks).values for evaluator in evaluators]
        np.testing.assert_array_equal(values[1], values[0])
        np.testing.assert_array_equal(values[2], values[0])
