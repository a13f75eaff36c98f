"""Plans of random programs on random geometries pass the verifier, which finds broken ones."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import pytest
import strategies_layers
import strategies_programs
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.compile import ShapeTable, build_graph, fold_roots, simplify
from eznas.errors import PlanError
from eznas.plan import Call, Place, Plan, make_plan, plan_lines, verify
from eznas.plan.folds import SUMMED, SUMMED_OF_TWO, SUMMED_WITH_NUMBER
from eznas.program import Program
from eznas.statistics import geometry_of_convolution
from eznas.terminals import Geometry
from eznas_kernels.instructions import TILE, Form
from eznas_kernels.library import KERNELS

LAYER = geometry_of_convolution(16, 16, 3, side=32)
"""Tensors of eight tiles, and weights of two."""


def plan_of(*texts: str, geometry: Geometry = LAYER) -> Plan:
    graph = fold_roots(build_graph([Program.parse(text) for text in texts]), "mean")
    return make_plan(graph, ShapeTable([geometry]).infer(graph))


def kernels(plan: Plan) -> list[str]:
    return [call.kernel or call.form.name for call in plan.calls]


@given(
    st.lists(strategies_programs.programs(max_height=7, max_size=30), min_size=1, max_size=8),
    st.lists(st.one_of(strategies_layers.geometries(), st.just(LAYER)), min_size=1, max_size=6, unique=True),
    st.sampled_from(["mean", "frobenius_norm"]),
)
@settings(max_examples=200)
def test_every_plan_passes_the_verifier(programs: list[Program], geometries: list[Geometry], op: str) -> None:
    graph = simplify(fold_roots(build_graph(programs), op))
    table = ShapeTable(geometries)
    columns = table.infer(graph)
    for rows in table.alike(graph, columns):
        shapes = ShapeTable([geometries[row] for row in rows]).of_rows(columns, rows)
        plan = make_plan(graph, shapes)
        verify(plan)
        assert {root for root in graph.roots if shapes[root].has_shapes} <= set(plan.number_of_node)
        assert len(plan_lines(plan)) == len(plan.sections) + len(plan.calls) + 1


def test_equal_subtrees_are_computed_once_for_all_programs() -> None:
    plan = plan_of("exp(T1_D)", "l1_norm(exp(T1_D))", "normalize(exp(T1_D))", "abs(normalize(exp(T1_D)))")
    assert kernels(plan).count("exp") == 1
    assert kernels(plan).count("sum_of_distances") == 1


def test_a_fold_of_what_a_kernel_can_fold_itself_reads_the_argument() -> None:
    for text in ("mean(abs(T1_D))", "l1_norm(T1_D)", "l1_norm(abs(abs(T1_D)))", "abs(T1_D)"):
        assert kernels(plan_of(text)) == ["sum_of_absolutes", "FINISH_MEAN"]
    for text in ("mean(square(T1_D))", "square(abs(T1_D))", "l1_norm(square(T1_D))"):
        assert kernels(plan_of(text)) == ["sum_of_squares", "FINISH_MEAN"]


def test_a_sum_takes_in_a_cheap_operation_whose_result_is_not_written() -> None:
    for text, kernel in {
        "mean(relu(T1_D))": "sum_of_relu",
        "frobenius_norm(heaviside(T1_D))": "sum_of_heaviside",
        "mean(mul(T1_D, T1_N))": "sum_of_mul",
        "less(T1_D, T1_N)": "sum_of_less",
        "frobenius_norm(equal(T1_D, T1_N))": "sum_of_equal",
        "hamming_distance(T1_D, T1_N)": "sum_of_hamming_distance",
    }.items():
        assert kernels(plan_of(text))[0] == kernel
        assert len(plan_of(text).calls) == 2
    assert kernels(plan_of("mean(exp(T1_D))")) == ["exp", "sum_of_values", "FINISH_MEAN"]
    assert kernels(plan_of("frobenius_norm(mul(T1_D, T1_N))"))[0] == "mul"


def test_a_norm_of_a_normalized_tensor_divides_the_sum_and_writes_no_tensor() -> None:
    for text, kernel, quotients, end in (
        ("l1_norm(normalize(T1_D))", "sum_of_absolute_differences", 1, "FINISH_MEAN"),
        ("mean(abs(normalize(T1_D)))", "sum_of_absolute_differences", 1, "FINISH_MEAN"),
        ("frobenius_norm(normalize(T1_D))", "sum_of_squared_differences", 2, "FINISH_ROOT"),
        ("frobenius_norm(abs(normalize(T1_D)))", "sum_of_squared_differences", 2, "FINISH_ROOT"),
        ("l1_norm(square(normalize(T1_D)))", "sum_of_squared_differences", 2, "FINISH_MEAN"),
    ):
        names = ["sum_of_distances", "FINISH_MOMENTS", kernel, *["TOTAL_QUOTIENT"] * quotients, end]
        assert kernels(plan_of(text)) == names
    texts = ["l1_norm(normalize(T1_D))", "frobenius_norm(normalize(T1_D))", "exp(normalize(T1_D))"]
    names = kernels(plan_of(*texts))
    assert {"normalize", "sum_of_absolute_differences", "sum_of_squared_differences"} <= set(names)
    assert names.count("sum_of_distances") == 1
    assert "normalize" in kernels(plan_of("mean(normalize(T1_D))"))


def test_quotients_are_readable_and_written_once() -> None:
    plan = plan_of("l1_norm(normalize(T1_D))")
    assert any("= quotient from(%" in line and line.endswith("[total]") for line in plan_lines(plan))
    (quotient,) = (call.result for call in plan.calls if call.form is Form.TOTAL_QUOTIENT)
    summed = next(call.result for call in plan.calls if call.form is Form.SUM_WITH_SCALAR)
    with pytest.raises(PlanError, match="each total to be summed once"):
        verify(_with(plan, lambda call: call._replace(result=summed) if call.result == quotient else call))


def test_a_sum_takes_in_an_operation_with_one_number() -> None:
    for text, kernel in {
        "mul(T1_D, mean(T1_N))": "sum_of_mul_scalar",
        "less(T1_D, mean(T1_N))": "sum_of_less_scalar",
        "less(mean(T1_N), T1_D)": "sum_of_scalar_less",
        "equal(mean(T1_N), T1_D)": "sum_of_scalar_equal",
        "sub(T1_D, mean(T1_N))": "sum_of_sub",
    }.items():
        assert kernel in kernels(plan_of(text))


def test_what_is_asked_for_its_sign_alone_takes_no_logarithm_or_exponential() -> None:
    assert kernels(plan_of("heaviside(log(T1_D))"))[0] == "log_sign"
    assert kernels(plan_of("exp(sign(abs_log(T1_D)))"))[:2] == ["abs_log_sign", "sign"]
    assert kernels(plan_of("hamming_distance(log(T1_D), T2_D)"))[0] == "log_sign"
    assert kernels(plan_of("heaviside(exp(T1_D))"))[0] == "exp_sign"
    assert kernels(plan_of("hamming_distance(T2_D, sigmoid(T1_D))"))[0] == "sigmoid_sign"
    assert "log" in kernels(plan_of("heaviside(log(T1_D))", "exp(log(T1_D))"))
    assert "log" in kernels(plan_of("less_than_zero(log(mean(T1_D)))"))


def test_exponentials_and_sigmoids_of_minus_one_zero_and_one_are_chosen() -> None:
    for argument in ("sign(T1_D)", "less(T1_D, T1_N)", "abs(mul(sign(T1_D), heaviside(T1_N)))"):
        for op in ("exp", "sigmoid"):
            assert f"{op}_of_sign" in kernels(plan_of(f"{op}({argument})"))
            assert op not in kernels(plan_of(f"{op}({argument})"))
    for argument in ("T1_D", "mul(sign(T1_D), T1_N)", "add(sign(T1_D), sign(T1_N))", "exp(sign(T1_D))"):
        assert "exp" in kernels(plan_of(f"exp({argument})"))


def test_divergences_of_numbers_from_zeros_and_ones_share_one_count() -> None:
    texts = [f"kl_divergence({norm}(T1_D), heaviside(T3))" for norm in ("mean", "l1_norm", "frobenius_norm")]
    names = kernels(plan_of(*texts))
    assert names.count("FINISH_MULTIPLE") == 3
    assert names.count("sum_of_heaviside") == 1
    assert not {"heaviside", "sum_of_mul_scalar"} & set(names)


def test_ones_of_a_divergence_are_counted_as_those_of_a_mean() -> None:
    texts = ["kl_divergence(mean(T1_D), less(T2_D, T1_N))", "mean(less(T2_D, T1_N))"]
    names = kernels(plan_of(*texts))
    assert names.count("sum_of_less") == 1
    assert "less" not in names
    assert "log_sign" in kernels(plan_of("kl_divergence(mean(T1_D), heaviside(log(T3)))"))
    assert "log" in kernels(plan_of("kl_divergence(log(mean(T3)), heaviside(log(mean(T3))))"))


def test_divergences_from_one_tensor_share_its_information() -> None:
    names = kernels(plan_of("kl_divergence(T1_D, T4_D)", "kl_divergence(T1_N, T4_D)"))
    assert names.count("information") == 1
    assert names.count("sum_of_mul") == names.count("FINISH_DIFFERENCE") == 2


def test_divergences_of_numbers_from_one_tensor_share_its_sum() -> None:
    texts = [f"kl_divergence({norm}(T1_D), abs(T3))" for norm in ("mean", "l1_norm", "frobenius_norm")]
    names = kernels(plan_of(*texts, "l1_norm(T3)"))
    assert names.count("TOTAL_PRODUCT") == names.count("FINISH_DIFFERENCE") == 3
    assert names.count("sum_of_absolutes") == 2
    assert "sum_of_mul_scalar" not in names


def test_every_sum_of_an_operation_has_a_kernel() -> None:
    names = {f"sum_of_{op}" for op in SUMMED | SUMMED_OF_TWO}
    names |= {f"sum_of_{name}" for op in SUMMED_WITH_NUMBER for name in (f"{op}_scalar", f"scalar_{op}")}
    assert names <= KERNELS.keys()


def test_tensors_of_equal_numbers_are_one_number() -> None:
    plan = plan_of("exp(add(ones_like(T1_D), mean(T1_D)))")
    assert [(call.kernel, call.size[0]) for call in plan.calls] == [
        ("sum_of_values", 16 * 32 * 32),
        ("", 16 * 32 * 32),
        ("add", 1),
        ("exp", 1),
    ]


def test_softmax_and_determinants_of_equal_numbers_run_on_little() -> None:
    plan = plan_of("exp(softmax(exp(add(ones_like(T1_D), mean(T3)))))")
    assert max(call.size[0] for call in plan.calls if call.kernel not in ("sum_of_values", "")) == 16
    for op in ("det", "logdet"):
        plan = plan_of(f"exp({op}(sigmoid(add(ones_like(T1_D), mean(T3)))))")
        assert [call.size[0] for call in plan.calls if call.kernel in ("fill", op, "exp")] == [16, 1, 1]


def test_softmax_of_equal_numbers_is_taken_of_lines_of_one_number_and_of_more_alike() -> None:
    channels = [(1, 3), (5, 3), (1, 1), (2, 1)]
    for pair in itertools.permutations(channels, 2):
        table = ShapeTable([geometry_of_convolution(one, 4, kernel) for one, kernel in pair])
        graph = fold_roots(
            build_graph([Program.parse(f"{op}(exp(zeros_like(T3)))") for op in ("softmax", "det")]), "mean"
        )
        plan = make_plan(graph, table.infer(graph))
        verify(plan)
        assert [call.size for call in plan.calls if call.kernel == "softmax"] == [(pair[0][0], pair[1][0])]


def test_what_only_shapes_depend_on_is_not_computed() -> None:
    plan = plan_of("mul(T3, mean(ones_like(exp(T1_D))))", "numel(matmul(T1_D, T1_D))")
    assert kernels(plan) == ["sum_of_mul_scalar", "FINISH_MEAN"]


def test_an_elementwise_chain_stays_in_tiles() -> None:
    plan = plan_of("mean(exp(sigmoid(log(T1_D))))")
    assert [section.size for section in plan.sections] == [(16 * 32 * 32,), ()]
    assert plan.memory.size < 4 * (TILE + 64)


def test_an_operation_moves_to_the_stage_that_reads_it() -> None:
    """Its result then need not be kept whole while the mean is taken."""
    plan = plan_of("mul(exp(T1_D), mean(T2_D))")
    assert [[call.kernel for call in section.calls] for section in plan.sections if section.size] == [
        ["sum_of_values"],
        ["exp", "sum_of_mul_scalar"],
    ]
    assert not any(
        value.place is Place.TENSOR and not tile
        for value, tile in zip(plan.values, plan.memory.is_tile, strict=True)
    )


def test_room_is_reused_when_nothing_reads_a_tensor_any_more() -> None:
    chain = "softmax(" * 12 + "T1_D" + ")" * 12
    assert plan_of(chain).memory.size < 3 * 16 * 32 * 32 + 1024


def _with(plan: Plan, change: Callable[[Call], Call]) -> Plan:
    sections = tuple(section._replace(calls=tuple(map(change, section.calls))) for section in plan.sections)
    return dataclasses.replace(plan, sections=sections)


def test_the_verifier_finds_an_operand_that_is_not_there() -> None:
    plan = plan_of("mean(exp(sigmoid(T1_D)))")
    broken = dataclasses.replace(
        plan, sections=tuple(s._replace(calls=s.calls[1:]) if s.size else s for s in plan.sections)
    )
    with pytest.raises(PlanError, match="expected operand .* to be there"):
        verify(broken)


def test_the_verifier_finds_a_result_on_top_of_its_operand() -> None:
    plan = plan_of("mean(exp(sigmoid(T1_D)))")
    offsets = [plan.memory.offsets[0]] * len(plan.memory.offsets)
    with pytest.raises(PlanError, match="overlap no operand"):
        verify(dataclasses.replace(plan, memory=dataclasses.replace(plan.memory, offsets=tuple(offsets))))


def test_the_verifier_finds_a_tensor_that_was_overwritten() -> None:
    plan = plan_of("mean(add(softmax(T1_D), softmax(T2_D)))")
    softmaxes = [call.result for call in plan.calls if call.kernel == "softmax"]
    offsets = list(plan.memory.offsets)
    offsets[softmaxes[1]] = offsets[softmaxes[0]]
    with pytest.raises(PlanError, match="expected operand .* to be there"):
        verify(dataclasses.replace(plan, memory=dataclasses.replace(plan.memory, offsets=tuple(offsets))))


def test_the_verifier_finds_memory_that_is_too_small() -> None:
    plan = plan_of("mean(softmax(T1_D))")
    with pytest.raises(PlanError, match="expected value .* within"):
        verify(dataclasses.replace(plan, memory=dataclasses.replace(plan.memory, size=100)))


def test_the_verifier_finds_sizes_that_do_not_fit() -> None:
    plan = plan_of("mean(exp(T1_D))", "mean(T3)")
    with pytest.raises(PlanError, match="expected tiled calls on"):
        verify(_with(plan, lambda call: call._replace(size=(9,)) if call.kernel == "exp" else call))


def test_the_verifier_finds_a_number_that_is_missing_at_the_end() -> None:
    plan = plan_of("mean(exp(T1_D))")
    broken = dataclasses.replace(plan, sections=plan.sections[:-1])
    with pytest.raises(PlanError, match="expected a number for node"):
        verify(broken)


def test_the_verifier_finds_tensors_of_one_section_on_top_of_each_other() -> None:
    plan = plan_of("softmax(exp(T1_D))", "softmax(sigmoid(T2_D))")
    written = [call.result for call in plan.calls if call.form is Form.UNARY]
    offsets = list(plan.memory.offsets)
    offsets[written[1]] = offsets[written[0]] + max(plan.values[written[0]].size) // 2
    with pytest.raises(PlanError, match="apart from each other|to be there"):
        verify(dataclasses.replace(plan, memory=dataclasses.replace(plan.memory, offsets=tuple(offsets))))


def test_a_plan_is_readable() -> None:
    lines = plan_lines(plan_of("mul(exp(T1_D), mean(T3))"))
    assert lines[0] == "tensors of 2,304 numbers, in 1 tile"
    assert any("= exp(T1_D)  [tile at" in line for line in lines)
    assert any("sum_of_values(T3)  [total]" in line for line in lines)
    assert lines[-1].startswith("5 calls, ")
