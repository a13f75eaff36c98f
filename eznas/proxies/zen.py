"""The Zen-Score: how much the features of a Gaussian network change with its input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from eznas.errors import ProxyError
from eznas.proxies.passes import Call, Watching, argument, logits_of
from eznas.proxies.proxy import Batch, Proxy

PERTURBATION: Final = 0.01
"""What the noise that is added to the input is multiplied with (alpha in the paper)."""


def zen(model: nn.Module, batch: Batch) -> float:
    """log(mean norm of f(x + a e) - f(x)) + the sum over batch norms of log(mean variance) / 2.

    Algorithm 1 of Lin et al.: convolutions and linear layers get weights of N(0, 1), batch norms weight 1,
    biases are 0; x and e are drawn from N(0, I) in the shape of the batch, a is `PERTURBATION`; f are the
    features before global average pooling, or the logits of a network that does not pool. Where the sources
    differ:

    - The paper removes residual links first; a network does not say where they are, and they stay.
    - The norm is the paper's, over all features of an input; the authors' code sums absolute values.
    - The variances are those of the channels in the batch x, as in the paper; the code reads the running
      variances, which hold a share of their initial 1. A batch norm over a constant scales nothing and is
      left out: cells of NAS-Bench-201 have such, behind nodes that nothing reaches.
    - The weights are drawn once, as in NAS-Bench-Suite-Zero, where the code averages over 32 draws. (That
      benchmark scores the weights that a network has; their scale decides the variances.)

    The weights are drawn for the passes alone: the network's own are never written. Of the batch only the
    shape is read. Minus infinity where the features do not depend on the input.
    """
    generator = torch.Generator().manual_seed(batch.seed)
    drawn = _gaussian_parameters(model, generator)
    inputs = torch.randn(batch.inputs.shape, generator=generator).to(batch.inputs)
    noise = torch.randn(batch.inputs.shape, generator=generator).to(batch.inputs)
    variances: list[float] = []

    def batch_norm(func: Call, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        read = argument(args, kwargs, 0, "input")
        # In two steps: torch's own variance takes six times as long here.
        means = read.mean([0, *range(2, read.dim())], keepdim=True)
        variances.append(float((read - means).square_().mean()))
        return func(*args, **kwargs)

    with torch.no_grad():
        with Watching({"batch_norm": batch_norm}):
            features = _features(model, drawn, inputs)
        if not variances:
            raise ProxyError("the proxy 'zen' expected a network with a batch norm, none was met")
        changed = _features(model, drawn, inputs + PERTURBATION * noise)
        change = float((changed - features).flatten(1).to(torch.float64).norm(dim=1).mean())
    return _logarithm(change) + sum(_logarithm(variance) / 2 for variance in variances if variance != 0)


def _logarithm(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf if value == 0 else math.nan


def _features(model: nn.Module, parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """What goes into the last global average pooling; the logits where there is none."""
    pooled: list[Tensor] = []

    def pooling(func: Call, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        read = argument(args, kwargs, 0, "input")
        output = func(*args, **kwargs)
        if read.dim() == 4 and output.shape[:2] == read.shape[:2] and output[0, 0].numel() == 1:
            pooled[:] = [read]
        return output

    with Watching(dict.fromkeys(("adaptive_avg_pool2d", "avg_pool2d", "mean"), pooling)):
        logits = logits_of(lambda given: functional_call(model, parameters, (given,)), inputs)
    return pooled[0] if pooled else logits


def _gaussian_parameters(model: nn.Module, generator: torch.Generator) -> dict[str, Tensor]:
    """Parameters by name as the Zen-Score draws them; one that modules share is drawn once."""
    drawn: dict[str, Tensor] = {}
    met: set[int] = set()
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(prefix, recurse=False):
            if id(parameter) in met:
                continue
            is_weight = name.rpartition(".")[2] == "weight"
            if isinstance(module, nn.Conv2d | nn.Linear):
                values = torch.randn(parameter.shape, generator=generator) if is_weight else torch.zeros(())
            elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm):
                values = torch.tensor(float(is_weight))
            else:
                continue
            met.add(id(parameter))
            drawn[name] = values.to(parameter).expand_as(parameter)
    return drawn


ZEN = Proxy(
    name="zen",
    orientation=1,
    needs_targets=False,
    description="Logarithm of how much the features of the network with Gaussian weights change when its "
    "Gaussian input is perturbed, scaled by the variances of the batch norms.",
    source="Lin et al., Zen-NAS: A Zero-Shot NAS for High-Performance Image Recognition, ICCV 2021, "
    "algorithm 1",
    formula=zen,
)
