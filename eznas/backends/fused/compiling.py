"""Compiling generated kernels, and keeping them on the disk beside the library's."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from eznas.backends.fused.source import FUNCTION, kernel_source
from eznas.files import write_whole
from eznas.plan import Expression
from eznas_kernels.cache import cache_folder
from eznas_kernels.calling import address_of

MAXIMUM_KERNELS: Final = 64
"""How many generated kernels a process holds; Numba never frees code, about 1 MB each."""


@dataclass
class GeneratedKernels:
    """The generated kernels of this process; their number is bounded."""

    addresses: dict[Expression, int] = field(default_factory=dict)
    seconds: float = 0.0
    """The time that compiling took, or loading what was compiled before."""
    _kernels: list[Any] = field(default_factory=list)
    """Held, so that their code stays."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def address(self, expression: Expression) -> int | None:
        """The address of the kernel of an expression, compiled if need be; None where there are too many."""
        with self._lock:
            if expression not in self.addresses:
                if len(self.addresses) >= MAXIMUM_KERNELS:
                    return None
                begin = perf_counter()
                kernel = _compiled(kernel_source(expression))
                self._kernels.append(kernel)
                self.addresses[expression] = address_of(kernel)
                self.seconds += perf_counter() - begin
            return self.addresses[expression]


GENERATED: Final = GeneratedKernels()
"""Those of all backends together, since the code is never freed."""


def _compiled(source: str) -> Any:
    name = f"fused_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    folder = cache_folder()
    if folder is None:
        namespace: dict[str, Any] = {"__name__": name}
        exec(compile(source, f"<{name}>", "exec"), namespace)
        return namespace[FUNCTION]
    # Numba keeps compiled code only of functions that stand in a file.
    path = folder / f"{name}.py"
    if not path.exists() or path.read_text() != source:
        write_whole(path, source.encode())
    return getattr(_imported(name, path), FUNCTION)


def _imported(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"expected to import {path}")
    module = importlib.util.module_from_spec(spec)
    # Compiled code that comes from the disk looks for its module there.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
