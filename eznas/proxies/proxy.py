"""What a proxy is: a formula over an untrained network, its direction and its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eznas.errors import ProxyError
from eznas.statistics.preserving import preserved, seeded


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a proxy is given beside the network.

    Attributes:
        inputs: (batch, channels, height, width), floating point.
        targets: (batch,), the class of each input; empty where the proxy needs none and got none.
        seed: the seed of what the proxy draws itself.
    """

    inputs: Tensor
    targets: Tensor
    seed: int


Formula = Callable[[nn.Module, Batch], float]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A zero-cost proxy of the literature.

    Attributes:
        name: what it is asked for by.
        orientation: 1 where its source takes a higher score for the better network, -1 for a lower one.
        needs_targets: whether the classes of the inputs enter the score.
        description: what it measures, in one sentence.
        source: the publication that defines it.
        formula: computes the score of a network in training mode, all of whose parameters require
            gradients; it writes into no parameter.
    """

    name: str
    orientation: int
    needs_targets: bool
    description: str
    source: str
    formula: Formula

    def __call__(
        self, model: nn.Module, inputs: Tensor, targets: Tensor | None = None, *, seed: int = 0
    ) -> float:
        """The score of a network on one mini-batch; NaN or infinite where the formula is not defined.

        The network is run in training mode with the weights that it has. It is left as it was: parameters,
        buffers, gradients, hooks, flags of training and of gradients; so are the inputs and torch's random
        generators.

        Args:
            model: any network that takes a batch of images.
            inputs: (batch, channels, height, width), floating point, on the device of the network.
            targets: (batch,), the class of each input; may be left out where `needs_targets` is False.
            seed: the seed of everything random: noise that the proxy draws, dropout.

        Raises:
            ProxyError: Inputs or targets of the wrong kind, or a network without what the proxy reads.
        """
        _check_inputs(inputs)
        classes = self._checked_targets(inputs, targets)
        with (
            torch.inference_mode(mode=False),
            torch.autocast(inputs.device.type, enabled=False),
            preserved(model),
            seeded(seed, inputs.device),
            torch.enable_grad(),
        ):
            if not all(module.training for module in model.modules()):
                model.train()
            for parameter in model.parameters():
                if parameter.is_floating_point():
                    parameter.requires_grad_(True)
            # Clones, since a tensor made in inference mode takes no part in a backward pass.
            return self.formula(model, Batch(inputs.detach().clone(), classes.clone(), seed))

    def _checked_targets(self, inputs: Tensor, targets: Tensor | None) -> Tensor:
        if targets is None or not self.needs_targets:
            if self.needs_targets:
                raise ProxyError(f"the proxy {self.name!r} needs the classes of the inputs, got no targets")
            return torch.empty(0, dtype=torch.int64)
        whole = not (targets.is_floating_point() or targets.is_complex() or targets.dtype is torch.bool)
        if targets.shape != inputs.shape[:1] or not whole:
            raise ProxyError(
                f"expected targets as whole numbers of shape ({len(inputs)},), one class for each input; "
                f"got {targets.dtype} of shape {tuple(targets.shape)}"
            )
        return targets.detach().to(inputs.device, torch.int64)


def _check_inputs(inputs: Tensor) -> None:
    expected = "expected inputs as a floating point tensor of (batch, channels, height, width)"
    if not isinstance(inputs, Tensor):
        raise ProxyError(f"{expected}, got {type(inputs).__name__}")
    if inputs.dim() != 4 or inputs.numel() == 0 or not inputs.is_floating_point():
        raise ProxyError(f"{expected}, got {inputs.dtype} of shape {tuple(inputs.shape)}")
    if not bool(torch.isfinite(inputs).all()):
        raise ProxyError("expected finite inputs, got NaN or infinity among them")
