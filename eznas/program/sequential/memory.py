"""The memory of a sequential program: 22 static, 80 dynamic and 20 scalar addresses (EZNAS, appendix)."""

from __future__ import annotations

from math import prod
from typing import Final

from eznas.ops import OPS
from eznas.terminals import TERMINALS, Shape

STATIC_ADDRESSES: Final = range(22)
"""The statistics of a layer, in the order of `TERMINALS`; they are only read."""

DYNAMIC_ADDRESSES: Final = range(22, 102)
"""Tensors that operations make: `d0` to `d79`."""

SCALAR_ADDRESSES: Final = range(102, 122)
"""Numbers that operations make: `s0` to `s19`."""

_TERMINALS: Final = tuple(TERMINALS)
_NAMES: Final = (
    *_TERMINALS,
    *(f"d{index}" for index in range(len(DYNAMIC_ADDRESSES))),
    *(f"s{index}" for index in range(len(SCALAR_ADDRESSES))),
)
_ADDRESSES: Final = {name: address for address, name in enumerate(_NAMES)}

# A shape that every operation takes.
_EXAMPLE: Final[Shape] = (2, 2, 2, 2)
_SCALAR_OPERATIONS: Final = frozenset(
    op.name for op in OPS.values() if prod(op.shape(*[_EXAMPLE] * op.arity)) == 1
)


def address_name(address: int) -> str:
    """The name of an address in program texts: a terminal, or such as `d3` or `s0`."""
    return _NAMES[address]


def named_address(name: str) -> int | None:
    """The address of this name, or None."""
    return _ADDRESSES.get(name)


def terminal_address(name: str) -> int:
    """The static address of a terminal."""
    return _ADDRESSES[name]


def terminal_at(address: int) -> str | None:
    """The terminal at a static address; None at any other."""
    return _TERMINALS[address] if address in STATIC_ADDRESSES else None


def output_addresses(operation: str) -> range:
    """Where an operation writes: to a scalar address if it makes one number of any tensors, else a dynamic.

    The operation alone decides, so that an instruction is right or wrong by itself: the sum of two numbers
    is kept at a dynamic address, and so is the determinant, which makes one number for each matrix.
    """
    return SCALAR_ADDRESSES if operation in _SCALAR_OPERATIONS else DYNAMIC_ADDRESSES
