import pytest

from eznas.compile import ShapeTable, build_graph, fold_roots, simplify
from eznas.plan import make_plan, plan_lines
from eznas.program import NAMED_PROGRAMS, Program, latex
from eznas.statistics import geometry_of_convolution


def test_a_program_is_shown_with_its_formula_and_shapes(run):
    result = run("show", "mean(matmul(T3, T3))", "--channels", "8")
    assert result.code == 0
    assert "mean(matmul(T3, T3))" in result.out
    assert latex(Program.parse("mean(matmul(T3,T3))")) in result.out
    assert "(8, 8, 3, 3)" in result.out


def test_a_refused_part_is_explained(run):
    result = run("show", "mean(matmul(T3, T1_D))", "--side", "14", "--json")
    types = {node["name"]: node["type"] for node in result.json["types"]}
    assert types["matmul"].startswith("refused: matmul: shapes")
    assert types["T1_D"] == "(1, 16, 14, 14)"


def test_the_layer_can_be_described(run):
    options = ["--channels", "8", "--channels-out", "4", "--stride", "2", "--side", "10", "--batch-size", "3"]
    shapes = {
        node["name"]: node["type"]
        for node in run("show", "add(T1_D, add(T3, T4_D))", *options, "--json").json["types"]
    }
    assert (shapes["T1_D"], shapes["T3"], shapes["T4_D"]) == (
        "(3, 8, 10, 10)",
        "(4, 8, 3, 3)",
        "(3, 4, 5, 5)",
    )


@pytest.mark.parametrize("name", NAMED_PROGRAMS)
def test_named_programs_are_known(run, name):
    assert run("show", name, "--json").json["program"] == str(NAMED_PROGRAMS[name])


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_tree_is_drawn_in_the_format_of_the_file(run, tmp_path, suffix, start):
    file = tmp_path / f"tree.{suffix}"
    assert run("show", "eznas-b", "--out", file).code == 0
    assert file.read_bytes().startswith(start)


def test_an_unknown_format_is_refused(run, tmp_path):
    result = run("show", "eznas-b", "--out", tmp_path / "tree.bmp")
    assert result.code == 1
    assert "bmp" in result.err


@pytest.mark.parametrize(("to_scalar", "op"), [("mean", "mean"), ("l2", "frobenius_norm")])
def test_the_plan_of_a_program_for_a_layer_is_shown(run, to_scalar, op):
    text = "mul(normalize(T1_D), exp(T2_N))"
    graph = simplify(fold_roots(build_graph([Program.parse(text)]), op))
    geometry = geometry_of_convolution(8, 8, side=10)
    lines = plan_lines(make_plan(graph, ShapeTable([geometry]).infer(graph)))
    options = ["--plan", "--channels", "8", "--side", "10", "--to-scalar", to_scalar]
    assert run("show", text, *options, "--json").json["plan"] == lines
    shown = run("show", text, *options).out
    assert "\n".join(lines) in shown
    assert "meaning" not in shown


def test_without_being_asked_for_no_plan_is_made(run):
    assert "plan" not in run("show", "T3", "--json").json


def test_a_program_without_a_shape_has_its_refusal_for_a_plan(run):
    arguments = ["show", "mean(matmul(T3, T1_D))", "--side", "14", "--plan"]
    assert "refused: matmul: shapes" in run(*arguments).out
    assert run(*arguments, "--json").json["plan"] is None


def test_the_plan_of_an_unknown_scalar_is_refused(run):
    result = run("show", "T3", "--plan", "--to-scalar", "max")
    assert result.code == 1
    assert result.err == "error: unknown to_scalar 'max'; expected one of mean, l2\n"
