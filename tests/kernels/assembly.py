"""What machine code a compiled function became."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import llvmlite.binding
import numba

_X86 = platform.machine().lower() in ("x86_64", "amd64")
_ARM = platform.machine().lower() in ("aarch64", "arm64")
_VECTOR_REGISTER = re.compile(r"%[yz]mm\d+" if _X86 else r"\bv\d+\.(16b|8h|4s|2d)\b|\bz\d+\.[bhsd]\b")
_LABEL = re.compile(r"^(\.?L\w+):")
_JUMP = re.compile(r"^\s+(?:j\w+|b(?:\.\w+)?|cbn?z|tbn?z)\s+(?:.*,\s*)?(\.?L\w+)\s*$")
_CALL = re.compile(r"^\s+(?:callq?|blr?)\s")


def why_not_inspectable() -> str:
    """Why vector registers cannot be recognised here; empty if they can."""
    if _X86:
        return "" if llvmlite.binding.get_host_cpu_features().get("avx") else "the processor has no AVX"
    return "" if _ARM else f"the registers of {platform.machine()} are unknown"


def kernels_of(module: ModuleType) -> list[Any]:
    """What a module compiles for one signature when it is imported.

    Parts of kernels have signatures only where something was just compiled with them, not where it came from
    the disk; some have no loop, and those that name vectors are compiled again for each kernel.
    """
    compiled = [
        value for value in vars(module).values() if isinstance(value, numba.core.dispatcher.Dispatcher)
    ]
    return [
        value for value in compiled if value.py_func.__module__ == module.__name__ and not value._can_compile
    ]


def has_vectorised_loop(compiled: Any) -> bool:
    """Whether an innermost loop works on vector registers and calls nothing."""
    return vectorised_loops(compiled) > 0


def vectorised_loops(compiled: Any) -> int:
    """How many innermost loops work on vector registers and call nothing."""
    return sum(
        any(_VECTOR_REGISTER.search(line) for line in loop) and not any(map(_CALL.match, loop))
        for loop in _innermost_loops(_assembly(compiled))
    )


def _assembly(compiled: Any) -> list[str]:
    # Code loaded from the disk cache cannot be inspected, so it is compiled again.
    (signature,) = compiled.signatures
    options = {**compiled.targetoptions, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    again: Any = numba.jit(signature, **options)(compiled.py_func)
    text: str = again.inspect_asm(signature)
    return text.splitlines()


def _innermost_loops(lines: list[str]) -> Iterator[list[str]]:
    """Stretches from a label to a jump back to it, without another loop inside."""
    positions: dict[str, int] = {}
    last_loop_start = -1
    for position, line in enumerate(lines):
        if label := _LABEL.match(line):
            positions[label[1]] = position
        elif jump := _JUMP.match(line):
            start = positions.get(jump[1])
            if start is not None and start > last_loop_start:
                last_loop_start = start
                yield lines[start : position + 1]
