"""Programs as plain functions of torch tensors: one call a node, nothing shared, nothing kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from eznas.ops import OPS
from eznas.program import Program

Tensors = Sequence[Tensor]


def tensor_function(program: Program, leaves: dict[str, Any]) -> Callable[[Any], Tensor]:
    """The program as nested functions of a loaded layer.

    Args:
        program: The program.
        leaves: For each terminal the key under which the layer holds its tensor.
    """
    waiting: list[Callable[[Any], Tensor]] = []
    for name in reversed(program.tokens):
        if name not in OPS:
            waiting.append(itemgetter(leaves[name]))
        elif OPS[name].arity == 1:
            waiting.append(_of_one(OPS[name].eager, waiting.pop()))
        else:
            waiting.append(_of_two(OPS[name].eager, waiting.pop(), waiting.pop()))
    return waiting.pop()


def _of_one(function: Callable[..., Tensor], a: Callable[[Any], Tensor]) -> Callable[[Any], Tensor]:
    return lambda layer: function(a(layer))


def _of_two(
    function: Callable[..., Tensor], a: Callable[[Any], Tensor], b: Callable[[Any], Tensor]
) -> Callable[[Any], Tensor]:
    return lambda layer: function(a(layer), b(layer))


def mean_number(value: Tensor) -> float:
    """The mean of a tensor, of one element without computing anything."""
    return value.item() if value.numel() == 1 else OPS["mean"].eager(value).item()


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Torch on so many threads, without gradients."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)
