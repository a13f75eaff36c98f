"""The score of one program on one model, without store or evaluator."""

from __future__ import annotations

import torch
from torch import nn

from eznas.backends import ToScalar
from eznas.errors import EznasError
from eznas.evaluator.evaluator import Evaluator
from eznas.program import AnyProgram
from eznas.statistics import collect_statistics
from eznas.statistics.layers import Structure


def score_model(
    program: AnyProgram,
    model: nn.Module,
    inputs: torch.Tensor,
    structure: str = Structure.RCB,
    to_scalar: str = ToScalar.MEAN,
    *,
    seed: int = 0,
) -> float:
    """The score of one program on a model as it is; for the paper's weights see `eznas.initialise`.

    Args:
        program: The program; only the statistics that it reads are collected.
        model: Any module with at least one layer of the structure.
        inputs: A mini-batch of normalised images (B, C, H, W).
        structure: `rcb` or `cbr`.
        to_scalar: `mean` or `l2`.
        seed: The seed of noise and perturbation.

    Raises:
        NoLayersError: The model has no layer of the structure.
        EznasError: The program is invalid on this model; the message names layer and operation.
    """
    statistics = collect_statistics(
        model, inputs, terminals=program.terminals, structure=structure, seed=seed
    )
    scores = Evaluator([statistics], threads=1, memo_bytes=0, to_scalar=to_scalar).score([program])
    for failure in scores.failures:
        raise EznasError(f"{program} has no score on this model: layer {failure.layer}: {failure.message}")
    return float(scores.values[0, 0])
