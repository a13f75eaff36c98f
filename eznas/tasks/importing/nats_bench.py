"""NATS-Bench: the folder of its release, with a file for each architecture, or its single file."""

from __future__ import annotations

import bz2
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from eznas import spaces
from eznas.errors import TaskError
from eznas.processes import in_processes
from eznas.tasks.importing.nats_states import Selected, full_split, select
from eznas.tasks.importing.records import Records, gathered
from eznas.tasks.importing.request import Progress, Request, missing_key
from eznas.tasks.unpickling import load_plain
from eznas.threads import available_processors

BENCHMARK: Final = "nats-bench"

_FILE: Final = re.compile(r"\d{6}\.pickle\.pbz2")
_SPACES: Final = ("nats-tss", "nats-sss")
_BATCH: Final = 32
_FEW_FILES: Final = 128
"""So many files are read sooner in this process than others have started."""

_MOST_BYTES_OF_FILE: Final = 2**26
_MOST_BYTES_OF_RELEASE: Final = 2**37


def read_nats_bench(path: Path, request: Request, progress: Progress) -> Records:
    """The accuracies of `NATS-tss-v1_0-3ffb9-simple`, `NATS-sss-v1_0-50262-simple` or their single files.

    Any part of a folder's files will do. The single file is read into memory as a whole, which takes many
    times its size; the folder needs hardly any.

    Raises:
        TaskError: A file cannot be read, is not in the layout, or has no accuracy of this key.
    """
    request.needed_epochs(BENCHMARK)
    if path.is_dir():
        return of_selected(BENCHMARK, path.name, request, _from_folder(path, request, progress))
    with opened(path) as file:
        release = load_plain(file, path.name, most_bytes=_MOST_BYTES_OF_RELEASE)
    return of_selected(BENCHMARK, path.name, request, from_release(release, request, path.name, progress))


def opened(path: Path) -> BinaryIO:
    """A file, decompressed where it is compressed by bzip2.

    Raises:
        TaskError: It cannot be opened.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(3) == b"BZh"
        return cast(BinaryIO, bz2.open(path)) if compressed else path.open("rb")
    except OSError as error:
        raise TaskError(f"cannot read {path}: {error}") from error


def _from_folder(folder: Path, request: Request, progress: Progress) -> Iterator[Selected]:
    paths = sorted(path for path in folder.iterdir() if _FILE.fullmatch(path.name))
    if not paths:
        raise TaskError(f"{folder} holds no file such as 000000.pickle.pbz2; expected a folder of NATS-Bench")
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    processes = 1 if len(paths) <= _FEW_FILES else request.processes or available_processors()
    done = 0
    progress(done, len(paths))
    with closing(in_processes(partial(_read_batch, request), batches, processes)) as outcomes:
        for batch, selected in outcomes:
            yield from selected
            done += len(batch)
            progress(done, len(paths))


def _read_batch(request: Request, paths: Sequence[Path]) -> list[Selected]:
    return [_read_file(path, request) for path in paths]


def _read_file(path: Path, request: Request) -> Selected:
    with opened(path) as file:
        states = load_plain(file, path.name, most_bytes=_MOST_BYTES_OF_FILE)
    selected = select(states, request, path.name)
    if selected.index != int(path.name[:6]):
        raise TaskError(f"{path.name} holds the architecture {selected.index}; was it renamed?")
    return selected


def from_release(
    release: Any,
    request: Request,
    what: str,
    progress: Progress,
    renamed: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda states: states,
) -> Iterator[Selected]:
    """The architectures of a single file, whose entry `arch2infos` holds the states of each.

    Raises:
        TaskError: The file is not in this layout.
    """
    states_of = release.get("arch2infos") if isinstance(release, dict) else None
    if not isinstance(states_of, dict):
        raise TaskError(
            f"{what} has no entry 'arch2infos' with architectures; expected a single-file release"
        )
    for done, states in enumerate(states_of.values(), start=1):
        yield select(renamed(states) if isinstance(states, dict) else states, request, what)
        progress(done, len(states_of))


def of_selected(benchmark: str, source: str, request: Request, every: Iterable[Selected]) -> Records:
    """The records of the architectures that were read, in the order of the benchmark's index.

    Raises:
        TaskError: None has an accuracy of the key, or an architecture does not stand at its index.
    """
    ordered = sorted(every, key=lambda selected: selected.index)
    key = request.key(full_split(request.data_set, request.split))
    if not any(selected.measured.accuracies for selected in ordered):
        present = frozenset[Any]().union(*(selected.present for selected in ordered))
        raise missing_key(source, key, present)
    space, total = _space_of(ordered, source)
    notes = [f"{len(ordered):,} of the {total:,} architectures of {space} are there"]
    return gathered(benchmark, source, space, key, (selected.measured for selected in ordered), notes)


def _space_of(ordered: Sequence[Selected], source: str) -> tuple[str, int]:
    """The space whose architectures stand at these indices, and how many it has."""
    for name in _SPACES:
        architectures = spaces.get(name).architectures()
        numbered = dict(enumerate(architectures))
        if all(numbered.get(each.index) == each.measured.architecture for each in ordered):
            return name, len(architectures)
    first = ordered[0]
    raise TaskError(
        f"{source}: expected the order of {' or '.join(_SPACES)}, got architectures at other indices, "
        f"such as {first.measured.architecture!r} at {first.index}"
    )
