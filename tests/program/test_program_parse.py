from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_programs import programs

from eznas.errors import ProgramSyntaxError
from eznas.ops import OPS
from eznas.program import Program
from eznas.program.tree import MAX_HEIGHT, MAX_SIZE
from eznas.terminals import TERMINALS


def message_of(text: object) -> str:
    with pytest.raises(ProgramSyntaxError) as caught:
        Program.parse(text)  # type: ignore[arg-type]
    return str(caught.value)


@given(programs())
@settings(max_examples=100, deadline=None)
def test_printed_program_parses_to_itself(program: Program):
    assert Program.parse(str(program)) == program


@given(programs(), st.data())
@settings(max_examples=50, deadline=None)
def test_white_space_means_nothing(program: Program, data: st.DataObject):
    space = st.text(" \t\n\r\f\v\u2003", max_size=3)
    spaced = str(program).replace(", ", ",")
    for sign in "(),":
        spaced = spaced.replace(sign, data.draw(space) + sign + data.draw(space))
    assert Program.parse(data.draw(space) + spaced + data.draw(space)) == program


def test_every_name_parses():
    for terminal in TERMINALS:
        assert Program.parse(terminal).tokens == (terminal,)
    for name, op in OPS.items():
        assert Program.parse(f"{name}({', '.join(['T3'] * op.arity)})").tokens == (name, *["T3"] * op.arity)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "expected an operation or a terminal, got the end of the text"),
        ("   ", 4, "expected an operation or a terminal, got the end of the text"),
        ("()", 1, "expected an operation or a terminal, got '('"),
        ("men(T3)", 1, "got the unknown name 'men'; did you mean 'mean'?"),
        ("abs(t3g_d)", 5, "got the unknown name 't3g_d'; did you mean 'T3G_D'?"),
        ("abs", 4, "expected '(' after 'abs', got the end of the text"),
        ("abs T3", 5, "expected '(' after 'abs', got 'T3'"),
        ("abs()", 1, "'abs' takes 1 argument, got 0"),
        ("abs(T3, T3, T3)", 1, "'abs' takes 1 argument, got 3"),
        ("exp(add(T3))", 5, "'add' takes 2 arguments, got 1"),
        ("add(T3", 7, "expected ',' and argument 2 of 'add', got the end of the text"),
        ("add(T3, T3", 11, "expected ')' to close 'add', got the end of the text"),
        ("add(T3,, T3)", 8, "expected an operation or a terminal, got ','"),
        ("add(T3 T3)", 8, "expected ',' and argument 2 of 'add', got 'T3'"),
        ("T3()", 3, "expected the end of the text, got '(' (a terminal takes no arguments)"),
        ("abs(T3(", 7, "expected ')' to close 'abs', got '(' (a terminal takes no arguments)"),
        ("abs(T3)(", 8, "expected the end of the text, got '('"),
        ("T3 T3", 4, "expected the end of the text, got 'T3'"),
        ("abs(T3))", 8, "expected the end of the text, got ')'"),
        ("abs(3)", 5, "expected a name, '(', ',' or ')', got '3'"),
        ("T3 + T3", 4, "expected a name, '(', ',' or ')', got '+'"),
        ("abs(\ud800)", 5, r"expected a name, '(', ',' or ')', got '\ud800'"),
        ("abs(\n\x00)", 6, r"expected a name, '(', ',' or ')', got '\x00'"),
    ],
)
def test_bad_text_is_answered_with_place_and_expectation(text: str, column: int, said: str):
    headline, shown, caret = message_of(text).split("\n")
    assert headline.startswith(f"column {column}: ")
    assert headline.endswith(said)
    assert caret.index("^") == column - 1 + 2
    assert len(shown) == len(text) + 2


def test_message_can_be_written_to_any_terminal_whatever_the_text_holds():
    message_of("abs(\ud800\x1b[31m)").encode()
    assert "\x1b" not in message_of("abs(\ud800\x1b[31m)")


def test_long_text_is_shown_as_a_window_around_the_place():
    terms = "add(T1_D, " * 30
    _, shown, caret = message_of(terms + "oops" + ")" * 30).split("\n")
    assert len(shown) < 80
    assert shown.strip().startswith("...")
    assert shown.endswith("...")
    assert shown[caret.index("^") :].startswith("oops)")


@pytest.mark.parametrize("text", [None, 3, b"T3", ["T3"], ("T3",)])
def test_anything_but_text_is_refused(text: object):
    assert message_of(text) == f"expected a program text (str), got {type(text).__name__}"


def test_greatest_height_and_size_parse_and_one_more_does_not():
    highest = "abs(" * MAX_HEIGHT + "T3" + ")" * MAX_HEIGHT
    assert Program.parse(highest).height == MAX_HEIGHT
    assert f"at most {MAX_HEIGHT} operations high" in message_of(f"abs({highest})")
    largest = "T3"
    for level in range(MAX_SIZE):
        if 2 * largest.count("T3") > MAX_SIZE // 2:
            break
        largest = f"add({largest}, {largest})"
        assert Program.parse(largest).size == 2 ** (level + 2) - 1
    assert f"at most {MAX_SIZE} operations" in message_of(f"add({largest}, add({largest}, {largest}))")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(" * 1_000_000, "expected an operation or a terminal, got '('"),
        ("abs(" * 1_000_000 + "T3" + ")" * 1_000_000, f"at most {MAX_HEIGHT} operations high"),
        ("add(T3, " * 1_000_000, f"at most {MAX_HEIGHT} operations high"),
        ("abs(" + "T3, " * 1_000_000, f"at most {MAX_SIZE} operations and terminals"),
        ("abs(T3" + ")" * 1_000_000, "expected the end of the text, got ')'"),
        (" " * 1_000_000, "expected an operation or a terminal, got the end of the text"),
        ("x" * 1_000_000, "... (1000000 characters)"),
        ("," * 1_000_000, "got ','"),
    ],
    ids=["parentheses", "deep", "deep to the right", "wide", "closing", "space", "long name", "commas"],
)
def test_absurd_text_is_refused_at_once_and_briefly(text: str, said: str):
    start = time.process_time()
    message = message_of(text)
    assert time.process_time() - start < 2
    assert said in message
    assert len(message) < 400


@given(
    st.text()
    | st.text("()," + " aT3_D")
    | st.lists(st.sampled_from(["(", ")", ",", "add", "abs", "T3", " "])).map("".join)
)
@settings(max_examples=150, deadline=None)
def test_arbitrary_text_parses_or_raises_a_syntax_error(text: str):
    try:
        program = Program.parse(text)
    except ProgramSyntaxError:
        return
    assert "".join(str(program).split()) == "".join(text.split())


@given(programs(max_height=4), st.data())
@settings(max_examples=150, deadline=None)
def test_mutated_program_text_parses_or_raises_a_syntax_error(program: Program, data: st.DataObject):
    text = str(program)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 4)))
        inserted = data.draw(st.sampled_from(["", "(", ")", ",", " ", "T3", "add(", "é", "_", "0"]))
        text = text[:start] + inserted + text[end:]
    try:
        mutated = Program.parse(text)
    except ProgramSyntaxError:
        return
    assert "".join(str(mutated).split()) == "".join(text.split())
