"""Random programs that have a shape on common layers, drawn as evolution draws them."""

import random
from functools import cache

from eznas.compile import build_graph, infer_shapes
from eznas.compile.shape_inference import Rejection
from eznas.evolution import EvolutionConfig
from eznas.evolution.variation import Variation
from eznas.program import Program
from eznas.statistics import geometry_of_convolution

LAYER = geometry_of_convolution(16, 16, side=32)


@cache
def random_programs(count: int = 50, seed: int = 5, largest: int = 40) -> tuple[Program, ...]:
    """Different programs with a shape on a layer of NAS-Bench-201."""
    variation = Variation(EvolutionConfig(), random.Random(seed))
    found: dict[Program, None] = {}
    while len(found) < count:
        (program,) = variation.random_programs(1)
        graph = build_graph([program])
        shape = infer_shapes(graph, LAYER)[graph.roots[0]]
        if not isinstance(shape, Rejection) and program.size <= largest:
            found[program] = None
    return tuple(found)
