"""What aoti compiles gives each of the stacked layers the number that the layer has alone."""

import itertools

import numpy as np
import pytest
import torch
from random_programs import random_programs

from eznas import NAMED_PROGRAMS, Evaluator, NetworkStatistics, Program
from eznas.export.agreement import agrees
from eznas.export.description import Description
from eznas.export.layer_source import layer_graph
from eznas.export.templates import torch_batchable
from eznas.export.torch_export_format import exported_over_layers, over_layers_runner
from eznas.export.torch_module import StackedLayers, layer_module
from eznas.export.trials import check, make_trials
from eznas.ops import OPS
from eznas.statistics import geometry_of_convolution

OPERATIONS = sorted(set(vars(torch_batchable)) & set(OPS))

SPECIALS = torch.tensor([0.0, -0.0, 1e-40, 3.0, -2.0, torch.inf, -torch.inf, torch.nan])

SHAPES = ((), (1,), (7,), (3, 5), (2, 3, 4), (2, 3, 4, 5))

SQUARE_SHAPES = ((1, 1), (2, 2), (3, 4, 4), (2, 3, 5, 5))

PROGRAMS = (
    *NAMED_PROGRAMS.values(),
    *random_programs()[:10],
    Program.parse("kl_divergence(log(softmax(T1_D)), softmax(T1_N))"),
    Program.parse("add(softmax(frobenius_norm(T1_N)), hamming_distance(T1_D, T4_D))"),
    Program.parse("cosine_similarity(normalize(T1_D), matmul(T1_D, T4_D))"),
)


def layers_of(program, count=4):
    geometry = geometry_of_convolution(6, 6, side=7, batch=2)
    generator = np.random.default_rng(3)
    return [
        {name: generator.standard_normal(geometry.shape(name), np.float32) for name in program.terminals}
        for _ in range(count)
    ]


def test_only_operations_are_replaced_that_vmap_would_mistake_or_that_would_not_be_vector_instructions():
    assert set(OPERATIONS) == {
        *("hamming_distance", "kl_divergence", "l1_norm", "mean", "normalize", "softmax"),
        *("abs_log", "det", "log", "logdet"),
    }


@pytest.mark.parametrize(
    ("op", "shape"),
    [(op, shape) for op in OPERATIONS for shape in (SQUARE_SHAPES if op in ("det", "logdet") else SHAPES)],
)
@pytest.mark.parametrize("with_specials", [False, True])
def test_a_replaced_operation_gives_what_the_operation_gives(op, shape, with_specials):
    generator = torch.Generator().manual_seed(1)
    drawn = [torch.randn(shape, generator=generator) for _ in range(OPS[op].arity)]
    cases = [drawn]
    if with_specials:
        cases = [
            [torch.full(shape, float(value)) for value in values]
            for values in itertools.product(SPECIALS, repeat=OPS[op].arity)
        ]
        cases.append([SPECIALS[torch.randint(8, shape, generator=generator)] for _ in drawn])
    for tensors in cases:
        right, got = OPS[op].eager(*tensors), getattr(torch_batchable, op)(*tensors)
        torch.testing.assert_close(got, right, rtol=1e-6, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_stacked_layers_have_the_numbers_that_they_have_alone(program, tmp_path):
    layers = layers_of(program)
    networks = [NetworkStatistics.from_layers([layer]) for layer in layers]
    (expected,) = Evaluator(networks, backend="eager", threads=1, memo_bytes=0).score([program]).values
    module = StackedLayers(layer_module(Description(program), tmp_path, is_batchable=True))
    numbers = module(
        *[torch.tensor(np.stack([layer[name] for layer in layers])) for name in program.terminals]
    )
    assert numbers.shape == (len(layers),)
    assert numbers.dtype == torch.float64
    graph = layer_graph(program, Description(program).to_scalar)
    for layer, right, got in zip(layers, expected, numbers, strict=True):
        if np.isfinite(right):
            assert agrees(graph, layer, float(right), float(got))


@pytest.mark.parametrize("text", ["mean(mul(normalize(T1_D), log(T1G_N)))", "softmax(frobenius_norm(T2_D))"])
def test_the_number_of_stacked_layers_is_free_where_torch_export_traced_it(text, tmp_path):
    description = Description(Program.parse(text))
    exported = exported_over_layers(description, tmp_path).module()
    trials = make_trials(description, seed=0)
    checked = check(description, trials, over_layers_runner(description, exported, exported), may_refuse=True)
    assert checked.refused == 0
    shape = next(iter(layers_of(description.program)[0].values())).shape
    for count in (1, 2, 9):
        assert exported(*[torch.ones(count, *shape)] * len(description.program.terminals)).shape == (count,)
