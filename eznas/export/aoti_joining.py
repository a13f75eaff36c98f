"""Operations that `aoti` computes as one, found in the graph that Inductor is about to lower."""

from __future__ import annotations

from typing import Any, Final, TypeGuard

import torch
from torch import Tensor
from torch.fx import Graph, Node

_ATEN: Final = torch.ops.aten


def log_of_sigmoid(a: Tensor) -> Tensor:
    """What stands in the graph for both operations, and what its lowering computes; see `aoti_formulas`."""
    result = torch.sigmoid(a)
    return torch.where(result <= 0, 0.0, torch.log(result))


def join_logs_of_sigmoids(graph: Graph) -> None:
    """Put `log_of_sigmoid` for the operation `log`, or `abs_log`, of a sigmoid that nothing else reads.

    Both are written in `templates.torch_batchable` as a choice between zero and a logarithm. A graph that
    says it otherwise stays as it is, which is right too, but slower.
    """
    for choice in graph.find_nodes(op="call_function", target=_ATEN.where.self):
        squashed = _sigmoid_of_choice(choice)
        if squashed is None:
            continue
        with graph.inserting_before(choice):
            joined = graph.call_function(log_of_sigmoid, squashed.args)
        joined.meta = dict(choice.meta)
        choice.replace_all_uses_with(joined)
        graph.erase_node(choice)
    graph.eliminate_dead_code()


def _sigmoid_of_choice(choice: Node) -> Node | None:
    is_zero, zero, logarithm = choice.args
    if not (_calls(zero, _ATEN.full.default) and zero.args[1] == 0 and _calls(logarithm, _ATEN.log.default)):
        return None
    size = logarithm.args[0]
    squashed = size.args[0] if _calls(size, _ATEN.abs.default) else size
    if not (_calls(is_zero, _ATEN.le.Scalar) or _calls(is_zero, _ATEN.eq.Scalar)):
        return None
    if not _calls(squashed, _ATEN.sigmoid.default) or is_zero.args != (squashed, 0):
        return None
    is_read_by_both_alone = set(squashed.users) == {is_zero, size if size is not squashed else logarithm}
    return squashed if is_read_by_both_alone and squashed.meta["val"].dtype == torch.float32 else None


def _calls(value: Any, function: Any) -> TypeGuard[Node]:
    return isinstance(value, Node) and value.target is function
