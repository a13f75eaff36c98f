"""Scores: what they are, and that nothing but programs and statistics decides them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import naive
import numpy as np
import pytest
import strategies_programs
import torch
from evaluator_examples import FIVE_NETWORKS, SQUARE, layer, network, programs, random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.evaluator import Evaluator, Failure, Scores
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.store import StatisticsStore
from eznas.terminals import TERMINALS

SOME = programs("mean(T3)", "add(T1_D, T2_N)", "mean(add(T3, T1_D))", "exp(exp(exp(T4G_P)))", "det(T4_N)")


@pytest.fixture
def two_torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def _torch_threads_of_a_new_thread() -> int:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


def _same(one: Scores, other: Scores) -> None:
    np.testing.assert_array_equal(one.values, other.values)
    assert one.failures == other.failures


def test_a_score_is_the_mean_over_layers_of_the_scalar_in_float64() -> None:
    layers = [layer(T3=[value, value]) for value in (1.0, 2.0**-40, 3.0)]
    scores = Evaluator([network(*layers)]).score(programs("T3", "numel(T3)"))
    np.testing.assert_array_equal(scores.values, [[(1.0 + 2.0**-40 + 3.0) / 3], [2.0]])
    assert scores.failures == ()


def test_the_scalar_may_be_the_l2_norm() -> None:
    layers = [layer(T3=[3.0, -4.0]), layer(T3=[-1.0])]
    chosen = programs("T3", "sub(T3, T3)")
    assert Evaluator([network(*layers)], to_scalar="l2").score(chosen).values.tolist() == [[3.0], [0.0]]
    assert Evaluator([network(*layers)]).score(chosen).values.tolist() == [[-0.75], [0.0]]


def test_rows_are_programs_and_columns_networks() -> None:
    chosen = programs("mean(T3)", "mean(T1_D)")
    scores = Evaluator(FIVE_NETWORKS).score(chosen, networks=[2, 0])
    expected = [
        [
            np.mean([naive.evaluate(program.tokens, each) for each in FIVE_NETWORKS[index].layers])
            for index in (2, 0)
        ]
        for program in chosen
    ]
    np.testing.assert_allclose(scores.values, expected, rtol=1e-4)


def test_repeated_programs_and_networks_repeat_their_scores_and_failures() -> None:
    evaluator = Evaluator(FIVE_NETWORKS, memo_bytes=0)
    once = evaluator.score(SOME, [0, 3])
    rows, columns = [0, 1, 2, 2, 0, 3, 4, 1], [1, 0, 1, 1]
    again = evaluator.score([SOME[row] for row in rows], [[0, 3][column] for column in columns])
    np.testing.assert_array_equal(again.values, once.values[np.ix_(rows, columns)])
    assert len(again.failures) == np.isnan(again.values).sum()


@pytest.mark.parametrize(("chosen", "networks"), [([], None), (SOME, []), ([], []), ([], [1, 1])])
def test_nothing_to_score_gives_empty_scores(chosen: list[Program], networks: list[int] | None) -> None:
    scores = Evaluator(FIVE_NETWORKS).score(chosen, networks)
    assert scores.values.shape == (len(chosen), 5 if networks is None else len(networks))
    assert scores.failures == ()
    assert scores.valid.tolist() == [True] * len(chosen)


def test_a_program_is_valid_where_it_has_a_score_on_every_network() -> None:
    scores = Evaluator(FIVE_NETWORKS).score(SOME)
    assert scores.valid.tolist() == [True, True, False, False, False]
    alone = Evaluator(FIVE_NETWORKS).score(SOME, [4])
    assert alone.valid.tolist() == [True, True, False, False, True]


@given(
    st.lists(strategies_programs.programs(max_height=3, max_size=8), min_size=2, max_size=5),
    st.data(),
)
@settings(max_examples=25)
def test_grouping_threads_memo_and_order_change_no_bit(chosen: list[Program], data: st.DataObject) -> None:
    alone = [Evaluator(FIVE_NETWORKS, threads=1, memo_bytes=0).score([program]) for program in chosen]
    cut = data.draw(st.integers(1, len(chosen) - 1))
    order = data.draw(st.permutations(range(len(chosen))))
    networks = data.draw(st.permutations(range(5)))
    evaluator = Evaluator(
        FIVE_NETWORKS,
        threads=data.draw(st.integers(1, 3)),
        memo_bytes=data.draw(st.sampled_from([None, 0, 3_000])),
    )
    for group in ([chosen[index] for index in order[:cut]], [chosen[index] for index in order]):
        scores = evaluator.score(group, networks)
        together = iter(scores.failures)
        for row, program in enumerate(group):
            expected = alone[chosen.index(program)]
            np.testing.assert_array_equal(scores.values[row], expected.values[0][networks])
            of_network = {failure.network: failure for failure in expected.failures}
            for network_index in networks:
                if network_index in of_network:
                    assert next(together) == of_network[network_index]
        assert next(together, None) is None


@pytest.mark.usefixtures("two_torch_threads")
def test_the_threads_of_torch_change_no_bit_and_are_restored() -> None:
    generator = np.random.default_rng(0)
    big = [network(layer(T3=generator.standard_normal((300, 301)))) for _ in range(3)]
    chosen = programs(
        "T3", "frobenius_norm(T3)", "mean(exp(T3))", "eig_ratio(T3)", "mean(matmul(T3, exp(T3)))"
    )
    chosen += programs("cosine_similarity(T3, exp(T3))", "mean(softmax(T3))", "mean(normalize(T3))")
    scores = []
    for torch_threads in (1, 2):
        for threads in (1, 2):
            torch.set_num_threads(torch_threads)
            scores.append(Evaluator(big, threads=threads, memo_bytes=0).score(chosen))
            assert torch.get_num_threads() == torch_threads
            assert _torch_threads_of_a_new_thread() == torch_threads
    for other in scores[1:]:
        _same(scores[0], other)


@pytest.mark.usefixtures("two_torch_threads")
def test_the_threads_of_torch_are_restored_after_an_error() -> None:
    class Broken(list[NetworkStatistics]):
        def __getitem__(self, index: object) -> NetworkStatistics:  # type: ignore[override]
            raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        Evaluator(Broken(FIVE_NETWORKS), threads=2).score(SOME)
    assert torch.get_num_threads() == _torch_threads_of_a_new_thread() == 2


@pytest.mark.usefixtures("two_torch_threads")
def test_each_thread_gives_torch_one_thread() -> None:
    seen: list[int] = []

    class Watched(Sequence[NetworkStatistics]):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: object) -> NetworkStatistics:  # type: ignore[override]
            seen.append(torch.get_num_threads())
            return FIVE_NETWORKS[0]

    Evaluator(Watched(), threads=3).score(SOME)
    assert seen == [1, 1, 1]


@pytest.mark.parametrize(("threads", "networks", "is_here"), [(1, 3, True), (4, 1, True), (2, 2, False)])
def test_what_one_thread_does_is_done_in_the_calling_one(threads: int, networks: int, is_here: bool) -> None:
    seen: list[int] = []

    class Watched(Sequence[NetworkStatistics]):
        def __len__(self) -> int:
            return networks

        def __getitem__(self, index: object) -> NetworkStatistics:  # type: ignore[override]
            seen.append(threading.get_ident())
            return FIVE_NETWORKS[0]

    Evaluator(Watched(), "eager", threads=threads).score(SOME)
    assert len(seen) == networks
    assert (set(seen) == {threading.get_ident()}) == is_here


def test_a_store_gives_the_scores_of_its_networks(tmp_path: Path) -> None:
    names = [str(index) for index in range(5)]
    with StatisticsStore.create(tmp_path / "store", names, list(TERMINALS)) as writer:
        for name, statistics in zip(names, FIVE_NETWORKS, strict=True):
            writer.append(name, statistics)
        writer.finish()
    stored = Evaluator(StatisticsStore.open(tmp_path / "store"), threads=2).score(SOME)
    _same(stored, Evaluator(FIVE_NETWORKS, threads=1).score(SOME))


def test_equal_numbers_in_other_memory_have_equal_scores() -> None:
    chosen = programs("eig_ratio(T3)", "mean(matmul(T1_D, T2_D))")
    copies = [random_network(0, [SQUARE]) for _ in range(8)]
    values = Evaluator(copies).score(chosen).values
    assert all(len(set(row)) == 1 for row in values)


def test_failures_know_their_program_in_the_text_that_was_asked_for() -> None:
    one, other = programs("mean(add(T3, T1_D))", "mean(add(T1_D, T3))")
    failures = Evaluator(FIVE_NETWORKS).score([one, other], [0]).failures
    assert [failure.program for failure in failures] == [one, other]
    assert isinstance(failures[0], Failure)
