from xml.etree import ElementTree

import pytest
from hypothesis import given
from strategies_programs import programs

from eznas.errors import EznasError
from eznas.ops import OPS
from eznas.program import Program
from eznas.report.html.formula import converted, mathml

CHILDREN = {"msub": 2, "msup": 2, "msubsup": 3, "mfrac": 2}


def checked(text):
    """The formula as a tree of elements, those of a fixed number of children with as many."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        if element.tag in CHILDREN:
            assert len(element) == CHILDREN[element.tag], ElementTree.tostring(element)
    return root


@pytest.mark.parametrize("name", OPS)
def test_every_operation_has_a_formula_with_all_its_arguments(name):
    arguments = ("T1G_D", "T3")[: OPS[name].arity]
    root = checked(mathml(Program.parse(f"{name}({', '.join(arguments)})")))
    terminals = [element for element in root.iter() if element.text == "T"]
    assert len(terminals) == len(arguments)


@given(programs())
def test_every_program_has_a_well_formed_formula_with_its_text_beside(program):
    root = checked(mathml(program))
    assert root.get("alttext") == str(program)


def test_a_terminal_has_its_number_below_and_its_input_above():
    assert converted(r"T_{1}^{\nabla,D}") == (
        "<msubsup><mi>T</mi><mrow><mn>1</mn></mrow><mrow><mo>∇</mo><mo>,</mo><mi>D</mi></mrow></msubsup>"
    )


def test_a_very_high_program_needs_no_recursion():
    text = "abs(" * 190 + "T3" + ")" * 190
    assert mathml(Program.parse(text)).count('form="prefix"') == 190


@pytest.mark.parametrize("text", [r"\sum x", "{x", "x}", r"\left(x}", r"\left<x\right>", "&"])
def test_latex_beyond_the_op_table_is_refused(text):
    with pytest.raises(EznasError, match="expected"):
        converted(text)
