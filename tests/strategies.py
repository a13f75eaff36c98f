"""Hypothesis strategies for the shapes and arrays that operations meet; they know eznas by op names alone."""

from __future__ import annotations

import math
from math import prod

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import DTypeLike, NDArray

Shape = tuple[int, ...]

SPECIALS = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 2.0**-149, -(2.0**-149), 2.0**127, 2.0**-100)
"""Values at the boundaries of float32: not a number, infinities, zeros, subnormals, the largest."""

NOT_FINITE_AND_ZEROS = (math.nan, math.inf, -math.inf, 0.0, -0.0)


def shapes(
    min_dims: int = 0, max_dims: int = 5, max_side: int = 4, *, zero_size: bool = False
) -> st.SearchStrategy[Shape]:
    """Shapes with few elements; dimensions of size zero only on demand."""
    side = st.integers(0 if zero_size else 1, max_side)
    return st.lists(side, min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def related_shapes(
    draw: st.DrawFn, max_dims: int = 5, max_side: int = 4, *, zero_size: bool = False
) -> tuple[Shape, Shape]:
    """Pairs of shapes that often broadcast or multiply, and often nearly do: the second is edited."""
    first = draw(shapes(max_dims=max_dims, max_side=max_side, zero_size=zero_size))
    second = list(first)
    if len(second) > 1 and draw(st.booleans()):
        second[-2:] = second[:-3:-1]
    for _ in range(draw(st.integers(0, 2))):
        if second:
            position = draw(st.integers(0, len(second) - 1))
            second[position] = draw(st.sampled_from([1, 0 if zero_size else 1, 2, max_side]))
    second = second[draw(st.integers(0, len(second))) if draw(st.booleans()) else 0 :]
    pair = (first, tuple(second))
    return pair if draw(st.booleans()) else pair[::-1]


def any_shapes(arity: int, *, zero_size: bool = False) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Shapes for all arguments of an operation, whether it takes them or not."""
    free = st.tuples(*[shapes(zero_size=zero_size)] * arity)
    return free if arity == 1 else st.one_of(free, related_shapes(zero_size=zero_size))


def accepted_shapes(op: str, arity: int, max_side: int = 3) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Shapes for all arguments of an operation that it takes; at most 5 dimensions, none of size zero."""
    if op == "matmul":
        return _factors(max_side)
    if op in ("det", "logdet"):
        return st.builds(
            lambda batch, side: ((*batch, side, side),),
            shapes(max_dims=3, max_side=max_side),
            st.integers(1, 2 * max_side),
        )
    if op in ("eig_ratio", "sym_eig_ratio"):
        return st.tuples(shapes(1, max_side=max_side))
    if op == "cosine_similarity":
        return _paired_rows(max_side)
    if arity == 2:
        pairs = npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, max_side=max_side)
        return pairs.map(lambda found: found.input_shapes)
    return st.tuples(shapes(max_side=max_side))


@st.composite
def _factors(draw: st.DrawFn, max_side: int) -> tuple[Shape, Shape]:
    batches = draw(npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)).input_shapes
    rows, inner, columns = (draw(st.integers(1, 2 * max_side)) for _ in range(3))
    first = (inner,) if draw(st.integers(0, 4)) == 0 else (*batches[0], rows, inner)
    second = (inner,) if draw(st.integers(0, 4)) == 0 else (*batches[1], inner, columns)
    return first, second


@st.composite
def _paired_rows(draw: st.DrawFn, max_side: int) -> tuple[Shape, Shape]:
    first = draw(shapes(1, 4, max_side))
    columns = prod(first[1:])
    second = draw(st.sampled_from([first, (first[0], columns), (1, columns), (first[0], 1), (1, *first[1:])]))
    return (first, second) if draw(st.booleans()) else (second, first)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape,
    dtype: DTypeLike = np.float64,
    *,
    smallest: float = 2.0**-149,
    largest: float = 2.0**127,
    specials: tuple[float, ...] = SPECIALS,
) -> NDArray[np.floating]:
    """Arrays of float32 numbers (in any dtype) of sizes within the bounds, mixed with special values.

    One draw decides the style and the seed: elements drawn one by one would cost more than the tests.
    """
    style = draw(st.sampled_from(["numbers", "numbers", "mixed", "integers", "equal", "specials"]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    exponents = generator.uniform(math.log2(smallest), math.log2(largest), shape)
    numbers = generator.choice([-1.0, 1.0], shape) * 2.0**exponents
    if style == "integers":
        numbers = generator.integers(-2, 3, shape).astype(np.float64)
    elif style == "equal":
        numbers = np.full(shape, numbers.flat[0] if numbers.size else 0.0)
    if specials and style in ("mixed", "specials"):
        chosen = generator.random(shape) < (0.1 if style == "mixed" else 0.7)
        numbers = np.where(chosen, generator.choice(specials, shape), numbers)
    return np.array(np.asarray(numbers, np.float32), dtype)


@st.composite
def arguments(
    draw: st.DrawFn,
    op: str,
    arity: int,
    dtype: DTypeLike = np.float64,
    *,
    smallest: float = 2.0**-149,
    largest: float = 2.0**127,
    specials: tuple[float, ...] = SPECIALS,
) -> tuple[NDArray[np.floating], ...]:
    """Arrays for all arguments of an operation, of shapes that it takes."""
    found = draw(accepted_shapes(op, arity))
    return tuple(
        draw(arrays(shape, dtype, smallest=smallest, largest=largest, specials=specials)) for shape in found
    )
