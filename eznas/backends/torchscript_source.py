"""TorchScript source for a graph of programs: one function from terminals to the programs' scalars.

The source knows the operations by name alone: whoever compiles it supplies them as `ops`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eznas.backends.backend import ToScalar
from eznas.compile import Graph

FUNCTION: Final = "layer_scalars"
"""The name of the generated function."""

# The one element of a tensor is its mean, as in `eager.to_number`: a sum may lose the sign of a zero.
_SCALAR_SOURCES: Final = {
    ToScalar.MEAN: """\
def to_scalar(a: Tensor) -> float:
    return float(a if a.numel() == 1 else ops.mean(a))
""",
    ToScalar.L2_NORM: """\
def to_scalar(a: Tensor) -> float:
    return float(ops.frobenius_norm(a))
""",
}


def torchscript_source(graph: Graph, to_scalar: ToScalar = ToScalar.MEAN) -> str:
    """The source that the `torchscript` backend compiles for these programs.

    Its function takes the tensors of `parameters_of(graph)` and returns one number a program; each subtree
    that occurs in any program is one line.

    Args:
        graph: The programs.
        to_scalar: How the tensor that a program gives becomes one number.
    """
    ends = set(graph.roots)
    parameters = ", ".join(f"{name}: Tensor" for name in parameters_of(graph))
    lines = [_SCALAR_SOURCES[to_scalar], f"def {FUNCTION}({parameters}) -> List[float]:"]
    for index, node in enumerate(graph.nodes):
        if not node.is_terminal:
            lines.append(f"    {_name(graph, index)} = ops.{node.name}({_listed(graph, node.arguments)})")
        if index in ends:
            # At once, not at the end: the tensor can be let go after it.
            lines.append(f"    {_name(graph, index)}_scalar = to_scalar({_name(graph, index)})")
    # The declaration gives a type to the empty list of no programs.
    lines.append(f"    scalars: List[float] = [{_listed(graph, graph.roots, '_scalar')}]")
    lines.append("    return scalars\n")
    return "\n".join(lines)


def parameters_of(graph: Graph) -> tuple[str, ...]:
    """The terminals that the generated function takes, in its order."""
    return tuple(node.name for node in graph.nodes if node.is_terminal)


def _listed(graph: Graph, indices: Iterable[int], suffix: str = "") -> str:
    return ", ".join(_name(graph, index) + suffix for index in indices)


def _name(graph: Graph, index: int) -> str:
    node = graph.nodes[index]
    return node.name if node.is_terminal else f"{node.name}_{index}"
