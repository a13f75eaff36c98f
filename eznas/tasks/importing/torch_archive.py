"""Plain values from files that `torch.save` wrote, of either of its formats."""

from __future__ import annotations

import itertools
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import torch

from eznas.errors import TaskError
from eznas.tasks.unpickling import load_plain, load_plain_sequence

_MOST_BYTES: Final = 2**37
_MAGIC: Final = 0x1950A86A20F9469CFC6C
"""The first pickle of the format before torch 1.6; protocol, system, the object and storage keys follow."""
_CONTENT: Final = 3


def load_torch_archive(path: Path) -> Any:
    """The object in a file of `torch.save`; no code of the file is ever run.

    Plain values are read by the restricted unpickler, which is faster than torch's and also knows NumPy
    scalars; what it refuses, tensors above all, is left to `torch.load` with `weights_only`.

    Raises:
        TaskError: The file cannot be read, or holds what both refuse.
    """
    try:
        return _plain(path)
    except TaskError as refused:
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # torch raises what its readers of zip and pickle raise
            raise refused from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise TaskError(f"cannot read {path.name}: {error}") from error


def _plain(path: Path) -> Any:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            if len(pickles) != 1:
                raise TaskError(
                    f"{path.name} holds {len(pickles)} files data.pkl; expected one of torch.save"
                )
            with archive.open(pickles[0]) as file:
                return load_plain(cast(BinaryIO, file), path.name, most_bytes=_MOST_BYTES)
    with path.open("rb") as file:
        in_turn = load_plain_sequence(file, path.name, most_bytes=_MOST_BYTES)
        if next(in_turn) != _MAGIC:
            raise TaskError(f"{path.name} is no file of torch.save")
        following = list(itertools.islice(in_turn, _CONTENT))
        if len(following) < _CONTENT:
            raise TaskError(f"{path.name} is truncated; expected the object that torch.save wrote")
        return following[-1]
