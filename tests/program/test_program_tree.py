from __future__ import annotations

import dataclasses
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_programs import programs

from eznas.errors import ProgramSyntaxError
from eznas.ops import OPS
from eznas.program import Program
from eznas.program.tree import MAX_HEIGHT, MAX_SIZE
from eznas.terminals import TERMINALS

Nested = tuple[str, list["Nested"]]


def nested(program: Program) -> Nested:
    """The program as (name, arguments), read by plain recursion."""

    def read(index: int) -> tuple[Nested, int]:
        name = program.tokens[index]
        arguments = []
        index += 1
        for _ in range(OPS[name].arity if name in OPS else 0):
            argument, index = read(index)
            arguments.append(argument)
        return (name, arguments), index

    tree, end = read(0)
    assert end == len(program.tokens)
    return tree


def naive_size(tree: Nested) -> int:
    return 1 + sum(naive_size(argument) for argument in tree[1])


def naive_height(tree: Nested) -> int:
    return 1 + max(naive_height(argument) for argument in tree[1]) if tree[1] else 0


def flat(tree: Nested) -> tuple[str, ...]:
    return tree[0], *(token for argument in tree[1] for token in flat(argument))


def swapped(tree: Nested, choices: st.DataObject, commutative: bool) -> Nested:
    """The tree with the arguments of some binary operations, commutative or not, exchanged."""
    arguments = [swapped(argument, choices, commutative) for argument in tree[1]]
    exchangeable = len(arguments) == 2 and OPS[tree[0]].commutative == commutative
    if exchangeable and choices.draw(st.booleans()):
        arguments.reverse()
    return tree[0], arguments


@given(programs(max_height=8))
@settings(max_examples=80, deadline=None)
def test_size_and_height_follow_the_recursive_definition(program: Program):
    assert program.size == naive_size(nested(program))
    assert program.height == naive_height(nested(program))


def test_lone_terminal_has_size_one_and_height_zero():
    assert (Program.parse("T3").size, Program.parse("T3").height) == (1, 0)


@given(programs())
@settings(max_examples=100, deadline=None)
def test_terminals_are_distinct_and_in_the_order_of_the_table(program: Program):
    used = {name for name in program.tokens if name in TERMINALS}
    assert program.terminals == tuple(sorted(used, key=list(TERMINALS).index))


@given(programs())
@settings(max_examples=100, deadline=None)
def test_subtrees_and_arguments_follow_the_recursive_definition(program: Program):
    starts = program.argument_indices()

    def check(index: int, tree: Nested) -> None:
        assert program.subtree(index).tokens == flat(tree)
        assert program.subtree_end(index) == index + naive_size(tree)
        assert len(starts[index]) == len(tree[1])
        for start, argument in zip(starts[index], tree[1], strict=True):
            check(start, argument)

    check(0, nested(program))


@pytest.mark.parametrize("index", [-1, 2, 100])
def test_subtree_outside_the_program_is_refused(index: int):
    with pytest.raises(ProgramSyntaxError, match=f"index from 0 to 1, got {index}"):
        Program.parse("abs(T3)").subtree(index)


@given(programs(), st.data())
@settings(max_examples=100, deadline=None)
def test_hash_ignores_the_order_of_commutative_arguments(program: Program, data: st.DataObject):
    other = Program(flat(swapped(nested(program), data, commutative=True)))
    assert other.hash == program.hash
    assert other.canonical() == program.canonical()


def bag(tree: Nested) -> object:
    """The meaning of a tree up to commutation, compared without any order of names."""
    arguments = [bag(argument) for argument in tree[1]]
    if tree[0] in OPS and OPS[tree[0]].commutative:
        return tree[0], frozenset((argument, arguments.count(argument)) for argument in arguments)
    return tree[0], tuple(arguments)


few_names = programs(max_height=3, terminals=("T1_D", "T3"), operations=("add", "sub", "mul", "abs"))


@given(few_names, few_names)
@settings(max_examples=150, deadline=None)
def test_hash_is_equal_exactly_for_programs_equal_up_to_commutation(first: Program, second: Program):
    assert (first.hash == second.hash) == (bag(nested(first)) == bag(nested(second)))


@given(programs(), st.data())
@settings(max_examples=100, deadline=None)
def test_exchanging_other_arguments_changes_the_hash_unless_the_program_stays(
    program: Program, data: st.DataObject
):
    other = Program(flat(swapped(nested(program), data, commutative=False)))
    assert (other.hash == program.hash) == (bag(nested(other)) == bag(nested(program)))


def test_exchanging_the_arguments_of_a_difference_changes_the_hash():
    assert Program.parse("sub(T3, T1_D)").hash != Program.parse("sub(T1_D, T3)").hash


@given(programs())
@settings(max_examples=50, deadline=None)
def test_canonical_form_is_its_own_canonical_form(program: Program):
    assert program.canonical().canonical() == program.canonical()


def test_hash_is_that_of_the_canonical_text_and_never_changes():
    program = Program.parse("add(mul(abs(T3), T1_D), add(T4G_N, T3))")
    assert str(program.canonical()) == "add(add(T3, T4G_N), mul(T1_D, abs(T3)))"
    assert program.hash == "1ca443ba566bb9ef5fc7ec4e64fd3f120b24e984b633a41ff4ea4aabf1955029"


@given(programs())
@settings(max_examples=50, deadline=None)
def test_equal_programs_are_one_dictionary_key(program: Program):
    copy = Program(tuple(str(program).replace("(", " ").replace(")", "").replace(",", "").split()))
    assert copy == program
    assert {program: 1}[copy] == 1
    assert pickle.loads(pickle.dumps(program)) == program


def test_program_cannot_be_changed():
    program = Program.parse("abs(T3)")
    with pytest.raises(dataclasses.FrozenInstanceError):
        program.tokens = ("T3",)  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        program.note = "mine"  # type: ignore[attr-defined]


def test_representation_shows_the_text():
    assert repr(Program.parse("abs(T3)")) == "Program.parse('abs(T3)')"


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ((), "expected at least one name, got an empty tuple"),
        (["T3"], "expected a tuple of names, got list"),
        ("T3", "expected a tuple of names, got str"),
        (("abs", 3), "expected a name as token 1, got int"),
        (("abs", "T5"), r"unknown name 'T5'.*\(token 1\)"),
        (("add", "T3"), "the tokens end while 1 more argument is expected"),
        (("add", "add", "T3"), "the tokens end while 2 more arguments are expected"),
        (("abs", "T3", "T3"), "the program is complete before token 2, 'T3'"),
        (("abs",) * (MAX_HEIGHT + 1) + ("T3",), f"at most {MAX_HEIGHT} operations high"),
        (("abs",) * MAX_SIZE + ("T3",), f"at most {MAX_SIZE} operations and terminals, got {MAX_SIZE + 1}"),
    ],
)
def test_tokens_that_are_no_program_are_refused(tokens: object, said: str):
    with pytest.raises(ProgramSyntaxError, match=said):
        Program(tokens)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(["add", "abs", "mean", "T3", "T1_D", "nonsense"]), max_size=8).map(tuple))
@settings(max_examples=150, deadline=None)
def test_any_sequence_of_names_is_a_program_or_refused(tokens: tuple[str, ...]):
    try:
        program = Program(tokens)
    except ProgramSyntaxError:
        return
    assert flat(nested(program)) == tokens


def test_largest_program_is_walked_without_trouble():
    tokens = ("T3",)
    while 2 * len(tokens) + 1 <= MAX_SIZE:
        tokens = ("add", *tokens, *tokens)
    program = Program(tokens)
    assert Program.parse(str(program)) == program
    assert Program.from_json(program.to_json()) == program
    assert program.canonical() == program
    assert program.subtree_end(0) == program.size
