"""NASWOT: how differently the ReLUs of a network switch for different inputs."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from eznas.errors import ProxyError
from eznas.proxies.passes import logits_of
from eznas.proxies.proxy import Batch, Proxy
from eznas.statistics.tracing import Tracer
from eznas.terminals import Family


def naswot(model: nn.Module, batch: Batch) -> float:
    """The logarithm of the determinant of the Hamming kernel of the ReLUs' binary codes.

    Entry (i, j) of the kernel is the number of ReLU units that are both on or both off for inputs i and j.
    Each call of ReLU counts, functional, in-place and of shared modules too. Those that the output does not
    depend on are left out, as in the authors' code, and so are those that read a constant. One input alone
    gives the logarithm of the number of units; two inputs with the same codes give minus infinity.
    """
    tracer = Tracer(frozenset({Family.RELU_INPUT}), frozenset())
    # Inputs that require gradients, so that a ReLU before any weight is on the way back from the logits.
    logits = logits_of(model, batch.inputs.detach().requires_grad_(), tracer)
    reached = _nodes_behind(logits)
    codes = [
        relu.value
        for relu in tracer.trace.relus
        if relu.value is not None and relu.edge is not None and relu.edge.node in reached
    ]
    if not codes:
        others = ", ".join(sorted(tracer.trace.others)) or "no other activation"
        raise ProxyError(
            f"the proxy 'naswot' expected a network with a ReLU that its output depends on; "
            f"{len(tracer.trace.relus)} ReLUs were met, and {others}"
        )
    return log_determinant(sum((agreements(code) for code in codes[1:]), agreements(codes[0])))


def agreements(read: Tensor) -> Tensor:
    """(batch, batch): for each pair of inputs the units that are both on or both off; float64, exact."""
    read = read.flatten(1)
    units = read.shape[1]
    # Sums of ones are exact in float32 up to 2**24 of them.
    codes = torch.empty_like(read, dtype=torch.float32 if units < 2**24 else torch.float64)
    torch.gt(read, 0, out=codes)
    both_on = (codes @ codes.T).to("cpu", torch.float64)
    on = both_on.diagonal()
    return units - on - on[:, None] + 2 * both_on


def log_determinant(kernel: Tensor) -> float:
    """log(abs(det(kernel))) of a Hamming kernel, (batch, batch); minus infinity where two rows are equal."""
    units = kernel[0, 0]
    # Rounding would give such a kernel a tiny determinant in place of zero.
    if bool(torch.triu(kernel == units, diagonal=1).any()):
        return -math.inf
    return float(torch.linalg.slogdet(kernel).logabsdet)


def _nodes_behind(logits: Tensor) -> set[Node]:
    """All nodes of the graph of the backward pass that starts at the logits."""
    waiting = [] if logits.grad_fn is None else [logits.grad_fn]
    reached: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += [before for before, _ in node.next_functions if before is not None]
    return reached


NASWOT = Proxy(
    name="naswot",
    orientation=1,
    needs_targets=False,
    description="Log-determinant of the kernel that counts, for each pair of inputs, the ReLU units that "
    "are both on or both off.",
    source="Mellor, Turner, Storkey and Crowley, Neural Architecture Search without Training, ICML 2021",
    formula=naswot,
)
