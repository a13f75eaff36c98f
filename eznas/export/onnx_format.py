"""An ONNX model of a program over the statistics of one layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eznas.compile import Graph, infer_shapes
from eznas.compile.shape_inference import Rejection
from eznas.errors import ExportError
from eznas.export.description import Description
from eznas.export.layer_source import layer_graph
from eznas.export.torch_module import EXTRA_FILE
from eznas.export.trials import Array, Refusal, Runner, geometries
from eznas.terminals import TERMINALS

try:
    import onnx
    import onnxruntime

    from eznas.export.onnx_operations import OPERATIONS, Builder
except ModuleNotFoundError as missing:
    raise ExportError(
        f"onnx needs the packages onnx and onnxruntime, {missing.name} is missing: "
        "pip install 'eznas[export]'"
    ) from missing

OPSET: Final = 17
IR_VERSION: Final = 9
"""Of the year of opset 17 to 19, so that runtimes since 2023 load it."""

RESULT: Final = "layer_score"
_SIZES: Final = ("batch", "channels", "height", "width")


def make_onnx(description: Description, path: Path) -> Runner:
    """Write the model, and run it by onnxruntime."""
    path.write_bytes(onnx_model(description).SerializeToString())
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # It would leave out what only a shape is read of, and with it the refusal of shapes that do not fit.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(layer: Mapping[str, Array]) -> float:
        try:
            (number,) = session.run([RESULT], {name: layer[name] for name in description.program.terminals})
        except Exception as refusal:
            raise Refusal(str(refusal)) from refusal
        return float(number.item())

    return run


def onnx_model(description: Description) -> Any:
    """The model: one input a terminal, all sizes free, one number.

    Raises:
        ExportError: An operation that ONNX does not have.
    """
    graph = layer_graph(description.program, description.to_scalar)
    missing = sorted({node.name for node in graph.nodes if not node.is_terminal} - OPERATIONS.keys())
    if missing:
        raise ExportError(f"ONNX has no operation for {', '.join(missing)}, which {description.program} uses")
    dimensions = _dimensions(graph, description)
    builder = Builder()
    names: list[str] = []
    for node in graph.nodes:
        if node.is_terminal:
            names.append(node.name)
            continue
        arguments = [names[argument] for argument in node.arguments]
        names.append(
            OPERATIONS[node.name](builder, arguments, [dimensions[argument] for argument in node.arguments])
        )
    builder.nodes.append(onnx.helper.make_node("Identity", [names[graph.roots[0]]], [RESULT], RESULT))
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            builder.nodes,
            "proxy",
            [_input(name) for name in description.program.terminals],
            [onnx.helper.make_tensor_value_info(RESULT, onnx.TensorProto.FLOAT, [])],
            builder.constants,
            doc_string=str(description.program),
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="eznas",
        producer_version=description.fields()["eznas"],
    )
    onnx.helper.set_model_props(model, {EXTRA_FILE: description.to_json()})
    onnx.checker.check_model(model)
    return model


def _input(terminal: str) -> Any:
    family = TERMINALS[terminal].family
    sizes = [f"{family}_{size}" for size in _SIZES]
    return onnx.helper.make_tensor_value_info(terminal, onnx.TensorProto.FLOAT, sizes)


def _dimensions(graph: Graph, description: Description) -> list[int]:
    """For each node the number of dimensions, which is the same on every layer that it has a shape on."""
    for geometry in geometries(description.structure):
        shapes = infer_shapes(graph, geometry)
        if not any(isinstance(shape, Rejection) for shape in shapes):
            return [len(shape) for shape in shapes if not isinstance(shape, Rejection)]
    raise ExportError(f"{description.program} has a shape on none of the layers tried")
