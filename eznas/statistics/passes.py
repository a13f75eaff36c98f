"""One pass of a network: forward with the steps recorded, backward from the logits, tensors by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eznas.errors import StatisticsError
from eznas.statistics.layers import Layer, Structure, find_layers
from eznas.statistics.preserving import seeded
from eznas.statistics.tracing import Tracer
from eznas.terminals import Family, Geometry


@dataclass(frozen=True, slots=True)
class Request:
    """The families whose tensors, and those whose gradients, a pass has to give."""

    values: frozenset[Family]
    gradients: frozenset[Family]


@dataclass(frozen=True, slots=True)
class PassLayer:
    """The tensors of one layer in one pass, float32 on the processor, by (family, gradient)."""

    geometry: Geometry
    tensors: dict[tuple[Family, bool], Tensor]


def run_pass(
    model: nn.Module, inputs: Tensor, structure: Structure, request: Request, seed: int
) -> tuple[PassLayer, ...]:
    """Run a network on one input, forward, and backward if the request has gradients.

    Args:
        model: the network, in training mode.
        inputs: what it is run on; not written over.
        structure: the layers to look for.
        request: the tensors to give.
        seed: the seed of everything random that the network does, such as dropout.

    Raises:
        NoLayersError: the pass met no layer of this structure.
        StatisticsError: gradients are wanted, and the network's output has no logits to start from.
    """
    backward = bool(request.gradients)
    with torch.set_grad_enabled(backward), seeded(seed, inputs.device):
        # A clone, so that the network may write into its input; a leaf that requires gradients refuses that.
        given = inputs.detach().requires_grad_(backward).clone()
        tracer = Tracer(request.values, request.gradients)
        with tracer:
            output = model(given)
        layers = find_layers(tracer.trace, structure)
        gradients = _gradients(layers, _logits(output, tracer), request) if backward else {}
    return tuple(
        PassLayer(
            layer.geometry,
            {(family, False): _plain(layer.value(family)) for family in request.values}
            | {(family, True): gradients[index, family] for family in request.gradients},
        )
        for index, layer in enumerate(layers)
    )


def _logits(output: object, tracer: Tracer) -> Tensor:
    logits = find_logits(output, tracer)
    if logits is None:
        raise StatisticsError(
            "expected a network that returns a floating point tensor of logits, or a tuple that holds one "
            f"straight from a linear layer; it returned {_described(output)}"
        )
    return logits


def find_logits(output: object, tracer: Tracer) -> Tensor | None:
    """The tensor of logits that a network returned; of several the first straight from a linear layer."""
    members = output if isinstance(output, tuple | list) else [output]
    tensors = [each for each in members if isinstance(each, Tensor) and each.is_floating_point()]
    if len(tensors) > 1:
        tensors = [each for each in tensors if tracer.is_from_linear(each)]
    return tensors[0] if tensors else None


def _described(output: object) -> str:
    if isinstance(output, Tensor):
        return f"a tensor of {output.dtype}"
    if isinstance(output, tuple | list):
        return f"a {type(output).__name__} of {', '.join(_described(each) for each in output) or 'nothing'}"
    return f"a {type(output).__name__}"


def _gradients(layers: Sequence[Layer], logits: Tensor, request: Request) -> dict[tuple[int, Family], Tensor]:
    edges = {
        (index, family): layer.edge(family)
        for index, layer in enumerate(layers)
        for family in request.gradients
    }
    flowing = {key: edge for key, edge in edges.items() if edge is not None}
    found: dict[tuple[int, Family], Tensor | None] = {}
    if flowing and logits.requires_grad:
        # The sum has the wanted gradient of ones; giving the ones themselves makes torch import sympy.
        gradients = torch.autograd.grad([logits.sum()], [*flowing.values()], allow_unused=True)
        found = dict(zip(flowing, gradients, strict=True))
    return {
        (index, family): _gradient(layers[index], family, found.get((index, family)))
        for index, family in edges
    }


def _gradient(layer: Layer, family: Family, gradient: Tensor | None) -> Tensor:
    if gradient is None:
        return torch.zeros(layer.shape(family))
    return _plain(_through_relu(layer, gradient) if family is Family.RELU_INPUT else gradient)


def _through_relu(layer: Layer, gradient: Tensor) -> Tensor:
    """The gradient of the ReLU's input, from that of its output."""
    read = layer.value(Family.RELU_INPUT)
    if layer.relu.passes_zero:
        return gradient.masked_fill(read < 0, 0.0)
    passed: Tensor = torch.ops.aten.threshold_backward(gradient, read, 0)
    return passed


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32)
