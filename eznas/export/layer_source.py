"""The function of a layer as straight-line torch source: one readable name for each result."""

from __future__ import annotations

from collections import Counter
from typing import Final

from eznas.backends import ToScalar
from eznas.compile import Graph, build_graph, fold_roots
from eznas.export.gathering import Name
from eznas.ops import OPS, OpKind
from eznas.program import AnyProgram, canonical_form

_NOUNS: Final = {
    "add": "total",
    "sub": "difference",
    "mul": "product",
    "matmul": "matrix_product",
    "less": "is_less",
    "greater": "is_greater",
    "equal": "is_equal",
    "log": "logarithm",
    "abs_log": "log_of_size",
    "abs": "size",
    "square": "squared",
    "exp": "exponential",
    "normalize": "normalized",
    "relu": "rectified",
    "sign": "signs",
    "heaviside": "steps",
    "reciprocal": "inverse",
    "frobenius_norm": "norm",
    "det": "determinant",
    "logdet": "log_determinant",
    "sym_eig_ratio": "symmetric_ratio",
    "eig_ratio": "ratio",
    "mean": "average",
    "l1_norm": "average_size",
    "hamming_distance": "distance",
    "kl_divergence": "divergence",
    "cosine_similarity": "similarity",
    "softmax": "shares",
    "sigmoid": "squashed",
    "ones_like": "ones",
    "zeros_like": "zeros",
    "greater_than_zero": "above_zero",
    "less_than_zero": "below_zero",
    "numel": "count",
}
"""What the result of each operation is called; no name of a function of torch or of an operation."""

_RATIOS: Final = ("eig_ratio", "sym_eig_ratio")


def layer_graph(program: AnyProgram, to_scalar: ToScalar) -> Graph:
    """The program in its canonical form, down to the one number that it gives for a layer.

    A mean of what is one number already is left out: it changes nothing.
    """
    graph = build_graph([canonical_form(program)])
    if to_scalar is ToScalar.MEAN and _numbers(graph)[graph.roots[0]]:
        return graph
    return fold_roots(graph, to_scalar.op)


def _numbers(graph: Graph) -> list[bool]:
    """For each node whether it has no dimensions, whatever the layer."""
    found: list[bool] = []
    for node in graph.nodes:
        op = OPS.get(node.name)
        folds = op is not None and (op.kind is OpKind.FOLD or op.name in _RATIOS) and op.name != "numel"
        keeps = op is not None and op.kind in (OpKind.MAP, OpKind.SCALE)
        found.append(folds or (keeps and all(found[argument] for argument in node.arguments)))
    return found


def variable_names(graph: Graph) -> list[str]:
    """A readable name for the result of each node: a noun, numbered from the second of a kind on."""
    met: Counter[str] = Counter()
    names = []
    for node in graph.nodes:
        if node.is_terminal:
            names.append(node.name)
            continue
        noun = _NOUNS[node.name]
        met[noun] += 1
        names.append(noun if met[noun] == 1 else f"{noun}_{met[noun]}")
    return names


def operations_used(graph: Graph) -> dict[str, Name]:
    """The eager function of each operation of a graph, by the operation."""
    functions = {node.name: OPS[node.name].eager for node in graph.nodes if not node.is_terminal}
    return {op: Name(function.__module__, function.__name__) for op, function in sorted(functions.items())}


def layer_lines(graph: Graph, functions: dict[str, str]) -> list[str]:
    """The statements that compute a graph of one program and return its number.

    Args:
        graph: The program; see `layer_graph`.
        functions: What the function of each operation is called.
    """
    names = variable_names(graph)
    lines = [
        f"{names[index]} = {functions[node.name]}({', '.join(names[each] for each in node.arguments)})"
        for index, node in enumerate(graph.nodes)
        if not node.is_terminal
    ]
    return [*lines, f"return {names[graph.roots[0]]}"]
