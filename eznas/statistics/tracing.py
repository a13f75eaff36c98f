"""Records a real forward pass: every ReLU, convolution and batch norm, and which wrote what it read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.overrides import TorchFunctionMode

from eznas.statistics.steps import BatchNorm, Concatenation, Convolution, Linear, Relu, Step, Trace
from eznas.terminals import Family

Arguments = tuple[Any, ...]
Keywords = Mapping[str, Any]

_TRANSPARENT: Final = (
    *("dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "alpha_dropout"),
    *("dropout_", "feature_dropout_", "alpha_dropout_", "feature_alpha_dropout", "feature_alpha_dropout_"),
    *("clone", "contiguous", "to"),
)
_RELUS: Final = (
    *("relu", "relu_", "threshold", "threshold_", "_threshold"),
    *("clamp", "clamp_", "clamp_min", "clamp_min_", "clip", "clip_"),
)
_OTHERS: Final[Mapping[str, str]] = {
    "celu": "CELU",
    "elu": "ELU",
    "gelu": "GELU",
    "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
    "hardtanh": "Hardtanh or ReLU6",
    "leaky_relu": "LeakyReLU",
    "mish": "Mish",
    "prelu": "PReLU",
    "relu6": "ReLU6",
    "rrelu": "RReLU",
    "selu": "SELU",
    "sigmoid": "sigmoid",
    "silu": "SiLU",
    "softplus": "Softplus",
    "tanh": "tanh",
    "group_norm": "GroupNorm",
    "instance_norm": "InstanceNorm",
    "layer_norm": "LayerNorm",
    "conv1d": "1-D convolution",
    "conv3d": "3-D convolution",
    "conv_transpose2d": "transposed convolution",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Written:
    """What a step wrote, or a part of it, kept alive so that no other tensor can take its place in memory."""

    tensor: Tensor
    version: int
    step: Step
    edge: GradientEdge | None


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """What a tensor held in one version; the tensor is kept alive as above."""

    tensor: Tensor
    version: int
    content: Tensor


class Tracer(TorchFunctionMode):
    """Records the steps of the forward pass that runs inside `with Tracer(...)`.

    It sees the functions that modules call, not the modules: a module that is called often, a functional
    `relu`, `relu_` or `clamp(min=0)` and fused modules written in Python are all seen. Scripted modules and
    `autograd.Function`s are not looked into. A tensor counts as written by a step until anything else
    writes into it; views of the whole tensor count as the tensor itself.

    Args:
        values: the families whose tensors are copied.
        gradients: the families whose gradients will be asked for; that of T1 needs a copy of T1 as well.
    """

    def __init__(self, values: frozenset[Family], gradients: frozenset[Family]) -> None:
        super().__init__()
        self.trace = Trace()
        self._gradients = gradients
        self._copied_families = values | (gradients & {Family.RELU_INPUT})
        self._written: dict[int, _Written] = {}
        self._copies: dict[int, _Copy] = {}
        self._unpadded: dict[int, tuple[Tensor, Tensor]] = {}
        self._parts: dict[int, _Written] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Arguments = (), kwargs: Keywords | None = None
    ) -> Any:
        del types
        name = getattr(func, "__name__", "")
        record = _RECORDERS.get(name)
        if record is None:
            return func(*args, **(kwargs or {}))
        return record(self, func, args, kwargs or {})

    def is_from_linear(self, tensor: Tensor) -> bool:
        """Whether a linear layer wrote this tensor."""
        written = self._writer(tensor)
        return written is not None and isinstance(written.step, Linear)

    def _relu(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        read = _argument(args, kwargs, 0, "input")
        name = func.__name__
        if not _is_relu(name, args, kwargs):
            return func(*args, **kwargs)
        source = self._source(read)
        value = self._copied(read, Family.RELU_INPUT)
        output = func(*args, **kwargs)
        edge = _edge(output)
        step = Relu(source, read.shape, value, passes_zero=name.startswith("cl"), edge=edge)
        self.trace.relus.append(step)
        self._write(output, step, edge)
        return output

    def _convolution(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        read = self._before_padding(_argument(args, kwargs, 0, "input"))
        weight = _argument(args, kwargs, 1, "weight")
        written = self._writer(read)
        step = Convolution(
            source=None if written is None else written.step,
            rectifier=self._rectifier(read),
            shape=read.shape,
            value=self._copied(read, Family.CONVOLUTION_INPUT),
            edge=written.edge if written is not None and read.requires_grad else _edge(read),
            weight=weight,
            weight_edge=_edge(weight) if Family.WEIGHT in self._gradients else None,
        )
        output = func(*args, **kwargs)
        self.trace.convolutions.append(step)
        self._write(output, step, _edge(output))
        return output

    def _concatenation(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        tensors = _argument(args, kwargs, 0, "tensors")
        output = func(*args, **kwargs)
        if output.dim() != 4:
            return output
        sources = [self._source(tensor) for tensor in tensors]
        first = sources[0]
        if (
            isinstance(first, Convolution)
            and isinstance(first.source, Relu)
            and all(isinstance(each, Convolution) and each.rectifier is first.source for each in sources)
            and _argument(args, kwargs, 1, "dim") in (1, -3)
        ):
            self._write(output, Concatenation(first), _edge(output))
        return output

    def _batch_norm(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        source = self._source(_argument(args, kwargs, 0, "input"))
        output = func(*args, **kwargs)
        edge = _edge(output)
        step = BatchNorm(source, output.shape, self._copied(output, Family.BATCH_NORM_OUTPUT), edge)
        self.trace.batch_norms.append(step)
        self._write(output, step, edge)
        return output

    def _linear(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        output = func(*args, **kwargs)
        self._write(output, Linear(), None)
        return output

    def _transparent(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        read = _argument(args, kwargs, 0, "input")
        source = self._source(read) if read.dim() == 4 else None
        output = func(*args, **kwargs)
        if source is not None:
            self._write(output, source, _edge(output))
        return output

    def _padding(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        output = func(*args, **kwargs)
        self._unpadded[output.data_ptr()] = (output, _argument(args, kwargs, 0, "input"))
        return output

    def _slicing(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        whole = args[0]
        output = func(*args, **kwargs)
        rectifier = self._rectifier(self._before_padding(whole)) if whole.dim() == 4 else None
        if rectifier is not None:
            self._parts[output.data_ptr()] = _Written(output, output._version, rectifier, None)
        return output

    def _other(self, func: Callable[..., Any], args: Arguments, kwargs: Keywords) -> Any:
        self.trace.others[_OTHERS[func.__name__.rstrip("_")]] += 1
        return func(*args, **kwargs)

    def _write(self, tensor: Tensor, step: Step, edge: GradientEdge | None) -> None:
        self._written[tensor.data_ptr()] = _Written(tensor, tensor._version, step, edge)

    def _writer(self, tensor: Tensor) -> _Written | None:
        return _entry(self._written, tensor)

    def _source(self, tensor: Tensor) -> Step | None:
        written = self._writer(tensor)
        return None if written is None else written.step

    def _rectifier(self, tensor: Tensor) -> Relu | None:
        """The ReLU that wrote this tensor, or the one that it is a part of, as long as it is."""
        found = self._writer(tensor) or _entry(self._parts, tensor)
        return found.step if found is not None and isinstance(found.step, Relu) else None

    def _before_padding(self, tensor: Tensor) -> Tensor:
        padded, unpadded = self._unpadded.get(tensor.data_ptr(), (None, tensor))
        return unpadded if padded is not None and _is_same(padded, tensor) else tensor

    def _copied(self, tensor: Tensor, family: Family) -> Tensor | None:
        if family not in self._copied_families:
            return None
        copy = self._copies.get(tensor.data_ptr())
        if copy is None or copy.version != tensor._version or not _is_same(copy.tensor, tensor):
            content = tensor.detach().clone(memory_format=torch.contiguous_format)
            copy = self._copies[tensor.data_ptr()] = _Copy(tensor, tensor._version, content)
        return copy.content


_RECORDERS: Final[Mapping[str, Callable[[Tracer, Callable[..., Any], Arguments, Keywords], Any]]] = {
    "__getitem__": Tracer._slicing,
    "batch_norm": Tracer._batch_norm,
    "conv2d": Tracer._convolution,
    "linear": Tracer._linear,
    "pad": Tracer._padding,
    **dict.fromkeys(("cat", "concat", "concatenate"), Tracer._concatenation),
    **dict.fromkeys(_TRANSPARENT, Tracer._transparent),
    **dict.fromkeys(_OTHERS, Tracer._other),
    **dict.fromkeys([f"{name}_" for name in _OTHERS], Tracer._other),
    **dict.fromkeys(_RELUS, Tracer._relu),
}


def _entry(table: Mapping[int, _Written], tensor: Tensor) -> _Written | None:
    """What is known of a tensor, as long as nothing else was written into it."""
    written = table.get(tensor.data_ptr())
    if written is None or written.version != tensor._version or not _is_same(written.tensor, tensor):
        return None
    return written


def _is_relu(name: str, args: Arguments, kwargs: Keywords) -> bool:
    if name.startswith("relu"):
        return True
    if "threshold" in name:
        return _is_zero(_argument(args, kwargs, 1, "threshold")) and _is_zero(
            _argument(args, kwargs, 2, "value")
        )
    return _is_zero(_argument(args, kwargs, 1, "min")) and _argument(args, kwargs, 2, "max") is None


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and value == 0


def _argument(args: Arguments, kwargs: Keywords, position: int, name: str) -> Any:
    return args[position] if position < len(args) else kwargs.get(name)


def _is_same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors that begin at one place in memory are the same elements in the same order."""
    return one is other or (one.shape == other.shape and one.stride() == other.stride())


def _edge(tensor: Tensor) -> GradientEdge | None:
    return get_gradient_edge(tensor) if tensor.requires_grad else None
