"""What is live, what it computes, and the canonical form."""

from __future__ import annotations

import pytest
import strategies_programs
import strategies_sequential
from hypothesis import given
from strategies_sequential import doublings, sequential_programs

from eznas.program import Program, SequentialProgram, canonical_form
from eznas.program.sequential import LARGEST_TREE
from eznas.program.steps import canonical_steps, tree_heights, tree_sizes, tree_tokens
from eznas.terminals import TERMINALS

FEW = {"terminals": ["T3", "T1_D"], "operations": ["add", "sub", "mul", "abs", "mean", "hamming_distance"]}
SHARING = sequential_programs(max_length=7, **FEW)


def value_text(program: SequentialProgram, marked: int | None = None) -> str:
    """The tree as text, by running the instructions on texts, dead ones too; one may write a mark instead."""
    memory: dict[int, str] = dict(enumerate(TERMINALS))
    for place, instruction in enumerate(program.instructions):
        arguments = ", ".join(memory[address] for address in instruction.reads)
        memory[instruction.output] = "MARK" if place == marked else f"{instruction.op.name}({arguments})"
    return memory[program.instructions[-1].output]


@given(SHARING)
def test_the_tree_is_what_the_instructions_write_in_the_end(program):
    tree = program.as_tree(largest=10_000)
    # Equal up to the order of commutative arguments, in which merged steps may differ.
    assert tree.canonical() == Program.parse(value_text(program)).canonical()


@given(SHARING)
def test_an_instruction_is_live_if_and_only_if_its_write_reaches_the_result(program):
    for place, is_live in enumerate(program.live):
        assert is_live == ("MARK" in value_text(program, marked=place))


def test_dead_instructions_are_those_overwritten_or_never_read():
    program = SequentialProgram.parse(
        "d0 = abs(T3); d0 = exp(T3); d1 = sign(d0); d2 = exp(d0); s0 = mean(d1)"
    )
    assert program.live == (False, True, True, False, True)
    assert str(program.without_dead_code()) == "d0 = exp(T3); d1 = sign(d0); s0 = mean(d1)"
    assert (program.length, program.size, program.terminals) == (5, 4, ("T3",))


def test_an_instruction_may_overwrite_what_it_reads():
    program = SequentialProgram.parse("d0 = abs(T3); d0 = add(d0, T1_D); d0 = mul(d0, d0)")
    assert str(program.as_tree()) == "mul(add(abs(T3), T1_D), add(abs(T3), T1_D))"
    assert all(program.live)


@given(strategies_sequential.sequential_programs())
def test_removing_dead_instructions_changes_no_hash(program):
    alive = program.without_dead_code()
    assert all(alive.live)
    assert alive.without_dead_code() == alive
    assert (alive.hash, alive.canonical()) == (program.hash, program.canonical())


@given(SHARING)
def test_the_canonical_form_is_the_tree_s(program):
    tree = program.as_tree(largest=10_000)
    canonical = program.canonical()
    assert canonical.as_tree(largest=10_000) == tree.canonical()
    assert canonical.canonical() == canonical
    assert canonical.length <= program.length
    assert len(canonical.steps()) == canonical.length + len(canonical.terminals)


@given(SHARING, SHARING)
def test_programs_have_the_same_hash_and_form_if_and_only_if_their_trees_do(first, second):
    trees = [program.as_tree(largest=10_000).canonical() for program in (first, second)]
    assert (trees[0] == trees[1]) == (first.hash == second.hash)
    assert (trees[0] == trees[1]) == (canonical_form(first) == canonical_form(second))


@given(SHARING)
def test_a_small_program_is_known_by_its_tree(program):
    tree = program.as_tree()
    if tree is not None:
        assert (program.hash, canonical_form(program)) == (tree.hash, canonical_form(tree))
    else:
        assert canonical_form(program) == program.canonical()


@given(strategies_programs.programs())
def test_the_steps_of_a_tree_are_its_distinct_subtrees(tree):
    steps = tree.steps()
    assert len(steps) == len({tree.subtree(index).canonical() for index in range(tree.size)})
    assert Program(tree_tokens(steps)).canonical() == tree.canonical()
    assert Program(tree_tokens(canonical_steps(steps))) == tree.canonical()
    assert all(max(step.arguments, default=-1) < index for index, step in enumerate(steps))


@given(strategies_programs.programs())
def test_sizes_and_heights_are_those_of_the_tree(tree):
    steps = tree.steps()
    assert tree_sizes(steps)[-1] == tree.size
    assert tree_heights(steps)[-1] == tree.height


@pytest.mark.parametrize("count", [60, 900])
def test_a_program_of_many_doublings_is_known_without_its_tree(count):
    program = doublings(count)
    assert tree_sizes(program.steps())[-1] == 2 ** (count + 1) + 2**count
    assert (program.size, program.as_tree(largest=10**6)) == (count + 3, None)
    assert canonical_form(program) == program.canonical() == program
    renamed = SequentialProgram.parse(str(program).replace("d0", "d7"))
    assert (renamed.hash, canonical_form(renamed)) == (program.hash, program)
    assert doublings(count - 1).hash != program.hash


def test_large_programs_that_differ_deep_inside_only_have_other_hashes_and_a_fixed_order():
    def two_towers(first: str, second: str) -> SequentialProgram:
        towers = [f"d0 = abs({first})", *["d0 = mul(d0, d0)"] * 60]
        towers += [f"d1 = abs({second})", *["d1 = mul(d1, d1)"] * 60]
        return SequentialProgram.parse("; ".join([*towers, "d2 = add(d0, d1)"]))

    one, other = two_towers("T3", "T1_D"), two_towers("T1_D", "T3")
    assert one != other
    assert (one.hash, one.canonical()) == (other.hash, other.canonical())
    assert two_towers("T3", "T3").hash != one.hash


def test_the_tree_is_not_made_where_it_is_too_large_or_too_high():
    chain = SequentialProgram.parse("; ".join(["d0 = abs(T3)", *["d0 = exp(d0)"] * (LARGEST_TREE - 2)]))
    assert chain.as_tree().size == LARGEST_TREE
    longer = SequentialProgram.parse(f"{chain}; d0 = exp(d0)")
    assert longer.as_tree() is None
    assert longer.as_tree(largest=1000).height == 200
    assert SequentialProgram.parse(f"{longer}; d0 = exp(d0)").as_tree(largest=1000) is None


def test_where_the_one_order_needs_more_addresses_than_there_are_a_program_keeps_its_own():
    # Both sums read 30 numbers, one after the other here; the order of the tree makes one sum first, and so
    # all numbers, and there are 20 scalar addresses.
    lines = ["d0 = abs(T3)", "d1 = abs(T1_D)", "d2 = abs(T2_D)"]
    lines += ["d0 = exp(d0)", "s0 = mean(d0)", "d1 = sub(d1, s0)", "d2 = sub(d2, s0)"] * 30
    program = SequentialProgram.parse("; ".join([*lines, "d3 = exp(d0)", "d4 = sub(d1, d2)"]))
    assert program.canonical() == program.without_dead_code()
    assert program.canonical().canonical() == program.canonical()
    other = SequentialProgram.parse("; ".join([*lines[1:3], lines[0], *lines[3:], "d4 = sub(d1, d2)"]))
    assert other.hash == program.hash
