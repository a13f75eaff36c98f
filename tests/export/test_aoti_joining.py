"""The logarithm of a sigmoid, found in the graphs that Inductor lowers."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

pytest.importorskip("torch._inductor.decomposition")

from torch._inductor.decomposition import select_decomp_table

from eznas.export.aoti_joining import join_logs_of_sigmoids, log_of_sigmoid
from eznas.export.templates import torch_batchable

NUMBERS = torch.tensor([0.0, -3.0, 15.0, 30.0, -90.0, torch.inf, -torch.inf, torch.nan])


def traced(function):
    """The graph as Inductor has it before it lowers it."""
    module = make_fx(function, decomposition_table=select_decomp_table())(NUMBERS)
    for node in module.graph.find_nodes(op="call_function", target=torch.ops.aten.scalar_tensor.default):
        # One of Inductor's passes, on the way.
        node.target, node.args, node.kwargs = torch.ops.aten.full.default, ([], *node.args), {}
    return module


def joined(function):
    module = traced(function)
    join_logs_of_sigmoids(module.graph)
    module.recompile()
    found = len(module.graph.find_nodes(op="call_function", target=log_of_sigmoid))
    torch.testing.assert_close(module(NUMBERS), function(NUMBERS), rtol=0.0, atol=0.0, equal_nan=True)
    return found


@pytest.mark.parametrize("logarithm", [torch_batchable.log, torch_batchable.abs_log])
def test_the_logarithm_of_a_sigmoid_is_one_function(logarithm):
    assert joined(lambda a: logarithm(torch.sigmoid(a))) == 1


def test_every_logarithm_of_a_sigmoid_is():
    assert joined(lambda a: torch_batchable.log(torch.sigmoid(torch_batchable.log(torch.sigmoid(a))))) == 2


@pytest.mark.parametrize(
    "function",
    [
        lambda a: torch_batchable.log(torch.exp(a)),
        lambda a: torch.where(torch.sigmoid(a) <= 0.5, 0.0, torch.log(torch.sigmoid(a))),
        lambda a: torch.where(torch.sigmoid(a) <= 0, 1.0, torch.log(torch.sigmoid(a))),
        lambda a: torch.where(torch.sigmoid(a) <= 0, 0.0, torch.log(torch.exp(a))),
        lambda a: torch_batchable.log(torch.sigmoid(a.double())),
    ],
)
def test_what_is_something_else_stays(function):
    assert joined(function) == 0


def test_a_sigmoid_that_is_read_besides_stays():
    def function(a):
        squashed = torch.sigmoid(a)
        return squashed + torch_batchable.log(squashed)

    assert joined(function) == 0
