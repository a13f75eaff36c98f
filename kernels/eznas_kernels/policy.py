"""How every kernel is compiled: the one place for Numba's options and signatures.

`kernel` and `reduction` compile for one signature when their module is imported, or load the result of an
earlier import from the disk; `scalar` marks functions that kernels call for each element, `inlined` those
that become part of their callers.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, ParamSpec, TypeVar

import numba
from numba import types

from eznas_kernels.cache import cache_folder, compiling_into

P = ParamSpec("P")
R = TypeVar("R")

SOURCE = types.Array(types.float32, 1, "C", readonly=True)
"""A contiguous float32 array that is read; arrays of memory-mapped read-only files are taken too."""

DESTINATION = types.Array(types.float32, 1, "C")
"""A contiguous float32 array that is written; it never overlaps a source."""

SIZES = types.Array(types.int64, 1, "C", readonly=True)
"""Whole numbers that are read: lengths of dimensions, slots, addresses."""

OPTIONS: dict[str, Any] = {
    "nogil": True,
    # Divisions by zero give infinities, as in torch, and no branch stops the vectoriser.
    "error_model": "numpy",
    "boundscheck": False,
    # Said aloud: a function that leaves it open inherits it from the first function compiled that calls it.
    "fastmath": False,
}


def scalar(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers to be called by kernels.

    It keeps strict floating-point rules within a `reduction` too.
    """
    compiled: Callable[P, R] = numba.njit(**OPTIONS)(function)
    return compiled


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function to become part of its callers, as `scalar` functions do only where they are small.

    A call hands over seven fields of each array: called by blocks, 16 products of 32x32 took 22 µs, not 13.
    """
    compiled: Callable[P, R] = numba.njit(**OPTIONS, forceinline=True)(function)
    return compiled


def kernel(
    *signature: types.Type, returns: types.Type = types.void
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function of arrays for the one given signature, strictly by IEEE rules."""
    return _compile_for(returns(*signature))


def reduction(
    *signature: types.Type, returns: types.Type = types.float64
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a fold, whose additions may be reordered, which vectorising them takes.

    Every operation written in the function itself may be reordered, rounding tricks included: keep those in
    `scalar` functions. NaN and infinities keep their meaning.
    """
    return _compile_for(returns(*signature), fastmath={"reassoc"})


def _compile_for(signature: Any, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    settings = {**OPTIONS, **options}

    def compiled(function: Callable[P, R]) -> Callable[P, R]:
        def compile_once(cache: bool) -> Callable[P, R]:
            dispatcher: Callable[P, R] = numba.njit(signature, cache=cache, **settings)(function)
            return dispatcher

        folder = cache_folder()
        if folder is None:
            return compile_once(cache=False)
        try:
            with compiling_into(folder):
                return compile_once(cache=True)
        except (EOFError, UnpicklingError):
            # A power failure can cut files short. Without them, the next start writes whole ones again.
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            # A full disk costs the time to compile, not the run.
            pass
        return compile_once(cache=False)

    return compiled
