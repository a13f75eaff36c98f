from __future__ import annotations

import pytest

from eznas.program import NAMED_PROGRAM_NOTES, NAMED_PROGRAMS, Program


def test_named_programs_are_those_of_the_paper_and_the_best_that_was_found():
    assert {name: str(program) for name, program in NAMED_PROGRAMS.items()} == {
        "eznas-a": "frobenius_norm(sigmoid(logdet(sign(T1G_D))))",
        "eznas-a-paper": "frobenius_norm(sigmoid(logdet(sign(T3G_N))))",
        "eznas-b": "reciprocal(add(frobenius_norm(T1G_P), "
        "exp(frobenius_norm(log(sigmoid(log(sigmoid(T1G_P))))))))",
        "eznas-nats": "frobenius_norm(abs_log(numel(T4_N)))",
    }


def test_every_named_program_says_where_it_comes_from():
    assert set(NAMED_PROGRAM_NOTES) == set(NAMED_PROGRAMS)
    assert all("paper" in note for note in NAMED_PROGRAM_NOTES.values())


def test_named_programs_cannot_be_changed():
    with pytest.raises(TypeError):
        NAMED_PROGRAMS["mine"] = Program.parse("T3")  # type: ignore[index]
