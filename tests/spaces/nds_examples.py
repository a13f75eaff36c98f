"""Published cells and random architectures for the tests of the NDS spaces."""

from typing import Any

from hypothesis import strategies as st

from eznas.spaces.nds.design import CellDesign, Design, Edge
from eznas.spaces.nds.operations import OPERATIONS

DARTS_V2: dict[str, Any] = {
    "normal": [
        *(["sep_conv_3x3", 0], ["sep_conv_3x3", 1], ["sep_conv_3x3", 0], ["sep_conv_3x3", 1]),
        *(["sep_conv_3x3", 1], ["skip_connect", 0], ["skip_connect", 0], ["dil_conv_3x3", 2]),
    ],
    "normal_concat": [2, 3, 4, 5],
    "reduce": [
        *(["max_pool_3x3", 0], ["max_pool_3x3", 1], ["skip_connect", 2], ["max_pool_3x3", 1]),
        *(["max_pool_3x3", 0], ["skip_connect", 2], ["skip_connect", 2], ["max_pool_3x3", 1]),
    ],
    "reduce_concat": [2, 3, 4, 5],
}
"""The cells that second-order DARTS found (Liu, Simonyan and Yang, 2019, figures 4 and 5)."""

AMOEBANET: dict[str, Any] = {
    "normal": [
        *(["avg_pool_3x3", 0], ["max_pool_3x3", 1], ["sep_conv_3x3", 0], ["sep_conv_5x5", 2]),
        *(["sep_conv_3x3", 0], ["avg_pool_3x3", 3], ["sep_conv_3x3", 1], ["skip_connect", 1]),
        *(["skip_connect", 0], ["avg_pool_3x3", 1]),
    ],
    "normal_concat": [4, 5, 6],
    "reduce": [
        *(["avg_pool_3x3", 0], ["sep_conv_3x3", 1], ["max_pool_3x3", 0], ["sep_conv_7x7", 2]),
        *(["sep_conv_7x7", 0], ["avg_pool_3x3", 1], ["max_pool_3x3", 0], ["max_pool_3x3", 1]),
        *(["conv_7x1_1x7", 0], ["sep_conv_3x3", 5]),
    ],
    "reduce_concat": [3, 4, 6],
}
"""AmoebaNet-A (Real et al., 2019) in the form of the DARTS code; its concatenations leave nodes out."""


def net(genotype: dict[str, Any], width: int, depth: int) -> dict[str, Any]:
    """The entry `net` of a record."""
    return {"genotype": genotype, "width": width, "depth": depth, "aux": False, "drop_prob": 0.0}


@st.composite
def cells(draw: st.DrawFn, first: int) -> CellDesign:
    """A cell that concatenates what has this number or a higher one."""
    nodes = range(2, 2 + draw(st.integers(1, 6)))
    edges = [
        Edge(draw(st.sampled_from(list(OPERATIONS))), draw(st.integers(0, node - 1)))
        for node in nodes
        for _ in range(2)
    ]
    concatenation = draw(st.lists(st.integers(first, nodes[-1]), min_size=1, unique=True))
    return CellDesign(tuple(edges), tuple(concatenation))


def designs(widths: tuple[int, ...] = (2, 4, 6), deepest: int = 7) -> st.SearchStrategy[Design]:
    return st.builds(Design, st.sampled_from(widths), st.integers(1, deepest), cells(0), cells(2))
