"""Sequential programs are scored as trees are: backends, memo, failures, models."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from evaluator_examples import FIVE_NETWORKS, programs
from hypothesis import given, settings
from strategies_sequential import doublings, sequential_programs
from torch import nn

from eznas.errors import EznasError
from eznas.evaluator import Evaluator, FailureKind, score_model
from eznas.evaluator.memo import program_code, subtree_code
from eznas.program import SequentialProgram, canonical_form
from eznas.program.tree import MAX_SIZE

BACKENDS = ["eager", "tile", "torchscript"]


def sequential(*texts: str) -> list[SequentialProgram]:
    return [SequentialProgram.parse(text) for text in texts]


@given(sequential_programs(max_length=8))
@settings(max_examples=60)
def test_scores_are_those_of_the_tree_to_the_bit_and_dead_code_changes_nothing(program):
    evaluator = Evaluator(FIVE_NETWORKS[:2], "eager", threads=1, memo_bytes=0)
    tree = program.as_tree(largest=10_000)
    whole, alive, of_tree = (evaluator.score([each]) for each in (program, program.without_dead_code(), tree))
    np.testing.assert_array_equal(whole.values, of_tree.values)
    np.testing.assert_array_equal(alive.values, of_tree.values)
    assert [failure.program for failure in whole.failures] == [program] * len(whole.failures)
    for one, other in zip(whole.failures, of_tree.failures, strict=True):
        assert (one.kind, one.op, one.shapes, one.message) == (
            other.kind,
            other.op,
            other.shapes,
            other.message,
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_whose_tree_is_larger_than_any_memory_is_scored(backend):
    evaluator = Evaluator(FIVE_NETWORKS, backend, threads=1)
    (plain,) = programs("mean(abs(T3))")
    scores = evaluator.score([doublings(60), doublings(60, "l1_norm"), plain])
    # Doubling is exact.
    np.testing.assert_allclose(scores.values[0], scores.values[2] * 2.0**60, rtol=1e-6)
    np.testing.assert_array_equal(scores.values[0], scores.values[1])
    again = evaluator.score([doublings(60)])
    np.testing.assert_array_equal(again.values[0], scores.values[0])
    assert evaluator.memo.hits == 5


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_memo_knows_a_tree_and_its_instructions_as_one(backend):
    evaluator = Evaluator(FIVE_NETWORKS, backend, threads=1)
    (tree,) = programs("mean(add(abs(T3), T3G_D))")
    (program,) = sequential("d5 = exp(T1_D); d7 = abs(T3); d7 = add(T3G_D, d7); s3 = mean(d7)")
    first = evaluator.score([tree])
    second = evaluator.score([program])
    assert (evaluator.memo.misses, evaluator.memo.hits) == (5, 5)
    np.testing.assert_array_equal(first.values, second.values)


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_are_the_same_beside_others_over_threads_and_without_memo(backend):
    population = sequential(
        "d0 = abs(T3); s0 = mean(d0); d1 = mul(d0, s0)",
        "d0 = abs(T3); s0 = mean(d0); d1 = sub(d0, s0); d2 = mul(d1, d1)",
        "d0 = matmul(T3, T3); d1 = sigmoid(d0); s2 = l1_norm(d1); d5 = det(d0); d6 = sub(d5, s2)",
    )
    alone = np.concatenate(
        [
            Evaluator(FIVE_NETWORKS, backend, threads=1, memo_bytes=0).score([program]).values
            for program in population
        ]
    )
    together = Evaluator(FIVE_NETWORKS, backend, threads=2).score(population).values
    np.testing.assert_array_equal(alone, together)


def test_only_statistics_that_live_instructions_read_are_needed():
    (program,) = sequential("d0 = abs(T1_D); d1 = abs(T3); s0 = mean(d1)")
    weights = [
        type(each).from_layers([{"T3": layer["T3"]} for layer in each.layers]) for each in FIVE_NETWORKS
    ]
    assert Evaluator(weights, "eager").score([program]).valid.all()


def test_a_failure_names_the_operation_and_the_whole_program():
    texts = (
        "d0 = add(T1_D, T3); d1 = abs(T3); s0 = mean(d0)",
        "d0 = sub(T3, T3); d1 = exp(d0); d2 = reciprocal(d0)",
    )
    refused, infinite = sequential(*texts)
    scores = Evaluator(FIVE_NETWORKS[-1:], "eager").score([refused, infinite])
    shape, value = scores.failures
    assert (shape.program, shape.kind, shape.op) == (refused, FailureKind.SHAPE, "add")
    assert (value.program, value.kind, value.op) == (infinite, FailureKind.INFINITE, "reciprocal")
    assert str(shape).startswith("d0 = add(T1_D, T3); d1 = abs(T3); s0 = mean(d0) on network 0, layer 0: ")


def test_a_program_of_a_large_tree_that_overflows_fails_with_the_operation():
    (failure,) = Evaluator(FIVE_NETWORKS[-1:], "eager").score([doublings(200)]).failures
    assert (failure.kind, failure.op) == (FailureKind.INFINITE, "add")


def test_codes_of_small_programs_are_those_of_trees_and_of_large_ones_short():
    small = sequential("d0 = abs(T3); s0 = mean(d0)")[0]
    assert program_code(canonical_form(small)) == program_code(*programs("mean(abs(T3))"))
    large, other = (program_code(canonical_form(doublings(count))) for count in (60, 61))
    assert large != other
    assert len(large) == len(other) == 33


def test_a_code_longer_than_any_tree_becomes_a_digest():
    longest = b"\x00" * (MAX_SIZE - 1)
    assert len(subtree_code("abs", [longest])) == MAX_SIZE
    first, second = subtree_code("add", [longest, longest]), subtree_code("sub", [longest, longest])
    assert len(first) == len(second) == 33
    assert first != second


def test_a_model_is_scored_by_instructions_as_by_the_tree():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2),
    )  # fmt: skip
    images = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    (program,) = sequential("d9 = exp(T4G_N); d0 = abs(T3); s0 = mean(d0)")
    (tree,) = programs("mean(abs(T3))")
    assert score_model(program, model, images) == score_model(tree, model, images)


def test_other_things_are_no_programs():
    with pytest.raises(EznasError, match="expected programs, got a str"):
        Evaluator(FIVE_NETWORKS).score(["d0 = abs(T3)"])
