"""From programs to what a backend runs: one graph for a whole population, and the shapes in it."""

from eznas.compile.explain import TypedInstruction, TypedNode, explain_instructions, explain_types
from eznas.compile.graph import Graph, Node, build_graph, fold_roots
from eznas.compile.shape_columns import GrowingTable, ShapeColumn, ShapeTable
from eznas.compile.shape_inference import Rejection, infer_shapes
from eznas.compile.simplification import KEEP_SIGNS, READS_SHAPE_ONLY, SIGNS, STEPS, simplify

__all__ = [
    "KEEP_SIGNS",
    "READS_SHAPE_ONLY",
    "SIGNS",
    "STEPS",
    "Graph",
    "GrowingTable",
    "Node",
    "Rejection",
    "ShapeColumn",
    "ShapeTable",
    "TypedInstruction",
    "TypedNode",
    "build_graph",
    "explain_instructions",
    "explain_types",
    "fold_roots",
    "infer_shapes",
    "simplify",
]
