"""Random NDS architectures, drawn as the published data was (Radosavovic et al., 2019)."""

from __future__ import annotations

import random
from collections.abc import Sequence

from eznas.spaces.nds.design import INPUTS, CellDesign, Design, Edge


def random_design(
    source: random.Random,
    operations: Sequence[str],
    nodes: int,
    widths: Sequence[int],
    depths: Sequence[int],
    *,
    loose_ends: bool,
) -> Design:
    """Draw an architecture; every choice is uniform and made apart from the others.

    Args:
        source: Where randomness comes from.
        operations: The names to choose from.
        nodes: How many nodes a cell has.
        widths: The widths to choose from.
        depths: The depths to choose from.
        loose_ends: Whether a cell concatenates the nodes that no other reads; otherwise all of them.
    """
    width, depth = source.choice(widths), source.choice(depths)
    normal, reduce = (_random_cell(source, operations, nodes, loose_ends) for _ in range(2))
    return Design(width, depth, normal, reduce)


def _random_cell(
    source: random.Random, operations: Sequence[str], nodes: int, loose_ends: bool
) -> CellDesign:
    own = range(INPUTS, INPUTS + nodes)
    edges = tuple(
        Edge(source.choice(operations), source.randrange(node)) for node in own for _either in range(2)
    )
    read = {edge.source for edge in edges} if loose_ends else set()
    return CellDesign(edges, tuple(node for node in own if node not in read))
