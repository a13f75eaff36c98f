"""Synaptic flow: how much passes through a network all of whose parameters are positive."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from eznas.proxies.passes import Watching, argument, logits_of, weights
from eznas.proxies.proxy import Batch, Proxy


def synflow(model: nn.Module, batch: Batch) -> float:
    """The sum over all weights of abs(weight x gradient) of R, with every parameter made positive.

    R is the sum of the logits on one image of ones. Parameters and buffers are replaced by their absolute
    values in float64 (products over twenty layers and more exceed float32) for the one pass: the network's
    own are never written, so that no zero loses its sign. Batch norms are bypassed, as Abdelfattah et al.
    do; Tanaka et al. ran theirs, on networks for pruning, in evaluation mode. On a batch of one image batch
    norms would level what synflow measures. Biases take part in the pass and not in the sum; dropout is
    active. Of the batch only the shape of an image is read.
    """
    own = weights(model)
    wanted = {name: _positive(weight).requires_grad_() for name, weight in own.items()}
    # By identity: a weight shared with another module may go by that module's name.
    replaced = {id(weight) for weight in own.values()}
    positive = {
        name: _positive(tensor)
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]
        if id(tensor) not in replaced and tensor.is_floating_point()
    }
    ones = torch.ones_like(batch.inputs[:1], dtype=torch.float64)
    with Watching({"batch_norm": lambda _func, args, kwargs: argument(args, kwargs, 0, "input")}):
        logits = logits_of(lambda image: functional_call(model, {**positive, **wanted}, (image,)), ones)
    if not logits.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(logits.sum(), list(wanted.values()), allow_unused=True)
    return sum(
        float((weight.detach() * gradient).abs().sum())
        for weight, gradient in zip(wanted.values(), gradients, strict=True)
        if gradient is not None
    )


def _positive(tensor: Tensor) -> Tensor:
    return tensor.detach().to(torch.float64).abs()


SYNFLOW = Proxy(
    name="synflow",
    orientation=1,
    needs_targets=False,
    description="Sum of weight times gradient of the summed logits for an image of ones, where all "
    "parameters are made positive and batch norms bypassed.",
    source="Tanaka, Kunin, Yamins and Ganguli, Pruning Neural Networks without Any Data by Iteratively "
    "Conserving Synaptic Flow, NeurIPS 2020; as a score of networks: Abdelfattah et al., ICLR 2021, "
    "section 3.2",
    formula=synflow,
)
