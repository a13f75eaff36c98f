"""Layers, found by the flow of data: which ReLU, convolution and batch norm read what the other wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from torch import Tensor
from torch.autograd.graph import GradientEdge

from eznas.errors import NoLayersError, StatisticsError
from eznas.statistics.steps import BatchNorm, Concatenation, Convolution, Relu, Step, Trace
from eznas.terminals import Family, Geometry, Shape


class Structure(StrEnum):
    """Which three steps make a layer: ReLU-Conv-BatchNorm, or Conv-BatchNorm-ReLU."""

    RCB = "rcb"
    CBR = "cbr"

    @property
    def steps(self) -> str:
        """The steps in words, for messages."""
        return "ReLU-Conv-BatchNorm" if self is Structure.RCB else "Conv-BatchNorm-ReLU"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer met in a forward pass: the three steps that its statistics come from."""

    relu: Relu
    convolution: Convolution
    batch_norm: BatchNorm

    @property
    def geometry(self) -> Geometry:
        """The shapes of the layer's tensors."""
        t1, t2, t3, t4 = (self.shape(family) for family in Family)
        return Geometry(t1, t2, t3, t4)

    def shape(self, family: Family) -> Shape:
        """The shape of the tensor of this family."""
        shapes = {
            Family.RELU_INPUT: self.relu.shape,
            Family.CONVOLUTION_INPUT: self.convolution.shape,
            Family.WEIGHT: self.convolution.weight.shape,
            Family.BATCH_NORM_OUTPUT: self.batch_norm.shape,
        }
        return tuple(shapes[family])

    def value(self, family: Family) -> Tensor:
        """The tensor of this family; other than the weight, the pass has to have copied it."""
        if family is Family.WEIGHT:
            return self.convolution.weight.detach().clone()
        values = {
            Family.RELU_INPUT: self.relu.value,
            Family.CONVOLUTION_INPUT: self.convolution.value,
            Family.BATCH_NORM_OUTPUT: self.batch_norm.value,
        }
        value = values[family]
        if value is None:
            raise StatisticsError(f"expected a pass that copies the tensors of {family}")
        return value

    def edge(self, family: Family) -> GradientEdge | None:
        """Where the gradient of this family is found (T1: of the ReLU's output); None if none flows."""
        edges = {
            Family.RELU_INPUT: self.relu.edge,
            Family.CONVOLUTION_INPUT: self.convolution.edge,
            Family.WEIGHT: self.convolution.weight_edge,
            Family.BATCH_NORM_OUTPUT: self.batch_norm.edge,
        }
        return edges[family]


def parse_structure(text: str) -> Structure:
    """The structure of this name.

    Raises:
        StatisticsError: there is no such structure.
    """
    try:
        return Structure(text)
    except ValueError:
        raise StatisticsError(f"expected a structure of {', '.join(Structure)}; got {text!r}") from None


def find_layers(trace: Trace, structure: Structure) -> tuple[Layer, ...]:
    """The layers of a traced forward pass, in the order in which their last steps ran.

    A step belongs to a layer when it read the very tensor that the step before it wrote; dropout, copies and
    padding between them do not part them, anything else (pooling, addition) does. Two convolutions in a row
    behind a ReLU count as one, of which the first gives weight and input. So do convolutions side by side
    that read one ReLU's output, the first the whole of it and the others the whole or slices, if their own
    outputs are concatenated along the channels before the batch norm: the FactorizedReduce of DARTS. One
    step may be part of several layers: a ReLU that three convolutions read begins three layers.

    Raises:
        NoLayersError: no layer of this structure; the text counts what the pass did meet.
    """
    found = _relu_conv_batch_norm(trace) if structure is Structure.RCB else _conv_batch_norm_relu(trace)
    if not found:
        raise NoLayersError(_nothing_found(trace, structure))
    return tuple(found)


def _relu_conv_batch_norm(trace: Trace) -> Sequence[Layer]:
    layers = []
    for batch_norm in trace.batch_norms:
        convolution = _read_by(batch_norm)
        if isinstance(convolution, Convolution) and isinstance(convolution.source, Convolution):
            convolution = convolution.source
        if isinstance(convolution, Convolution) and isinstance(convolution.source, Relu):
            layers.append(Layer(convolution.source, convolution, batch_norm))
    return layers


def _conv_batch_norm_relu(trace: Trace) -> Sequence[Layer]:
    layers = []
    for relu in trace.relus:
        batch_norm = relu.source
        if isinstance(batch_norm, BatchNorm) and isinstance(step := _read_by(batch_norm), Convolution):
            layers.append(Layer(relu, step, batch_norm))
    return layers


def _read_by(batch_norm: BatchNorm) -> Step | None:
    """The step whose output the batch norm read; of convolutions side by side, the first."""
    step = batch_norm.source
    return step.first if isinstance(step, Concatenation) else step


def _nothing_found(trace: Trace, structure: Structure) -> str:
    counts = [
        (len(trace.convolutions), "convolution", "convolutions"),
        (len(trace.batch_norms), "batch norm", "batch norms"),
        (len(trace.relus), "ReLU", "ReLU"),
    ]
    counts += [(count, name, name) for name, count in trace.others.items()]
    met = ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts)
    text = f"expected at least one {structure.steps} layer; found {met}"
    if trace.convolutions and trace.batch_norms and trace.relus:
        text += ", but none that read one another's output in this order"
    return text
