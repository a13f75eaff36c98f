"""A proxy as a function of a model and a mini-batch, for architecture searches of other libraries."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import nn

from eznas import proxies
from eznas.errors import EznasError, ProxyError
from eznas.evaluator import score_model
from eznas.program import NAMED_PROGRAM_ORIENTATIONS, NAMED_PROGRAMS, AnyProgram, parse_program
from eznas.proxies import Proxy
from eznas.statistics import initialise


@dataclass(frozen=True, slots=True)
class ProxyFunction:
    """Scores any network that takes images: `function(model, inputs)` is a float, and a higher one is better.

    Example:
        `ProxyFunction("eznas-a")(model, images)`

    Attributes:
        proxy: a program, its text, or the name of a named program or of a proxy of `eznas.proxies`.
        orientation: 1 where higher scores mean higher accuracy, -1 where lower ones do; None takes what is
            known of a name, and 1 for any other program.
        structure: the layers that a program reads, `rcb` or `cbr`.
        to_scalar: how a layer's tensor becomes a number, `mean` or `l2`.
        seed: decides noise and perturbation, and the weights where they are drawn.
        initialise: whether weights are drawn as EZNAS does, before each score and for good; otherwise the
            model keeps those that it has and is left as it was.
        otherwise: the score of a network that has none, such as `-math.inf`; None raises the reason.

    Raises:
        EznasError: Nothing of this name, a text that is no program, or an orientation other than 1 and -1.
    """

    proxy: str | AnyProgram
    orientation: int | None = None
    structure: str = "rcb"
    to_scalar: str = "mean"
    seed: int = 0
    initialise: bool = False
    otherwise: float | None = None
    _formula: AnyProgram | Proxy = field(init=False, repr=False)
    _sign: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        formula, known = _found(self.proxy)
        sign = known if self.orientation is None else self.orientation
        if sign not in (1, -1):
            raise ProxyError(f"expected an orientation of 1 or -1, got {self.orientation!r}")
        object.__setattr__(self, "_formula", formula)
        object.__setattr__(self, "_sign", sign)

    def __call__(self, model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor | None = None) -> float:
        """The score of a network; higher is better.

        Args:
            model: Any network; a program reads its layers of convolution, batch norm and ReLU.
            inputs: (batch, channels, height, width), normalised images.
            targets: (batch,) the class of each input, for the proxies that need it.

        Raises:
            EznasError: The network has no score and `otherwise` is None; the message says why.
        """
        try:
            return self._sign * self._score(model, inputs, targets)
        except EznasError:
            if self.otherwise is None:
                raise
            return self.otherwise

    def _score(self, model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor | None) -> float:
        if self.initialise:
            initialise(model, self.seed)
        if not isinstance(self._formula, Proxy):
            return score_model(self._formula, model, inputs, self.structure, self.to_scalar, seed=self.seed)
        score = self._formula(model, inputs, targets, seed=self.seed)
        if not math.isfinite(score):
            raise ProxyError(f"the proxy {self._formula.name!r} gives {score} on this model")
        return score


def _found(proxy: str | AnyProgram) -> tuple[AnyProgram | Proxy, int]:
    """What is meant, and its orientation as far as it is known."""
    if not isinstance(proxy, str):
        return proxy, 1
    if proxy in NAMED_PROGRAMS:
        return NAMED_PROGRAMS[proxy], NAMED_PROGRAM_ORIENTATIONS[proxy]
    if proxy in proxies.names():
        found = proxies.get(proxy)
        return found, found.orientation
    return parse_program(proxy), 1
