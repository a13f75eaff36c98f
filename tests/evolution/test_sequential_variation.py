"""Random sequential programs, parents and children from one generator."""

from __future__ import annotations

import random

import pytest

from eznas.evolution import make_config
from eznas.evolution.sequential_variation import SequentialVariation


def variation(seed=0, **settings):
    return SequentialVariation(
        make_config(overrides={"representation": "sequential", **settings}), random.Random(seed)
    )


def test_random_programs_have_lengths_within_the_initial_range():
    made = variation(least_initial_length=3, most_initial_length=9).random_programs(300)
    assert {program.length for program in made} == set(range(3, 10))


def test_the_same_seed_gives_the_same_programs_and_another_seed_others():
    def run(seed):
        made = variation(seed)
        programs = made.random_programs(20)
        return programs + made.children(made.select_parents(programs, list(range(20))))

    assert run(5) == run(5)
    assert run(5) != run(6)


def test_the_random_numbers_of_the_caller_are_neither_used_nor_changed():
    random.seed(11)
    before = random.getstate()
    made = variation()
    first = made.children(made.select_parents(made.random_programs(10), [0.1] * 10))
    assert random.getstate() == before
    random.seed(12)
    made = variation()
    assert made.children(made.select_parents(made.random_programs(10), [0.1] * 10)) == first


def test_children_keep_the_limit_of_lengths():
    made = variation(length_limit=6, most_initial_length=6, insert_weight=20)
    parents = made.random_programs(25)
    for _ in range(10):
        parents = made.children(parents)[:25]
        assert max(program.length for program in parents) <= 6


def test_with_neither_crossover_nor_mutation_children_are_their_parents():
    made = variation(crossover=0.0, mutation=0.0)
    parents = made.random_programs(10)
    assert set(made.children(parents)) <= set(parents)


def test_crossover_alone_uses_only_the_operations_of_the_parents():
    made = variation(crossover=1.0, mutation=0.0)
    parents = made.random_programs(4)
    held = {(each.output, each.operation) for program in parents for each in program.instructions}
    children = made.children(parents)
    assert {(each.output, each.operation) for child in children for each in child.instructions} <= held
    assert set(children) - set(parents)


def test_the_shares_of_crossover_and_mutation_are_those_of_the_configuration():
    made = variation(crossover=0.0, mutation=0.6, offspring=500, length_limit=24, most_initial_length=24)
    parents = made.random_programs(30)
    changed = sum(child not in parents for child in made.children(parents))
    assert changed / 500 == pytest.approx(0.6, abs=0.07)


def test_a_weight_of_zero_rules_a_mutation_out():
    made = variation(crossover=0.0, mutation=1.0, insert_weight=0, remove_weight=0)
    parents = made.random_programs(20)
    lengths = {program.length for program in parents}
    assert {child.length for child in made.children(parents)} <= lengths


def test_tournaments_favour_the_fit():
    made = variation()
    programs = made.random_programs(50)
    chosen = made.select_parents(programs, [index / 50 for index in range(50)])
    assert len(chosen) == 25
    # Of four drawn at random the best is in the upper half with probability 15/16.
    assert sum(program in programs[25:] for program in chosen) >= 19


def test_a_tournament_of_one_takes_anyone():
    made = variation(tournament_size=1, parents=200)
    programs = made.random_programs(10)
    assert set(made.select_parents(programs, [0.0] * 9 + [1.0])) == set(programs)
