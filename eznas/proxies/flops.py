"""The number of multiply-adds."""

from __future__ import annotations

from torch import nn

from eznas.proxies.proxy import Batch, Proxy
from eznas.spaces.counting import count_flops


def flops(model: nn.Module, batch: Batch) -> float:
    """Multiply-adds of the convolutions and linear layers, with bias, for one image of the batch's shape."""
    return float(count_flops(model, (1, *batch.inputs.shape[1:])))


FLOPS = Proxy(
    name="flops",
    orientation=1,
    needs_targets=False,
    description="Number of multiply-adds of convolutions and linear layers for one image.",
    source="baseline of Ning et al., Evaluating Efficient Performance Estimators of Neural Architectures, "
    "NeurIPS 2021, and of Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022",
    formula=flops,
)
