"""The passes that proxies are made of: logits, the loss, and gradients of the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from eznas.errors import ProxyError
from eznas.proxies.proxy import Batch
from eznas.statistics.passes import find_logits
from eznas.statistics.tracing import Tracer

Call = Callable[..., Any]
Handler = Callable[[Call, tuple[Any, ...], Mapping[str, Any]], Any]


class Watching(TorchFunctionMode):
    """Hands the calls of some functions of torch to handlers, whether modules make them or not.

    Args:
        handlers: by the name of the function, what is called in its place; it gets the function and its
            arguments, and gives what the function would give.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        super().__init__()
        self._handlers = handlers

    def __torch_function__(
        self, func: Call, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        del types
        handler = self._handlers.get(getattr(func, "__name__", ""))
        return func(*args, **(kwargs or {})) if handler is None else handler(func, args, kwargs or {})


def argument(args: tuple[Any, ...], kwargs: Mapping[str, Any], position: int, name: str) -> Any:
    """An argument of a call, however it was given; None where it was not."""
    return args[position] if position < len(args) else kwargs.get(name)


def logits_of(model: Callable[[Tensor], object], inputs: Tensor, tracer: Tracer | None = None) -> Tensor:
    """The logits of a network.

    A network may return a tuple, such as (features, logits): its logits are then the first tensor straight
    from a linear layer. The inputs are copied, so that the network may write into them.

    Args:
        model: a network, or a function that runs one.
        inputs: (batch, channels, height, width).
        tracer: what records the pass, where the caller wants to read the record.

    Raises:
        ProxyError: The network returns no logits.
    """
    tracer = Tracer(frozenset(), frozenset()) if tracer is None else tracer
    with tracer:
        output = model(inputs.clone())
    logits = find_logits(output, tracer)
    if logits is None:
        raise ProxyError(
            "expected a network that returns a floating point tensor of logits, or a tuple that holds one "
            f"straight from a linear layer; it returned a {type(output).__name__}"
        )
    return logits


def loss(model: Callable[[Tensor], object], batch: Batch) -> Tensor:
    """The mean cross-entropy of the network on the batch.

    Raises:
        ProxyError: The logits and the targets do not fit together.
    """
    logits = logits_of(model, batch.inputs)
    if logits.dim() != 2 or len(logits) != len(batch.targets):
        raise ProxyError(
            f"expected logits of shape ({len(batch.targets)}, classes), got {tuple(logits.shape)}"
        )
    lowest, highest = int(batch.targets.min()), int(batch.targets.max())
    if lowest < 0 or highest >= logits.shape[1]:
        raise ProxyError(
            f"expected targets from 0 to {logits.shape[1] - 1}, the classes of the network; "
            f"got {lowest} to {highest}"
        )
    return functional.cross_entropy(logits, batch.targets)


def weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of all 2-D convolutions and linear layers by name, each once.

    These are what the proxies of Abdelfattah et al. (2021) sum over; biases and batch norms are left out.

    Raises:
        ProxyError: There is none.
    """
    found: dict[str, nn.Parameter] = {}
    met: set[int] = set()
    for name, module in model.named_modules():
        weight = module._parameters.get("weight") if isinstance(module, nn.Conv2d | nn.Linear) else None
        if weight is not None and id(weight) not in met:
            met.add(id(weight))
            found[f"{name}.weight" if name else "weight"] = weight
    if not found:
        raise ProxyError(
            f"expected a network with a Conv2d or Linear module, got a {type(model).__name__} without any"
        )
    return found


def weight_gradients(
    model: nn.Module, batch: Batch, *, differentiable: bool = False
) -> list[tuple[Tensor, Tensor]]:
    """The weights that the loss depends on, each with the gradient of the loss.

    Args:
        model: the network.
        batch: inputs and targets.
        differentiable: whether the gradients will be differentiated again.

    Raises:
        ProxyError: The network has no weights, or the targets do not fit it.
    """
    parameters = list(weights(model).values())
    objective = loss(model, batch)
    if not objective.requires_grad:
        return []
    gradients = torch.autograd.grad(objective, parameters, create_graph=differentiable, allow_unused=True)
    return [
        (weight, gradient)
        for weight, gradient in zip(parameters, gradients, strict=True)
        if gradient is not None
    ]


def product_sum(one: Tensor, other: Tensor) -> float:
    """The sum of the products of two tensors, element by element, added up in float64."""
    return float((one.detach() * other).sum(dtype=torch.float64))
