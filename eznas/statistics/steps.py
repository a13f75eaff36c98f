"""The steps of a forward pass that layers are made of, and the record of a whole pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from torch import Size, Tensor
from torch.autograd.graph import GradientEdge


@dataclass(frozen=True, slots=True, eq=False)
class Relu:
    """One call of ReLU.

    Attributes:
        source: the step that wrote the tensor read here; None for anything that is not a step.
        shape: the shape of input and output.
        value: a copy of the input, taken before an in-place ReLU writes over it; None unless wanted.
        passes_zero: whether the gradient passes where the input is 0, as that of clamp does.
        edge: where the gradient of the output is found; None if none flows.
    """

    source: Step | None
    shape: Size
    value: Tensor | None
    passes_zero: bool
    edge: GradientEdge | None


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """One call of a two-dimensional convolution; `shape`, `value` and `edge` are those of its input.

    Attributes:
        source: the step that wrote the tensor read here; None for anything that is not a step.
        rectifier: the ReLU whose output, or a part of it, is read here; None for anything else.
    """

    source: Step | None
    rectifier: Relu | None
    shape: Size
    value: Tensor | None
    edge: GradientEdge | None
    weight: Tensor
    weight_edge: GradientEdge | None


@dataclass(frozen=True, slots=True, eq=False)
class BatchNorm:
    """One call of a batch norm; `shape`, `value` and `edge` are those of its output."""

    source: Step | None
    shape: Size
    value: Tensor | None
    edge: GradientEdge | None


@dataclass(frozen=True, slots=True, eq=False)
class Concatenation:
    """One concatenation, along the channels, of convolutions that all read one ReLU's output or parts of it.

    Attributes:
        first: the first of them, which reads the whole.
    """

    first: Convolution


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """One call of a linear layer, which tells logits from features."""


Step = Relu | Convolution | Concatenation | BatchNorm | Linear


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps of one forward pass, in the order in which they ran.

    Attributes:
        others: how often other activations, normalizations and convolutions ran, by name.
    """

    relus: list[Relu] = field(default_factory=list)
    convolutions: list[Convolution] = field(default_factory=list)
    batch_norms: list[BatchNorm] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
