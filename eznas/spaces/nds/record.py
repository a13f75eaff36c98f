"""Architectures in the form of the published NDS data: the entry `net` of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from eznas.errors import SpaceError
from eznas.spaces.nds.design import CellDesign, Design, Edge, format_design, parse_design


class _Genotype(BaseModel):
    normal: list[tuple[str, int]]
    normal_concat: list[int]
    reduce: list[tuple[str, int]]
    reduce_concat: list[int]


class _Net(BaseModel):
    genotype: _Genotype
    width: int
    depth: int


def architecture_text(net: Mapping[str, Any]) -> str:
    """The text of an architecture from the entry `net` of a record.

    Its entries `aux` and `drop_prob` are left out: networks are built without auxiliary head and drop path.

    Raises:
        SpaceError: An entry is missing or malformed, or the cells are none.
    """
    try:
        record = _Net.model_validate(dict(net) if isinstance(net, Mapping) else net)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in ("net", *problem["loc"]))
        raise SpaceError(f"not the network of an NDS record: {place}: {problem['msg']}") from error
    genotype = record.genotype
    normal = _cell(genotype.normal, genotype.normal_concat)
    reduce = _cell(genotype.reduce, genotype.reduce_concat)
    return format_design(Design(record.width, record.depth, normal, reduce))


def record_net(architecture: str) -> dict[str, Any]:
    """The entry `net` that the record of an architecture has; `architecture_text` turns it back.

    Raises:
        SpaceError: The text is not an NDS architecture.
    """
    design = parse_design(architecture)
    genotype: dict[str, Any] = {}
    for name, cell in (("normal", design.normal), ("reduce", design.reduce)):
        genotype[name] = [[edge.operation, edge.source] for edge in cell.edges]
        genotype[f"{name}_concat"] = list(cell.concatenation)
    return {
        "genotype": genotype,
        "width": design.width,
        "depth": design.depth,
        "aux": False,
        "drop_prob": 0.0,
    }


def _cell(edges: list[tuple[str, int]], concatenation: list[int]) -> CellDesign:
    return CellDesign(tuple(Edge(*edge) for edge in edges), tuple(concatenation))
