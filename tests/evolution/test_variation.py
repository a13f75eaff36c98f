import random

from eznas.evolution import make_config
from eznas.evolution.variation import Variation
from eznas.ops import OPS
from eznas.terminals import TERMINALS


def variation(seed=0, **settings):
    return Variation(make_config(overrides=settings), random.Random(seed))


def test_random_programs_have_heights_within_the_initial_range():
    heights = {program.height for program in variation().random_programs(300)}
    assert min(heights) >= 2
    assert max(heights) == 10


def test_every_operation_and_terminal_is_drawn():
    used = {name for program in variation().random_programs(600) for name in program.tokens}
    assert used == {*OPS, *TERMINALS}


def test_only_the_chosen_operations_and_terminals_are_used():
    chosen = variation(operations=("add", "mean"), terminals=("T3", "T1_N"))
    programs = chosen.random_programs(50)
    programs += chosen.children(programs[:5])
    assert {name for program in programs for name in program.tokens} == {"add", "mean", "T3", "T1_N"}


def test_the_same_seed_gives_the_same_programs_and_another_seed_others():
    assert variation(5).random_programs(20) == variation(5).random_programs(20)
    assert variation(5).random_programs(20) != variation(6).random_programs(20)


def test_the_random_numbers_of_the_caller_are_left_alone():
    random.seed(11)
    expected = random.random()
    random.seed(11)
    made = variation()
    made.children(made.select_parents(made.random_programs(10), [0.1] * 10))
    assert random.random() == expected


def test_children_keep_the_height_limit():
    made = variation(height_limit=4, most_initial_height=4)
    parents = made.random_programs(25)
    for _ in range(5):
        parents = made.children(parents)[:25]
        assert max(program.height for program in parents) <= 4


def test_with_neither_crossover_nor_mutation_children_are_their_parents():
    made = variation(crossover=0.0, mutation=0.0)
    parents = made.random_programs(10)
    assert set(made.children(parents)) <= set(parents)


def test_crossover_alone_uses_only_what_the_parents_hold():
    made = variation(crossover=1.0, mutation=0.0)
    parents = made.random_programs(4)
    held = {name for program in parents for name in program.tokens}
    children = made.children(parents)
    assert {name for program in children for name in program.tokens} <= held
    assert set(children) - set(parents)


def test_mutation_brings_in_new_subtrees():
    made = variation(crossover=0.0, mutation=1.0)
    parents = made.random_programs(4)
    held = {name for program in parents for name in program.tokens}
    assert {name for program in made.children(parents) for name in program.tokens} - held


def test_tournaments_favour_the_fit():
    made = variation()
    programs = made.random_programs(50)
    fitness = [index / 50 for index in range(50)]
    chosen = made.select_parents(programs, fitness)
    assert len(chosen) == 25
    # Of four drawn at random the best is in the upper half with probability 15/16.
    upper = sum(program in programs[25:] for program in chosen)
    assert upper >= 19


def test_a_tournament_of_one_takes_anyone():
    made = variation(tournament_size=1, parents=200)
    programs = made.random_programs(10)
    assert set(made.select_parents(programs, [0.0] * 9 + [1.0])) == set(programs)
