"""Sequential programs as text, JSON and integers, and what is refused."""

from __future__ import annotations

import json

import pytest
import strategies_programs
import strategies_sequential
from hypothesis import given

from eznas.errors import ProgramSyntaxError
from eznas.ops import OPS
from eznas.program import Program, SequentialProgram, parse_program
from eznas.program.sequential import (
    DYNAMIC_ADDRESSES,
    MAX_LENGTH,
    SCALAR_ADDRESSES,
    STATIC_ADDRESSES,
    Instruction,
    address_name,
    output_addresses,
)
from eznas.program.sequential.instruction import as_instructions
from eznas.terminals import TERMINALS

PROGRAMS = strategies_sequential.sequential_programs()


def test_the_memory_is_the_paper_s():
    kinds = STATIC_ADDRESSES, DYNAMIC_ADDRESSES, SCALAR_ADDRESSES
    assert [len(kind) for kind in kinds] == [22, 80, 20]
    names = [address_name(address) for kind in kinds for address in kind]
    assert names[:22] == list(TERMINALS)
    assert (names[22], names[101], names[102], names[121]) == ("d0", "d79", "s0", "s19")
    assert len(set(names)) == 122


def test_operations_that_make_one_number_of_any_tensor_write_to_scalar_addresses():
    scalar = {name for name in OPS if output_addresses(name) is SCALAR_ADDRESSES}
    assert scalar == {
        "frobenius_norm", "sym_eig_ratio", "eig_ratio", "mean", "l1_norm", "hamming_distance",
        "kl_divergence", "cosine_similarity", "numel",
    }  # fmt: skip


@given(PROGRAMS)
def test_text_and_json_give_the_program_back(program):
    assert SequentialProgram.parse(str(program)) == program
    assert SequentialProgram.from_json(program.to_json()) == program
    assert SequentialProgram(as_instructions(json.loads(json.dumps(program.instructions)))) == program


@given(PROGRAMS, strategies_programs.programs())
def test_a_text_tells_which_representation_it_is_of(program, tree):
    assert parse_program(str(program)) == program
    assert parse_program(str(tree)) == tree


def test_instructions_are_four_integers_in_the_paper_s_order():
    program = SequentialProgram.parse("d3 = sub(T1_D, T4_D)\n s19 = mean( d3 ) ;")
    assert [tuple(instruction) for instruction in program.instructions] == [(25, 1, 0, 7), (121, 22, 25, 25)]
    assert repr(program) == "SequentialProgram.parse('d3 = sub(T1_D, T4_D); s19 = mean(d3)')"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected 1 to 1000 instructions, got 0"),
        ("d0 = abs(T3); d1 = abs T3", "instruction 2: expected such as .*, got 'd1 = abs T3'"),
        ("d0 = absolute(T3)", "unknown name 'absolute'"),
        ("d0 = ab(T3)", "did you mean 'abs'"),
        ("d0 = abs(T9)", "one of the 22 terminals, d0 to d79 or s0 to s19, got .*'T9'"),
        ("d80 = abs(T3)", "unknown name 'd80'"),
        ("d0 = abs(T3, T3)", "instruction 1: abs takes 1 argument, got 2"),
        ("d0 = add(T3)", "instruction 1: add takes 2 arguments, got 1"),
        ("d0 = mean(T3)", "mean writes to a scalar address \\(102 to 121\\), got 22"),
        ("s0 = abs(T3)", "abs writes to a dynamic address \\(22 to 101\\), got 102"),
        ("T3 = abs(T3)", "abs writes to a dynamic address"),
        ("d0 = abs(d1)", "instruction 1: it reads d1, to which nothing was written before"),
        ("d0 = abs(T3); d1 = abs(d2); d0 = abs(d0)", "instruction 2: it reads d2"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_program_is_refused_with_the_place(text, message):
    with pytest.raises(ProgramSyntaxError, match=message):
        SequentialProgram.parse(text)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((22, 34, 0, 0), "expected an operation from 0 to 33, got 34"),
        ((22, 9, 122, 122), "expected an address from 0 to 121, got 122"),
        ((22, 9, -1, -1), "expected an address from 0 to 121, got -1"),
        ((22, 9, 0, 1), "abs takes one argument, so that the second address must be the first"),
    ],
)
def test_integers_out_of_range_are_refused(row, message):
    with pytest.raises(ProgramSyntaxError, match=message):
        SequentialProgram((Instruction(*row),))


@pytest.mark.parametrize("row", [(22, 9, 0), (22, 9, 0, 0, 0), (22, 9, 0, 0.0), (22, True, 0, 0)])
def test_rows_other_than_four_integers_are_refused(row):
    with pytest.raises(ProgramSyntaxError, match="instruction 1: expected four integers"):
        as_instructions([row])


@pytest.mark.parametrize("instructions", [[Instruction(22, 9, 0, 0)], ((22, 9, 0, 0),), "d0 = abs(T3)"])
def test_other_types_are_refused(instructions):
    with pytest.raises(ProgramSyntaxError, match="expected a"):
        SequentialProgram(instructions)


def test_the_longest_program_is_read_and_a_longer_one_refused():
    longest = "; ".join(["d0 = abs(T3)"] * MAX_LENGTH)
    assert SequentialProgram.parse(longest).length == MAX_LENGTH
    with pytest.raises(ProgramSyntaxError, match="expected 1 to 1000 instructions, got 1001"):
        SequentialProgram.parse(f"{longest}; d0 = abs(T3)")


def test_a_document_of_a_tree_is_not_one_of_a_sequential_program():
    with pytest.raises(ProgramSyntaxError, match="'format' to be 'eznas-sequential-program'"):
        SequentialProgram.from_json(Program.parse("abs(T3)").to_json())
    with pytest.raises(ProgramSyntaxError, match="'format' to be 'eznas-program'"):
        Program.from_json(SequentialProgram.parse("d0 = abs(T3)").to_json())
