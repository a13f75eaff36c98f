"""Collects the 22 statistics of a network: up to three forward and backward passes, no labels, no loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from eznas.errors import StatisticsError
from eznas.statistics.layers import Structure, parse_structure
from eznas.statistics.network import Array, NetworkStatistics
from eznas.statistics.passes import PassLayer, Request, run_pass
from eznas.statistics.preserving import preserved
from eznas.terminals import TERMINALS, Family, Input, Terminal

PERTURBATION: Final = 0.01**0.5
"""The standard deviation of the noise that is added to the data for input P."""

_Passes = Mapping[Input, Sequence[PassLayer]]


def collect_statistics(
    model: nn.Module,
    inputs: Tensor,
    terminals: Iterable[str] | None = None,
    structure: str = Structure.RCB,
    *,
    seed: int = 0,
) -> NetworkStatistics:
    """Collect the statistics of every layer of a network (EZNAS, section 3.1).

    Three inputs are used: D is `inputs`, N is drawn from a normal distribution, P is D plus a tenth of
    normal noise. For each one that the terminals need there is one forward pass in training mode and, if
    gradients are asked for, one backward pass of `logits.backward(ones_like(logits))`. The weights are used
    as they are; `initialise` draws them anew.

    - T1 is the input of the ReLU, T2 the input of the convolution (before its padding), T3 its weight, T4
      the output of the batch norm: all as they are in that moment, whatever is written over them later.
    - T1G is the gradient through this ReLU alone: the gradient of the ReLU's output where the ReLU lets it
      pass. T2G, T3G and T4G are the whole gradients of their tensors, summed over everything that reads
      them, even where one weight serves several layers. A tensor that does not reach the logits, or is
      cut off from them by `detach`, has gradient zero.
    - What ends on _P is a difference: perturbed minus data.

    A network may return a tuple: its logits are then the first tensor straight from a linear layer, so that
    (features, logits) and (logits, auxiliary logits) both work. The network, its gradients, buffers and
    flags and torch's random generators are left as they were. Dropout draws the same in every pass.

    Args:
        model: any network that takes a batch of images.
        inputs: the mini-batch of data, (batch, channels, height, width), floating point.
        terminals: the names to collect; None for all 22.
        structure: "rcb" for ReLU-Conv-BatchNorm layers, "cbr" for Conv-BatchNorm-ReLU layers.
        seed: the seed of noise, perturbation and dropout.

    Raises:
        StatisticsError: an unknown terminal or structure, inputs or outputs that cannot be used, or a
            network that takes different paths for the three inputs.
        NoLayersError: the network has no layer of this structure; the text says what was found.
    """
    wanted = _wanted(terminals)
    chosen = parse_structure(structure)
    _check_inputs(inputs)
    requests = _requests(wanted)
    with (
        torch.inference_mode(mode=False),
        torch.autocast(inputs.device.type, enabled=False),
        preserved(model),
    ):
        if not all(module.training for module in model.modules()):
            model.train()
        if any(Family.WEIGHT in request.gradients for request in requests.values()):
            _require_weight_gradients(model)
        drawn = _draw_inputs(inputs, seed)
        passes = {
            source: run_pass(model, drawn[source], chosen, request, seed)
            for source, request in requests.items()
        }
    return _assembled(passes, wanted)


def _wanted(terminals: Iterable[str] | None) -> tuple[Terminal, ...]:
    names = set(TERMINALS if terminals is None else terminals)
    unknown = sorted(names - TERMINALS.keys())
    if unknown:
        raise StatisticsError(f"unknown terminal {unknown[0]!r}; the terminals are {', '.join(TERMINALS)}")
    if not names:
        raise StatisticsError("expected at least one terminal to collect, got none")
    return tuple(terminal for name, terminal in TERMINALS.items() if name in names)


def _check_inputs(inputs: Tensor) -> None:
    expected = "expected inputs as a floating point tensor of (batch, channels, height, width)"
    if not isinstance(inputs, Tensor):
        raise StatisticsError(f"{expected}, got {type(inputs).__name__}")
    if inputs.dim() != 4 or inputs.numel() == 0 or not inputs.is_floating_point():
        raise StatisticsError(f"{expected}, got {inputs.dtype} of shape {tuple(inputs.shape)}")
    if not bool(torch.isfinite(inputs).all()):
        raise StatisticsError("expected finite inputs, got NaN or infinity among them")


def _requests(wanted: Sequence[Terminal]) -> dict[Input, Request]:
    """The passes that the terminals need, and what each has to give."""
    sources = {terminal.input for terminal in wanted} - {None}
    if Input.PERTURBED in sources or not sources:
        sources.add(Input.DATA)
    requests = {}
    for source in [each for each in Input if each in sources]:
        # A difference from the data needs the data's own tensor too.
        readers = {None, source, Input.PERTURBED} if source is Input.DATA else {None, source}
        here = [terminal for terminal in wanted if terminal.input in readers]
        requests[source] = Request(
            values=frozenset(terminal.family for terminal in here if not terminal.gradient),
            gradients=frozenset(terminal.family for terminal in here if terminal.gradient),
        )
    return requests


def _require_weight_gradients(model: nn.Module) -> None:
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.requires_grad_(True)


def _draw_inputs(inputs: Tensor, seed: int) -> dict[Input, Tensor]:
    # All are drawn, whichever are needed, so that a subset of the terminals gets the same numbers.
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(inputs.shape, generator=generator).to(inputs)
    perturbation = torch.randn(inputs.shape, generator=generator).to(inputs)
    data = inputs.detach().clone()
    return {
        Input.DATA: data,
        Input.NOISE: noise,
        Input.PERTURBED: data + PERTURBATION * perturbation,
    }


def _assembled(passes: _Passes, wanted: Sequence[Terminal]) -> NetworkStatistics:
    paths = {source: [layer.geometry for layer in layers] for source, layers in passes.items()}
    first = next(iter(passes))
    for source, geometries in paths.items():
        if geometries != paths[first]:
            raise StatisticsError(
                f"expected the same layers for every input; input {first} passes {len(paths[first])} layers, "
                f"input {source} {len(geometries)}, not all of the same shapes"
            )
    return NetworkStatistics.from_layers(
        [
            {terminal.name: _array(passes, first, index, terminal) for terminal in wanted}
            for index in range(len(paths[first]))
        ]
    )


def _array(passes: _Passes, first: Input, index: int, terminal: Terminal) -> Array:
    key = terminal.family, terminal.gradient
    tensor = passes[terminal.input or first][index].tensors[key]
    if terminal.input is Input.PERTURBED:
        tensor = tensor - passes[Input.DATA][index].tensors[key]
    array: Array = np.asarray(tensor)
    return array
