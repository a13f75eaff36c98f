"""The number of parameters."""

from __future__ import annotations

from torch import nn

from eznas.proxies.proxy import Batch, Proxy
from eznas.spaces.counting import count_parameters


def params(model: nn.Module, _batch: Batch) -> float:
    """The number of parameters, frozen ones too, since a proxy meets them all as trainable."""
    return float(count_parameters(model))


PARAMS = Proxy(
    name="params",
    orientation=1,
    needs_targets=False,
    description="Number of parameters.",
    source="baseline of Ning et al., Evaluating Efficient Performance Estimators of Neural Architectures, "
    "NeurIPS 2021, and of Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022",
    formula=params,
)
