from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from matplotlib.mathtext import MathTextParser
from strategies_programs import programs

from eznas.ops import OPS
from eznas.program import NAMED_PROGRAMS, Program, latex
from eznas.program.tree import MAX_HEIGHT
from eznas.terminals import TERMINALS


def renders(formula: str) -> bool:
    width, height, *_ = MathTextParser("path").parse(f"${formula}$")
    return width > 0 and height > 0


def assert_balanced(formula: str) -> None:
    depth = 0
    for sign in re.sub(r"\\[{}]", "", formula):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert formula.count(r"\left") == formula.count(r"\right")


@pytest.mark.parametrize("name", OPS)
def test_formula_of_every_operation_renders(name: str):
    formula = latex(Program((name, *["T3G_D", "T1_N"][: OPS[name].arity])))
    assert_balanced(formula)
    assert renders(formula)


@pytest.mark.parametrize("name", TERMINALS)
def test_every_terminal_renders(name: str):
    assert renders(latex(Program((name,))))


def test_terminals_have_distinct_formulas():
    assert len({latex(Program((name,))) for name in TERMINALS}) == len(TERMINALS)


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("T3", "T_{3}"),
        ("T1_D", "T_{1}^{D}"),
        ("T4G_P", r"T_{4}^{\nabla,P}"),
        ("add(T3, T1_D)", "T_{3} + T_{1}^{D}"),
        ("exp(add(T3, T1_D))", r"\exp \left(T_{3} + T_{1}^{D}\right)"),
        ("square(sub(T3, T3))", r"\left(T_{3} - T_{3}\right)^{2}"),
        ("sub(T3, sub(T3, T3))", r"T_{3} - \left(T_{3} - T_{3}\right)"),
        ("reciprocal(add(T3, T3))", r"\frac{1}{T_{3} + T_{3}}"),
        ("greater_than_zero(add(T3, T3))", r"\left[\left(T_{3} + T_{3}\right) > 0\right]"),
        ("cosine_similarity(add(T3, T3), sub(T3, T3))", r"\cos \left(T_{3} + T_{3}, T_{3} - T_{3}\right)"),
    ],
)
def test_formulas_have_the_parentheses_that_they_need(text: str, formula: str):
    assert latex(Program.parse(text)) == formula


@given(programs(max_height=200, max_size=100))
@settings(max_examples=50, deadline=None)
def test_formula_of_any_program_is_balanced_and_holds_every_terminal(program: Program):
    formula = latex(program)
    assert_balanced(formula)
    assert formula.count("T_{") == sum(name in TERMINALS for name in program.tokens)


@given(programs(max_height=10, max_size=25))
@settings(max_examples=15, deadline=None)
def test_formula_of_any_program_of_evolution_renders(program: Program):
    assert renders(latex(program))


@pytest.mark.parametrize("name", NAMED_PROGRAMS)
def test_named_programs_render(name: str):
    assert renders(latex(NAMED_PROGRAMS[name]))


def test_highest_program_has_a_formula():
    assert_balanced(latex(Program(("sigmoid",) * MAX_HEIGHT + ("T3",))))
