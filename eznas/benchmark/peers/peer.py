"""What a peer is: another way to compute one program on one layer, as users of that way would."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import metadata
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eznas.program import Program

Layer = Mapping[str, NDArray[np.float32]]
Run = Callable[[Any], float]
"""The mean of what a program gives on a layer that was loaded before."""


class Peer(ABC):
    """Computes one program on one layer at a time, on a given number of threads.

    Args:
        threads: How many threads the peer may use.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    """The package that it needs."""
    part: ClassVar[str] = "every program"
    """Which programs it can compute, in words."""
    compiles: ClassVar[bool] = True
    """Whether its first calls are dear."""
    geometries: ClassVar[int | None] = None
    """On how many geometries it can be measured within reason; None for all."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    @classmethod
    def version(cls) -> str | None:
        """The version of its package; None where that is not installed."""
        try:
            return metadata.version(cls.package)
        except metadata.PackageNotFoundError:
            return None

    def supports(self, program: Program) -> bool:  # noqa: ARG002 - most compute every program
        """Whether it can compute the program."""
        return True

    @abstractmethod
    def load(self, layer: Layer) -> Any:
        """A layer in the peer's own arrays; this is not timed."""

    @abstractmethod
    def compile(self, program: Program) -> Run:
        """A function of a loaded layer; its first calls may compile more."""

    def running(self) -> AbstractContextManager[object]:
        """Settings that hold while its functions run."""
        return nullcontext()
