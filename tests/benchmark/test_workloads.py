"""The frozen workloads hold what is claimed of them."""

import pytest

from eznas.benchmark.freezing import reads_values
from eznas.benchmark.workloads import (
    ELEMENTWISE,
    WORKLOAD_NAMES,
    WORKLOADS,
    load_workload,
    parse_workload,
    workload_text,
)
from eznas.compile import build_graph, infer_shapes
from eznas.errors import ConfigError
from eznas.program import Program
from eznas.statistics import geometry_of_convolution

REQUIRED = {
    "det", "logdet", "softmax", "matmul", "normalize", "kl_divergence", "hamming_distance",
    "cosine_similarity",
}  # fmt: skip


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_holds_a_hundred_programs_with_all_dear_operations(name):
    programs = load_workload(name).programs
    assert len({program.canonical() for program in programs}) == len(programs) >= 100
    assert {token for program in programs for token in program.tokens} >= REQUIRED


@pytest.mark.parametrize("name", WORKLOADS)
def test_eigenvalues_of_weights_occur(name):
    geometry = geometry_of_convolution(16, 16)
    graph = build_graph(load_workload(name).programs)
    shapes = infer_shapes(graph, geometry)
    reading_weights = {
        node.name for node in graph.nodes if geometry.t3 in map(shapes.__getitem__, node.arguments)
    }
    assert reading_weights >= {"eig_ratio", "sym_eig_ratio"}


@pytest.mark.parametrize("name", WORKLOAD_NAMES)
def test_no_program_is_a_constant_and_its_making_is_told(name):
    workload = load_workload(name)
    assert all(map(reads_values, workload.programs))
    assert "Seed" in workload.about


def test_deep_programs_have_twenty_nodes_and_more():
    assert min(program.size for program in load_workload("deep").programs) >= 20


def test_elementwise_programs_end_in_a_mean():
    assert {program.tokens[0] for program in load_workload(ELEMENTWISE).programs} == {"mean"}


def test_a_workload_reads_what_was_written():
    programs = tuple(map(Program.parse, ("mean(T3)", "T1_D")))
    workload = parse_workload("mine", workload_text(["how", "seed 3"], programs))
    assert (workload.programs, workload.about) == (programs, "how\nseed 3")
    assert workload.first(1).programs == programs[:1]


def test_an_unknown_workload_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match="unknown workload 'randm'; expected one of random, evolved"):
        load_workload("randm")


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("mean(T3)", True),
        ("numel(T3)", False),
        ("add(zeros_like(T3), T3)", True),
        ("exp(ones_like(T3))", False),
    ],
)
def test_programs_that_depend_on_shapes_alone_are_told(text, reads):
    assert reads_values(Program.parse(text)) is reads
