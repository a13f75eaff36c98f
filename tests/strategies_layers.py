"""Hypothesis strategies for layers: geometries as convolutions make them, and statistics of these shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import strategies
from hypothesis import strategies as st
from numpy.typing import NDArray

from eznas.program import Program
from eznas.statistics import geometry_of_convolution
from eznas.terminals import TERMINALS, Geometry

Layer = dict[str, NDArray[np.floating]]

MODERATE = (2.0**-6, 2.0**3)
"""Bounds of absolute values within which few programs overflow."""
ANY = (2.0**-149, 2.0**127)


@st.composite
def geometries(draw: st.DrawFn, max_side: int = 5) -> Geometry:
    """The shapes around a small convolution; equal numbers are likely, so that many programs fit."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    few = st.integers(1, 3)
    channels_in = draw(few) * groups
    kernel = draw(st.sampled_from([1, 3]))
    return geometry_of_convolution(
        channels_in,
        draw(st.one_of(st.just(channels_in), few.map(lambda times: times * groups))),
        kernel,
        draw(st.sampled_from([1, 1, 2])),
        groups,
        draw(st.one_of(st.just(kernel), st.integers(1, max_side))),
        draw(st.sampled_from([1, 1, 2, 3])),
        draw(st.sampled_from(["rcb", "cbr"])),
    )


@st.composite
def layers(
    draw: st.DrawFn,
    geometry: Geometry,
    terminals: Sequence[str] = tuple(TERMINALS),
    *,
    bounds: tuple[float, float] | None = None,
    specials: tuple[float, ...] = strategies.SPECIALS,
) -> Layer:
    """Float32 statistics of one layer, with special values unless told otherwise."""
    smallest, largest = draw(st.sampled_from([MODERATE, MODERATE, ANY])) if bounds is None else bounds
    return {
        name: draw(
            strategies.arrays(
                geometry.shape(name) or (),
                np.float32,
                smallest=smallest,
                largest=largest,
                specials=draw(st.sampled_from([(), specials])),
            )
        )
        for name in terminals
    }


def read_by(programs: Sequence[Program]) -> list[str]:
    """The terminals that any of the programs reads, in their usual order; at least one."""
    used = {name for program in programs for name in program.terminals}
    return [name for name in TERMINALS if name in used] or ["T3"]
