"""Archives of torch.export, and packages that its ahead-of-time compiler (AOTInductor) makes from them."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from eznas.errors import ExportError
from eznas.export.description import Description
from eznas.export.torch_module import EXTRA_FILE, StackedLayers, layer_module
from eznas.export.trials import Array, Refusal, Runner
from eznas.statistics import geometry_of_convolution
from eznas.terminals import Geometry

_CONVOLUTIONS: Final = (
    # channels in and out, kernel, stride, groups, side, batch: from sizes that all differ to sizes alike,
    # since the compiler takes for equal, or for constants, what must be so for the program to have a shape
    (4, 6, 3, 2, 1, 15, 2),
    (4, 6, 3, 1, 1, 9, 2),
    (6, 6, 3, 1, 1, 9, 2),
    (8, 8, 3, 1, 1, 8, 2),
    (16, 16, 3, 1, 1, 32, 1),
    (32, 32, 3, 1, 1, 16, 1),
    (64, 64, 1, 1, 1, 8, 1),
    (6, 6, 3, 1, 6, 7, 3),
    (5, 5, 5, 1, 1, 5, 5),
    (1, 1, 1, 1, 1, 1, 1),
)

_STACKED: Final = 11
"""Layers in the call that is traced for `aoti`; no size of the layers above, so that none is taken for it."""

_CALL: Final = {
    "takes": "each statistic of several layers of one shape, stacked along a new first dimension",
    "gives": "the number of each layer, float64, shape (layers,)",
    "layers": "any number",
}
"""The field `call` of the description of an `aoti` package."""


def make_torch_export(description: Description, path: Path) -> Runner:
    """Export the program with as many dynamic sizes as it allows, save it, and run what is loaded."""
    exported = _exported(description, path.parent)
    with _quiet():
        torch.export.save(exported, str(path), extra_files={EXTRA_FILE: description.to_json()})
        loaded = torch.export.load(str(path)).module()

    def run(layer: Mapping[str, Array]) -> float:
        return float(_called(loaded, _tensors(description, layer)))

    return run


def make_aoti(description: Description, path: Path) -> Runner:
    """Compile the program over stacked layers with the C++ compiler of this machine, and run the package.

    What it takes has five dimensions, layers first, and it gives a number for each layer: a call by itself
    costs as much as computing several layers.

    Raises:
        ExportError: There is no compiler, it fails, or the number of layers would be fixed.
    """
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(compiler) is None:
        raise ExportError(f"aoti needs a C++ compiler, {compiler!r} is not found; set CXX to one")
    from torch._inductor import aoti_compile_and_package, aoti_load_package
    from torch._inductor.utils import fresh_cache

    try:
        from eznas.export.aoti_lowerings import SETTINGS, own_lowerings
    except ImportError as error:
        raise ExportError(
            f"aoti needs the compiler of torch 2.13, torch {torch.__version__} has another: {error}"
        ) from error
    exported = exported_over_layers(description, path.parent)
    fields = description.fields() | {"call": _CALL}
    settings = {**SETTINGS, "aot_inductor.metadata": {EXTRA_FILE: json.dumps(fields)}}
    with _quiet(), fresh_cache(dir=str(path.parent)):
        try:
            with own_lowerings():
                aoti_compile_and_package(exported, package_path=str(path), inductor_configs=settings)
            compiled = aoti_load_package(str(path))
        except Exception as error:
            raise ExportError(f"aoti cannot compile {description.program}: {_first_line(error)}") from error
    return over_layers_runner(description, exported.module(), compiled)


def exported_over_layers(description: Description, folder: Path) -> ExportedProgram:
    """The program over stacked layers, of which the number is free.

    Raises:
        ExportError: torch.export cannot hold it, or fixes the number of layers.
    """
    module = layer_module(description, folder, is_batchable=True)
    samples = tuple(torch.stack([sample] * _STACKED) for sample in _samples(module, description))
    exported = _traced(description, StackedLayers(module), samples)
    values = [node.meta["val"] for node in exported.graph.find_nodes(op="placeholder")]
    if any(isinstance(value.shape[0], int) for value in values):
        raise ExportError(f"torch.export fixes the number of layers of {description.program}")
    # They check what is so by construction, and torch 2.13 cannot compile them of free sizes under vmap.
    for node in exported.graph.find_nodes(
        op="call_function", target=torch.ops.aten._assert_tensor_metadata.default
    ):
        exported.graph.erase_node(node)
    exported.graph_module.recompile()
    return exported


def over_layers_runner(description: Description, guarded: Any, compiled: Any) -> Runner:
    """Runs a package on a layer alone, and every second time on the layer after two others.

    Args:
        description: The program.
        guarded: What the package was made from, which looks at shapes; the package does not.
        compiled: The package.
    """
    before = cycle((2, 0))

    def run(layer: Mapping[str, Array]) -> float:
        count = next(before)
        tensors = [torch.stack([*([1 - tensor] * count), tensor]) for tensor in _tensors(description, layer)]
        _called(guarded, tensors)
        return float(_called(compiled, tensors)[-1])

    return run


def _exported(description: Description, folder: Path) -> ExportedProgram:
    module = layer_module(description, folder)
    return _traced(description, module, _samples(module, description))


def _traced(
    description: Description, module: torch.nn.Module, samples: tuple[Tensor, ...]
) -> ExportedProgram:
    sizes = tuple(dict.fromkeys(range(sample.dim()), Dim.AUTO) for sample in samples)
    # The parameters of the module over layers are one tuple.
    dynamic = (sizes,) if isinstance(module, StackedLayers) else sizes
    with _quiet(), torch.no_grad():
        try:
            return torch.export.export(module, samples, dynamic_shapes=dynamic, strict=False)
        except Exception as error:
            raise ExportError(
                f"torch.export cannot hold {description.program}: {_first_line(error)}"
            ) from error


def _samples(module: torch.nn.Module, description: Description) -> tuple[Tensor, ...]:
    """Statistics of the first of the layers on which the program has a shape."""
    generator = np.random.default_rng(0)
    for sizes in _CONVOLUTIONS:
        geometry = geometry_of_convolution(*sizes, description.structure)
        samples = tuple(
            torch.from_numpy(generator.standard_normal(_shape(geometry, name), np.float32))
            for name in description.program.terminals
        )
        try:
            with torch.no_grad():
                module(*samples)
        except (RuntimeError, IndexError):
            continue
        return samples
    raise ExportError(f"{description.program} has a shape on none of the layers tried")


def _shape(geometry: Geometry, terminal: str) -> tuple[int, ...]:
    shape = geometry.shape(terminal)
    assert shape is not None  # a convolution has all four families
    return shape


def _tensors(description: Description, layer: Mapping[str, Array]) -> list[Tensor]:
    return [torch.tensor(layer[name]) for name in description.program.terminals]


def _called(function: Any, tensors: list[Tensor]) -> Tensor:
    with torch.no_grad():
        try:
            result: Tensor = function(*tensors)
        # Guards are asserts; operations that refuse shapes raise the others.
        except (AssertionError, RuntimeError, IndexError, ValueError) as refusal:
            raise Refusal(_first_line(refusal)) from refusal
    return result


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings of torch about its own code from those who export: they can do nothing about them."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
