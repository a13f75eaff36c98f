"""EPE-NAS: how independently a network reacts to different inputs of one class."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from eznas.proxies.jacobian import correlation, input_jacobian
from eznas.proxies.proxy import Batch, Proxy

SHIFT: Final = 1e-5
"""What is added to the absolute correlations so that their logarithms stay finite."""

FEW_CLASSES: Final = 100
"""Up to so many classes the scores of the classes are added up; beyond, they are compared."""


def epe_nas(model: nn.Module, batch: Batch) -> float:
    """The score of the correlations, within each class, between the gradients of the inputs.

    The gradient is that of the sum of the logits. A gradient that is constant over an input has no
    correlation: the score is NaN then, as in the source.
    """
    jacobian = input_jacobian(model, batch)
    return class_score(jacobian.rows, batch.targets.cpu(), jacobian.classes)


def class_score(rows: Tensor, targets: Tensor, classes: int) -> float:
    """The score of gradients by class.

    The score of a class is the sum of log(abs(correlation) + k) over all pairs of its inputs, each with
    itself too; k is `SHIFT`. Up to 100 classes in the network the absolute scores of the classes in the batch
    are added up. With more, the score of a class is divided by the number of its inputs, classes of one input
    are left out, and the result is the sum of the absolute differences between the scores of all ordered
    pairs of classes, divided by the number of classes; NaN if none is left. All as the authors' code does.

    Args:
        rows: (batch, elements of an input), the gradients.
        targets: (batch,), the class of each.
        classes: how many classes the network tells apart.
    """
    few = classes <= FEW_CLASSES
    scores = []
    for label in torch.unique(targets):
        members = rows[targets == label]
        score = (correlation(members).abs() + SHIFT).log().sum()
        if few:
            scores.append(score.abs())
        elif len(members) > 1:
            scores.append(score / len(members))
    if not scores:
        return math.nan
    of_classes = torch.stack(scores)
    if few:
        return float(of_classes.sum())
    return float((of_classes - of_classes[:, None]).abs().sum() / len(of_classes))


EPE_NAS = Proxy(
    name="epe_nas",
    orientation=1,
    needs_targets=True,
    description="Logarithms of the correlations, within each class, between the gradients of the summed "
    "logits by each input, added up over the classes.",
    source="Lopes, Alirezazadeh and Alexandre, EPE-NAS: Efficient Performance Estimation Without Training "
    "for Neural Architecture Search, ICANN 2021; as in Krishnakumar et al., "
    "NAS-Bench-Suite-Zero, NeurIPS 2022",
    formula=epe_nas,
)
