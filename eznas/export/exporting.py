"""Makes an artefact, checks it against the evaluator, and only then writes it."""

from __future__ import annotations

import importlib
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from eznas.backends import ToScalar
from eznas.errors import ConfigError, ExportError
from eznas.export.description import Description
from eznas.export.trials import Runner, check, make_trials
from eznas.files import write_whole
from eznas.program import AnyProgram
from eznas.statistics import Structure
from eznas.suggestion import quoted, with_nearest
from eznas.threads import one_torch_thread


class Format(StrEnum):
    """What a program can be exported as."""

    JSON = "json"
    PYTHON = "python"
    NUMBA = "numba"
    TORCHSCRIPT = "torchscript"
    TORCH_EXPORT = "torch-export"
    AOTI = "aoti"
    ONNX = "onnx"


@dataclass(frozen=True, slots=True)
class _Maker:
    suffix: str
    module: str
    """Imported when its format is asked for: some take seconds, or need packages that not everyone has."""
    function: str
    takes_some: bool = False
    """Whether an artefact may be made for some of the shapes only that the program has a shape on."""


_MAKERS: Final = MappingProxyType(
    {
        Format.JSON: _Maker(".json", "json_format", "make_json"),
        Format.PYTHON: _Maker(".py", "python_format", "make_python"),
        Format.NUMBA: _Maker(".py", "numba_format", "make_numba"),
        Format.TORCHSCRIPT: _Maker(".pt", "torchscript_format", "make_torchscript"),
        Format.TORCH_EXPORT: _Maker(".pt2", "torch_export_format", "make_torch_export", True),
        Format.AOTI: _Maker(".pt2", "torch_export_format", "make_aoti", True),
        Format.ONNX: _Maker(".onnx", "onnx_format", "make_onnx"),
    }
)


@dataclass(frozen=True, slots=True)
class Exported:
    """An artefact that was written.

    Attributes:
        path: Where it is.
        format: What it is.
        description: What it says about itself.
        layers: On how many random layers it gave what the evaluator gives.
        refused: How many random layers it does not take, though the program has a shape on them.
        size: Its bytes.
    """

    path: Path
    format: Format
    description: Description
    layers: int
    refused: int
    size: int


def suffix_of(format_name: str) -> str:
    """How the names of a format's files end.

    Raises:
        ConfigError: No such format.
    """
    return _MAKERS[parse_format(format_name)].suffix


def parse_format(name: str) -> Format:
    """The format of this name.

    Raises:
        ConfigError: No such format.
    """
    try:
        return Format(name)
    except ValueError:
        message = f"unknown format {quoted(name)}; expected one of {', '.join(Format)}"
        raise ConfigError(with_nearest(message, name, [str(each) for each in Format])) from None


def export(
    program: AnyProgram,
    path: Path | str,
    format_name: str = Format.PYTHON,
    *,
    structure: str = Structure.RCB,
    to_scalar: str = ToScalar.MEAN,
    orientation: int | None = None,
    seed: int = 0,
) -> Exported:
    """Write a program as a file that others can use without eznas.

    The artefact is made in a temporary folder and compared with the evaluator on random layers of several
    geometries, NaN and infinities among them. Only then it is written to its path, whole.

    Args:
        program: The program.
        path: The file to write; one that is there is replaced.
        format_name: One of `Format`.
        structure: The layers that it is for: `rcb` or `cbr`.
        to_scalar: How a layer's tensor becomes a number: `mean` or `l2`.
        orientation: 1 where higher scores mean higher accuracy, -1 where lower ones do, None if not known.
        seed: The seed of the random layers.

    Raises:
        ConfigError: An unknown format, structure, to_scalar or orientation.
        ExportError: The format cannot hold the program, a package or compiler is missing, the artefact
            disagrees with the evaluator, or the file cannot be written; nothing is written then.
    """
    chosen = parse_format(format_name)
    if structure not in list(Structure):
        raise ConfigError(f"unknown structure {structure!r}; expected one of {', '.join(Structure)}")
    if to_scalar not in list(ToScalar):
        raise ConfigError(f"unknown to_scalar {to_scalar!r}; expected one of {', '.join(ToScalar)}")
    description = Description(program, Structure(structure), ToScalar(to_scalar), orientation)
    target = Path(path)
    if not target.parent.is_dir():
        raise ExportError(f"expected a folder to write {target.name} into, {target.parent} is none")
    maker = _MAKERS[chosen]
    module = importlib.import_module(f"eznas.export.{maker.module}")
    with one_torch_thread(), tempfile.TemporaryDirectory(prefix="eznas-export-") as folder:
        trials = make_trials(description, seed)
        made = Path(folder) / f"proxy{maker.suffix}"
        run: Runner = getattr(module, maker.function)(description, made)
        checked = check(description, trials, run, may_refuse=maker.takes_some)
        content = made.read_bytes()
    try:
        write_whole(target, content)
    except OSError as error:
        raise ExportError(f"cannot write {target}: {error.strerror}") from None
    return Exported(target, chosen, description, checked.layers, checked.refused, len(content))
