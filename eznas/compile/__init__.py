"""From programs to what a backend runs: one graph for a whole population, and the shapes in it."""

from eznas.compile.explain import TypedNode, explain_types
from eznas.compile.graph import Graph, Node, build_graph
from eznas.compile.shape_inference import Rejection, infer_shapes

__all__ = [
    "Graph",
    "Node",
    "Rejection",
    "TypedNode",
    "build_graph",
    "explain_types",
    "infer_shapes",
]
