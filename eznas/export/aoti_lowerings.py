"""What Inductor generates for some functions, while a package of `aoti` is made.

Uses parts of Inductor that torch does not promise to keep; written for torch 2.13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import torch
from torch._inductor.ir import Pointwise
from torch._inductor.lowering import lowerings, make_pointwise
from torch._inductor.virtualized import ops

from eznas.export import aoti_determinants, aoti_formulas
from eznas.export.aoti_joining import join_logs_of_sigmoids, log_of_sigmoid

_FORMULAS: Final = MappingProxyType(
    {
        torch.ops.aten.exp: aoti_formulas.exp,
        torch.ops.aten.log: aoti_formulas.log,
        torch.ops.aten.sigmoid: aoti_formulas.sigmoid,
    }
)

_MATRIX_FUNCTIONS: Final = MappingProxyType(
    {
        torch.ops.aten._linalg_det: aoti_determinants.det,
        torch.ops.aten._linalg_slogdet: aoti_determinants.slogdet,
    }
)

SETTINGS: Final = MappingProxyType(
    {"realize_opcount_threshold": 30, "post_grad_custom_post_pass": join_logs_of_sigmoids}
)
"""Settings of Inductor: from how many operations on, constants included, a result is kept for another loop;
and what happens to the graph before it is lowered.

30 is after each of the formulas: the processor looks ahead over few instructions, and finds others to do in
short chains only. A layer of 16x32x32 of eznas-b takes 32 µs so, and 37 with two formulas in a loop or all of
it; `mean(exp(sub(T1_D, sigmoid(T4_D))))` takes 17 to 19 and 21. Two vectors at a time, for which Inductor has
code, took 135 µs for eznas-b: there, bits change their type by way of memory.
"""


@contextmanager
def own_lowerings() -> Iterator[None]:
    """Let Inductor take own formulas and kernels for float32 numbers until the block ends."""
    replaced: dict[Any, Callable[[Any], Any]] = {
        **{function: _pointwise(formula) for function, formula in _FORMULAS.items()},
        **_MATRIX_FUNCTIONS,
    }
    changed: dict[Any, Any] = {}
    for function, lowering in replaced.items():
        # Inductor looks functions up by both.
        for key in (function, function.default):
            changed[key] = _of_float32(lowering, lowerings[function.default])
    changed[log_of_sigmoid] = _pointwise(aoti_formulas.log_of_sigmoid)
    before = {key: lowerings[key] for key in changed if key in lowerings}
    lowerings.update(changed)
    try:
        yield
    finally:
        for key in changed:
            del lowerings[key]
        lowerings.update(before)


def _pointwise(formula: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    pointwise = make_pointwise(partial(formula, ops))

    def lowered(argument: Any) -> Any:
        inner = getattr(argument.data, "data", None)
        # Inductor itself keeps only what is used twice.
        if isinstance(inner, Pointwise) and inner.has_large_inner_fn():
            argument.realize()
        return pointwise(argument)

    return lowered


def _of_float32(lowering: Callable[[Any], Any], otherwise: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda argument: (lowering if argument.get_dtype() == torch.float32 else otherwise)(argument)
