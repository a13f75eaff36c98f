"""What the processor can do that kernels are compiled for."""

from __future__ import annotations

from numba.core.registry import cpu_target


def compiles_for(feature: str) -> bool:
    """Whether kernels may use instructions that LLVM knows under a name, such as avx512f."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return f"+{feature}" in features.split(",")
