import pytest

from eznas.program import NAMED_PROGRAMS, Program, latex


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
