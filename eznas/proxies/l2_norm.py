"""The norm of the weights."""

from __future__ import annotations

from torch import nn

from eznas.proxies.passes import weights
from eznas.proxies.proxy import Batch, Proxy


def l2_norm(model: nn.Module, _batch: Batch) -> float:
    """The sum over convolutions and linear layers of the L2 norm of their weight; needs no pass."""
    return sum(float(weight.detach().norm()) for weight in weights(model).values())


L2_NORM = Proxy(
    name="l2_norm",
    orientation=1,
    needs_targets=False,
    description="Sum over layers of the L2 norm of the weight.",
    source="Abdelfattah et al., ICLR 2021, as a baseline; Krishnakumar et al., NAS-Bench-Suite-Zero, "
    "NeurIPS 2022, table 1",
    formula=l2_norm,
)
