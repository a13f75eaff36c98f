"""Mate, InsertOP, RemoveOP, MutateOP and MutateOpArg."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies_sequential import sequential_programs

from eznas.evolution.sequential_operators import (
    Choices,
    insert,
    mate,
    mutate,
    mutate_argument,
    mutate_operation,
    random_program,
    remove,
)
from eznas.ops import OPS
from eznas.program import SequentialProgram
from eznas.program.sequential import STATIC_ADDRESSES, output_addresses
from eznas.terminals import TERMINALS

PROGRAMS = sequential_programs()
SEEDS = st.integers(0, 2**32)


def choices(operations=tuple(OPS), terminals=tuple(TERMINALS), reuse=0.5, length_limit=48):
    return Choices.of(operations, terminals, reuse, length_limit)


def parse(text: str) -> SequentialProgram:
    return SequentialProgram.parse(text)


def changed_places(before: SequentialProgram, after: SequentialProgram) -> list[int]:
    pairs = zip(before.instructions, after.instructions, strict=True)
    return [place for place, (old, new) in enumerate(pairs) if old != new]


@given(st.integers(1, 40), SEEDS, st.floats(0, 1))
def test_random_programs_have_the_length_that_is_asked_for(length, seed, reuse):
    # Making the program checks that it is well-formed, here and below.
    assert random_program(length, choices(reuse=reuse), random.Random(seed)).length == length


def test_random_programs_use_all_operations_statistics_and_addresses_and_no_others():
    generator = random.Random(0)
    programs = [random_program(20, choices(), generator) for _ in range(200)]
    instructions = [instruction for program in programs for instruction in program.instructions]
    assert {instruction.op.name for instruction in instructions} == set(OPS)
    assert {address for each in instructions for address in each.reads} >= set(STATIC_ADDRESSES)
    assert {instruction.output for instruction in instructions} == set(range(22, 122))
    few = [random_program(20, choices(("add", "mean"), ("T3", "T1_N")), generator) for _ in range(50)]
    assert {each.op.name for program in few for each in program.instructions} == {"add", "mean"}
    read = {address for program in few for each in program.instructions for address in each.reads}
    assert read & set(STATIC_ADDRESSES) == {list(TERMINALS).index(name) for name in ("T3", "T1_N")}


@pytest.mark.parametrize(("reuse", "expected"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)])
def test_the_share_of_reuse_is_that_of_arguments_that_read_earlier_results(reuse, expected):
    generator = random.Random(0)
    programs = [random_program(20, choices(reuse=reuse), generator) for _ in range(200)]
    read = [address for program in programs for each in program.instructions[1:] for address in each.reads]
    share = sum(address not in STATIC_ADDRESSES for address in read) / len(read)
    assert share == pytest.approx(expected, abs=0.03)


@given(PROGRAMS, PROGRAMS, SEEDS)
def test_mate_takes_the_beginning_of_one_and_the_end_of_the_other(first, second, seed):
    child = mate(first, second, choices(), random.Random(seed))
    assert child.length <= max(first.length, second.length)
    written = [(each.output, each.operation) for each in child.instructions]
    of_first, of_second = (
        [(each.output, each.operation) for each in program.instructions] for program in (first, second)
    )
    assert any(written == of_first[:cut] + of_second[cut:] for cut in range(1, first.length + 1))


def test_mate_keeps_arguments_that_can_still_be_read_and_draws_the_others():
    first = parse("d0 = abs(T3); d1 = exp(T3)")
    second = parse("d5 = abs(T1_D); d2 = sub(d5, T2_D)")
    child = mate(first, second, choices(), random.Random(0))
    assert child.instructions[0] == first.instructions[0]
    last = child.instructions[1]
    assert last.second == second.instructions[1].second
    assert last.first in {*STATIC_ADDRESSES, first.instructions[0].output}


@given(PROGRAMS, SEEDS)
def test_insert_adds_one_instruction_and_leaves_the_others(program, seed):
    child = insert(program, choices(), random.Random(seed))
    rests = [child.instructions[:place] + child.instructions[place + 1 :] for place in range(child.length)]
    assert child.length == program.length + 1
    assert program.instructions in rests


def test_insert_may_put_in_a_first_and_a_last_instruction():
    program, generator = parse("d0 = abs(T3)"), random.Random(0)
    places = {
        insert(program, choices(), generator).instructions.index(program.instructions[0]) for _ in range(40)
    }
    assert places == {0, 1}


@given(PROGRAMS, SEEDS)
def test_remove_takes_one_instruction_away(program, seed):
    child = remove(program, choices(), random.Random(seed))
    if program.length == 1:
        assert child is None
        return
    written = [(each.output, each.operation) for each in program.instructions]
    rests = [written[:place] + written[place + 1 :] for place in range(program.length)]
    assert [(each.output, each.operation) for each in child.instructions] in rests


def test_remove_draws_what_read_the_removed_result_anew():
    program = parse("d0 = abs(T3); d1 = sub(d0, T1_D)")
    children = {str(remove(program, choices(), random.Random(seed))) for seed in range(60)}
    assert "d0 = abs(T3)" in children
    others = [SequentialProgram.parse(text) for text in children - {"d0 = abs(T3)"}]
    assert len({other.instructions[0].first for other in others}) > 5
    assert {other.instructions[0].second for other in others} == {list(TERMINALS).index("T1_D")}


@given(PROGRAMS, SEEDS)
def test_mutate_operation_changes_one_operation_and_keeps_addresses(program, seed):
    child = mutate_operation(program, choices(), random.Random(seed))
    (place,) = changed_places(program, child)
    old, new = program.instructions[place], child.instructions[place]
    assert (new.output, new.first) == (old.output, old.first)
    assert new.operation != old.operation
    if old.op.arity == new.op.arity == 2:
        assert new.second == old.second


def test_mutate_operation_stays_among_operations_that_write_to_the_same_kind():
    program = parse("s0 = mean(T3)")
    made = {mutate_operation(program, choices(), random.Random(seed)) for seed in range(200)}
    scalar = {name for name in OPS if output_addresses(name) is output_addresses("mean")}
    assert {child.instructions[0].op.name for child in made} == scalar - {"mean"}


@given(PROGRAMS, SEEDS)
def test_mutate_argument_changes_one_argument(program, seed):
    child = mutate_argument(program, choices(), random.Random(seed))
    (place,) = changed_places(program, child)
    old, new = program.instructions[place], child.instructions[place]
    assert (new.output, new.operation) == (old.output, old.operation)
    assert sum(one != other for one, other in zip(old.reads, new.reads, strict=True)) == 1


def test_mutations_that_are_not_possible_say_so():
    program, generator = parse("d0 = abs(T3)"), random.Random(0)
    assert insert(program, choices(length_limit=1), generator) is None
    assert remove(program, choices(), generator) is None
    assert mutate_operation(program, choices(("abs", "mean")), generator) is None
    assert mutate_argument(program, choices(terminals=("T3",)), generator) is None
    assert mutate_argument(parse("d0 = abs(T3); d1 = abs(d0)"), choices(terminals=("T3",)), generator)


def test_mutations_are_drawn_by_their_weights():
    program, generator = parse("d0 = abs(T3); d1 = exp(d0); d2 = sign(d1)"), random.Random(0)
    weights = {insert: 3.0, remove: 1.0, mutate_operation: 0.0}
    lengths = [mutate(program, weights, choices(), generator).length for _ in range(400)]
    assert set(lengths) == {2, 4}
    assert lengths.count(4) / 400 == pytest.approx(0.75, abs=0.06)


def test_another_mutation_is_drawn_where_one_is_not_possible():
    program, generator = parse("d0 = abs(T3)"), random.Random(0)
    child = mutate(program, {remove: 1.0, mutate_operation: 1.0}, choices(), generator)
    assert child.instructions[0].op.name != "abs"
    assert mutate(program, {remove: 1.0}, choices(), generator) == program
