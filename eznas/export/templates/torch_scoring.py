"""Finds the layers of a network by the flow of data, and collects their statistics, with torch alone.

Exported files hold the text of what is here, whole; only `TERMINALS`, `layer_score` and `find_layers` are
replaced, which have no meaning of their own. It says in less room what `eznas.statistics` does, and gives the
same layers and tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.overrides import TorchFunctionMode

TERMINALS: tuple[str, ...] = ()


def layer_score(**statistics: Tensor) -> Tensor:
    """The number that the program gives for one layer."""
    raise NotImplementedError


def score(model: nn.Module, inputs: Tensor, seed: int = 0) -> float:
    """The score of an untrained network: the mean over its layers of what the program gives for each.

    Args:
        model: any network for images; it is left as it was. `initialise` draws the weights to score it with.
        inputs: a mini-batch of normalised images, (batch, channels, height, width).
        seed: the seed of noise, perturbation and dropout.
    """
    layers = collect(model, inputs, seed)
    with torch.inference_mode():
        values = [float(layer_score(**layer)) for layer in layers]
    for index, value in enumerate(values):
        if not math.isfinite(value):
            raise ValueError(f"the program has no score on this network: it gives {value} for layer {index}")
    return sum(values) / len(values)


def collect(model: nn.Module, inputs: Tensor, seed: int = 0) -> list[dict[str, Tensor]]:
    """For each layer of a network the statistics that the program reads, by name.

    D is the data, N is noise, P is the data plus a tenth of noise; what ends on _P is the difference to D.
    """
    # Both are always drawn, in this order, so that every program sees the same noise for a seed.
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(inputs.shape, generator=generator).to(inputs)
    perturbation = torch.randn(inputs.shape, generator=generator).to(inputs)
    data = inputs.detach().clone()
    drawn = {"D": data, "N": noise, "P": data + 0.01**0.5 * perturbation}

    split = [name.partition("_")[::2] for name in TERMINALS]
    used = {source for _, source in split} - {""}
    sources = sorted(used | {"D"} if "P" in used or not used else used)
    passes = {}
    with torch.inference_mode(mode=False), torch.autocast(inputs.device.type, enabled=False), kept(model):
        model.train()
        if any(stem == "T3G" for stem, _ in split):
            for parameter in model.parameters():
                parameter.requires_grad_(parameter.is_floating_point())
        for source in sources:
            readers = {"", source, "P"} if source == "D" else {"", source}
            stems = {stem for stem, of in split if of in readers}
            passes[source] = run_pass(model, drawn[source], stems, seed)

    first = passes[sources[0]]
    shapes = [[tuple(layer["T3"].shape) for layer in layers] for layers in passes.values()]
    if any(each != shapes[0] for each in shapes):
        raise ValueError("the network takes different paths for data, noise and perturbed data")
    layers = []
    for index, layer in enumerate(first):
        tensors = {}
        for name, (stem, source) in zip(TERMINALS, split, strict=True):
            tensors[name] = passes[source][index][stem] if source else layer[stem]
            if source == "P":
                tensors[name] = tensors[name] - passes["D"][index][stem]
        layers.append(tensors)
    return layers


def run_pass(model: nn.Module, inputs: Tensor, stems: set[str], seed: int) -> list[dict[str, Tensor]]:
    """One forward pass, and a backward pass from the logits if gradients are read: tensors by layer."""
    backward = any(stem.endswith("G") for stem in stems)
    devices = [inputs.device] if inputs.device.type == "cuda" else []
    with torch.set_grad_enabled(backward), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        given = inputs.detach().requires_grad_(backward).clone()
        with Recorder(copied={stem[:2] for stem in stems if stem in ("T1", "T1G", "T2", "T4")}) as recorder:
            output = model(given)
        layers = find_layers(recorder.steps)
        if not layers:
            raise ValueError(f"no layer found: {len(recorder.steps)} ReLU, convolutions and batch norms ran")
        edges = {(index, stem): layer.edge(stem) for index, layer in enumerate(layers) for stem in stems}
        flowing = {key: edge for key, edge in edges.items() if edge is not None}
        gradients: dict[tuple[int, str], Tensor | None] = {}
        if backward:
            logits = find_logits(output, recorder)
            if flowing and logits.requires_grad:
                found = torch.autograd.grad([logits.sum()], [*flowing.values()], allow_unused=True)
                gradients = dict(zip(flowing, found, strict=True))
    return [
        {
            stem: layer.tensor(stem, gradients.get((index, stem))).to("cpu", torch.float32)
            for stem in stems | {"T3"}
        }
        for index, layer in enumerate(layers)
    ]


def find_logits(output: Any, recorder: Recorder) -> Tensor:
    """The logits: what the network returns, or of several tensors the first straight from a linear layer."""
    members = output if isinstance(output, tuple | list) else [output]
    tensors = [each for each in members if isinstance(each, Tensor) and each.is_floating_point()]
    if len(tensors) > 1:
        tensors = [each for each in tensors if getattr(recorder.writer(each), "kind", "") == "linear"]
    if not tensors:
        raise ValueError("the network returns no logits to start a backward pass from")
    return tensors[0]


class Step:
    """A ReLU, convolution, concatenation, batch norm or linear layer that ran in a forward pass."""

    def __init__(
        self,
        kind: str,
        source: Step | None = None,
        value: Tensor | None = None,
        edge: GradientEdge | None = None,
        shape: tuple[int, ...] = (),
    ) -> None:
        self.kind = kind
        self.source = source  # the step that wrote the tensor that this one read
        self.value = value  # a copy of T1 of a ReLU, T2 of a convolution, T4 of a batch norm
        self.edge = edge  # where the gradient of its output (of a convolution: of T2) is found
        self.shape = shape  # of the same tensor
        self.weight: Tensor | None = None
        self.rectifier: Step | None = None  # the ReLU whose output, or a part of it, a convolution read
        self.passes_zero = False  # whether a ReLU lets the gradient pass at 0, as that of clamp does


class Layer(NamedTuple):
    """The three steps of a layer."""

    relu: Step
    convolution: Step
    batch_norm: Step

    def edge(self, stem: str) -> GradientEdge | None:
        """Where a gradient is found (T1G: that of the ReLU's output); None if none flows."""
        if stem == "T3G":
            weight = self.convolution.weight
            return get_gradient_edge(weight) if weight is not None and weight.requires_grad else None
        steps = {"T1G": self.relu, "T2G": self.convolution, "T4G": self.batch_norm}
        return steps[stem].edge if stem in steps else None

    def tensor(self, stem: str, gradient: Tensor | None) -> Tensor:
        """A statistic; a gradient that does not reach the logits is zero."""
        steps = {"T1": self.relu, "T2": self.convolution, "T3": self.convolution, "T4": self.batch_norm}
        step = steps[stem[:2]]
        value = step.weight if stem[:2] == "T3" else step.value
        if stem[-1] != "G":
            assert value is not None
            return value.detach().clone()
        if gradient is None:
            return torch.zeros(step.shape if value is None else value.shape)
        if stem != "T1G" or value is None:
            return gradient.detach()
        # Through this ReLU alone: a skip connection around it adds nothing.
        blocked = value < 0 if self.relu.passes_zero else value <= 0
        return gradient.detach().masked_fill(blocked, 0.0)


def relu_conv_batch_norm_layers(steps: list[Step]) -> list[Layer]:
    """Every ReLU-Conv-BatchNorm; of two convolutions in a row, or side by side, the first counts."""
    layers = []
    for step in steps:
        if step.kind == "batch norm":
            convolution = convolution_read_by(step)
            before = convolution.source if convolution else None
            if before and before.kind == "convolution":
                convolution, before = before, before.source
            if convolution and before and before.kind == "relu":
                layers.append(Layer(before, convolution, step))
    return layers


def conv_batch_norm_relu_layers(steps: list[Step]) -> list[Layer]:
    """Every Conv-BatchNorm-ReLU; of convolutions side by side, the first counts."""
    layers = []
    for step in steps:
        if step.kind == "relu" and step.source and step.source.kind == "batch norm":
            convolution = convolution_read_by(step.source)
            if convolution:
                layers.append(Layer(step, convolution, step.source))
    return layers


def find_layers(steps: list[Step]) -> list[Layer]:
    """One of the two above, which takes its name."""
    raise NotImplementedError


def convolution_read_by(step: Step) -> Step | None:
    """The convolution whose output a batch norm read; of those concatenated, the first."""
    source = step.source
    if source and source.kind == "concatenation":
        source = source.source
    return source if source and source.kind == "convolution" else None


class Written(NamedTuple):
    """A tensor that a step wrote; it is kept alive, so that no other takes its place in memory."""

    tensor: Tensor
    version: int
    step: Step
    edge: GradientEdge | None


RELUS = (
    *("relu", "relu_", "threshold", "threshold_", "_threshold"),
    *("clamp", "clamp_", "clamp_min", "clamp_min_", "clip", "clip_"),
)
TRANSPARENT = (
    *("dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "alpha_dropout"),
    *("dropout_", "feature_dropout_", "alpha_dropout_", "feature_alpha_dropout", "feature_alpha_dropout_"),
    *("clone", "contiguous", "to"),
)


class Recorder(TorchFunctionMode):
    """Records the steps of a forward pass by the functions that modules call, whoever calls them.

    A tensor counts as written by a step until anything else writes into it.
    """

    def __init__(self, copied: set[str]) -> None:
        super().__init__()
        self.copied = copied
        self.steps: list[Step] = []
        self.written: dict[int, Written] = {}
        self.parts: dict[int, Written] = {}
        self.unpadded: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run a function of torch, and note what it did if it is one of the steps."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")

        def argument(position: int, keyword: str) -> Any:
            return args[position] if position < len(args) else kwargs.get(keyword)

        if name in RELUS and is_relu(name, argument):
            read = argument(0, "input")
            step = Step("relu", self.writer(read), self.copy("T1", read), None, tuple(read.shape))
            step.passes_zero = name.startswith("cl")
            return self.note(step, func(*args, **kwargs))
        if name == "conv2d":
            read = self.before_padding(argument(0, "input"))
            wrote = lookup(self.written, read)
            edge = wrote.edge if wrote and read.requires_grad else edge_of(read)
            source = wrote.step if wrote else None
            step = Step("convolution", source, self.copy("T2", read), edge, tuple(read.shape))
            step.weight, step.rectifier = argument(1, "weight"), self.rectifier(read)
            return self.note(step, func(*args, **kwargs))
        if name == "batch_norm":
            source = self.writer(argument(0, "input"))
            output = func(*args, **kwargs)
            return self.note(Step("batch norm", source, self.copy("T4", output)), output)
        if name in ("cat", "concat", "concatenate"):
            return self.concatenate(argument(0, "tensors"), argument(1, "dim"), func(*args, **kwargs))
        if name in TRANSPARENT:
            read = argument(0, "input")
            source = self.writer(read) if read.dim() == 4 else None
            output = func(*args, **kwargs)
            if source:
                self.write(source, output)
            return output
        output = func(*args, **kwargs)
        if name == "linear":
            self.write(Step("linear"), output)
        elif name == "pad":
            self.unpadded[output.data_ptr()] = (output, argument(0, "input"))
        elif name == "__getitem__":
            rectifier = self.rectifier(self.before_padding(args[0]))
            if rectifier:
                self.parts[output.data_ptr()] = Written(output, output._version, rectifier, None)
        return output

    def note(self, step: Step, output: Tensor) -> Tensor:
        """Add a step that wrote this output; but for convolutions, the gradient wanted is the output's."""
        if step.kind != "convolution":
            step.edge, step.shape = edge_of(output), tuple(output.shape)
        self.steps.append(step)
        return self.write(step, output)

    def write(self, step: Step, output: Tensor) -> Tensor:
        """Remember which step wrote a tensor."""
        self.written[output.data_ptr()] = Written(output, output._version, step, edge_of(output))
        return output

    def writer(self, tensor: Tensor) -> Step | None:
        """The step that wrote a tensor."""
        found = lookup(self.written, tensor)
        return found.step if found else None

    def rectifier(self, tensor: Tensor) -> Step | None:
        """The ReLU that wrote a tensor, or the one that it is a part of."""
        found = lookup(self.written, tensor) or lookup(self.parts, tensor)
        return found.step if found and found.step.kind == "relu" else None

    def before_padding(self, tensor: Tensor) -> Tensor:
        """The tensor that was padded to give this one, or the tensor itself."""
        padded, unpadded = self.unpadded.get(tensor.data_ptr(), (None, tensor))
        return unpadded if padded is not None and is_same(padded, tensor) else tensor

    def concatenate(self, tensors: Any, dimension: Any, output: Tensor) -> Tensor:
        """Convolutions of one ReLU's output, side by side, count as one that the first stands for."""
        steps = [self.writer(tensor) for tensor in tensors]
        first = steps[0]
        if first and first.kind == "convolution" and first.source and dimension in (1, -3):
            relu = first.source
            if relu.kind == "relu" and all(step and step.rectifier is relu for step in steps):
                self.write(Step("concatenation", first), output)
        return output

    def copy(self, family: str, tensor: Tensor) -> Tensor | None:
        """A copy, since a later step may write over the tensor; None unless the program reads the family."""
        wanted = family in self.copied
        return tensor.detach().clone(memory_format=torch.contiguous_format) if wanted else None


def lookup(table: dict[int, Written], tensor: Tensor) -> Written | None:
    """What is known of a tensor, as long as nothing else was written into it."""
    found = table.get(tensor.data_ptr())
    is_current = found and found.version == tensor._version and is_same(found.tensor, tensor)
    return found if is_current else None


def is_same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors at one place in memory are the same elements in the same order."""
    return one is other or (one.shape == other.shape and one.stride() == other.stride())


def is_relu(name: str, argument: Callable[[int, str], Any]) -> bool:
    """Whether a call of a ReLU, threshold or clamp is that of a ReLU."""

    def is_zero(value: Any) -> bool:
        return isinstance(value, int | float) and value == 0

    if name.startswith("relu"):
        return True
    if "threshold" in name:
        return is_zero(argument(1, "threshold")) and is_zero(argument(2, "value"))
    return is_zero(argument(1, "min")) and argument(2, "max") is None


def edge_of(tensor: Tensor) -> GradientEdge | None:
    """Where the gradient of a tensor will be found; None if none flows."""
    return get_gradient_edge(tensor) if tensor.requires_grad else None


@contextmanager
def kept(model: nn.Module) -> Iterator[None]:
    """Put buffers, training flags and `requires_grad` flags of a network back when the block ends."""
    training = [(module, module.training) for module in model.modules()]
    required = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    buffers = [
        (module._buffers, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for holder, name, buffer, content in buffers:
                buffer.copy_(content)
                holder[name] = buffer
        for parameter, flag in required:
            parameter.requires_grad_(flag)
        for module, flag in training:
            module.training = flag
