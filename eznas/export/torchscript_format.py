"""A TorchScript archive, which Python and C++ load alike."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from eznas.export.description import Description
from eznas.export.torch_module import EXTRA_FILE, layer_module
from eznas.export.trials import Array, Refusal, Runner


def make_torchscript(description: Description, path: Path) -> Runner:
    """Script the program, save it, and run what is loaded."""
    module = layer_module(description, path.parent)
    with _deprecation_known():
        scripted = torch.jit.script(module.eval())
        torch.jit.save(scripted, str(path), _extra_files={EXTRA_FILE: description.to_json()})
        loaded = torch.jit.load(str(path))  # type: ignore[no-untyped-call]
    terminals = description.program.terminals

    def run(layer: Mapping[str, Array]) -> float:
        # The optimising executor would compile for each new set of shapes.
        with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            try:
                return float(loaded(*[torch.tensor(layer[name]) for name in terminals]))
            except (RuntimeError, IndexError) as refusal:
                raise Refusal(str(refusal)) from refusal

    return run


@contextmanager
def _deprecation_known() -> Iterator[None]:
    """Let torch 2.13 not say to those who asked for TorchScript that it is deprecated; `--help` says so."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", r"`torch\.jit\.(script|save|load)` is (deprecated|not supported)", DeprecationWarning
        )
        yield
