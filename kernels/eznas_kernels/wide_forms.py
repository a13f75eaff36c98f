"""Operations of `elementwise` on two vectors of any width, with the same bits.

Those on one number take another one, which is always the same.
"""

from __future__ import annotations

from eznas_kernels import vectors
from eznas_kernels.policy import inlined
from eznas_kernels.vectors import Vector


@inlined
def first(a: Vector, _: Vector) -> Vector:
    """The first."""
    return a


@inlined
def absolute(a: Vector, _: Vector) -> Vector:
    """The absolute value of the first."""
    return vectors.absolute(a)


@inlined
def square(a: Vector, _: Vector) -> Vector:
    """The square of the first."""
    return vectors.multiply(a, a)


@inlined
def at_least(a: Vector, b: Vector) -> Vector:
    """The second where the first is below it, else the first; NaN stays."""
    return vectors.select(vectors.less(a, b), b, a)


@inlined
def add(a: Vector, b: Vector) -> Vector:
    """The sum."""
    return vectors.add(a, b)


@inlined
def subtract(a: Vector, b: Vector) -> Vector:
    """The first less the second."""
    return vectors.subtract(a, b)


@inlined
def multiply(a: Vector, b: Vector) -> Vector:
    """The product."""
    return vectors.multiply(a, b)


@inlined
def divide_second(a: Vector, b: Vector) -> Vector:
    """The second over the first."""
    return vectors.divide(b, a)


@inlined
def distance(a: Vector, b: Vector) -> Vector:
    """The absolute value of the first less the second."""
    return vectors.absolute(vectors.subtract(a, b))


@inlined
def is_greater(a: Vector, b: Vector) -> Vector:
    """Whether the first is above the second."""
    return vectors.greater(a, b)


@inlined
def is_less(a: Vector, b: Vector) -> Vector:
    """Whether the first is below the second."""
    return vectors.less(a, b)


@inlined
def is_equal(a: Vector, b: Vector) -> Vector:
    """Whether both are equal."""
    return vectors.equal(a, b)
