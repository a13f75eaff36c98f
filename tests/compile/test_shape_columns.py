"""Shapes of many geometries at once are those of each alone."""

from __future__ import annotations

import strategies_layers
import strategies_programs
from hypothesis import given, settings
from hypothesis import strategies as st

from eznas.compile import GrowingTable, Rejection, ShapeTable, build_graph, infer_shapes
from eznas.program import Program
from eznas.statistics import geometry_of_convolution
from eznas.terminals import Geometry

GEOMETRIES = st.lists(strategies_layers.geometries(), min_size=1, max_size=6, unique=True)
PROGRAMS = st.lists(strategies_programs.programs(max_height=6, max_size=24), min_size=1, max_size=5)


@given(PROGRAMS, GEOMETRIES)
@settings(max_examples=150)
def test_columns_hold_what_is_inferred_for_each_geometry(
    programs: list[Program], geometries: list[Geometry]
) -> None:
    graph = build_graph(programs)
    columns = ShapeTable(geometries).infer(graph)
    for row, geometry in enumerate(geometries):
        assert tuple(column.entries[row] for column in columns) == infer_shapes(graph, geometry)


@given(PROGRAMS, GEOMETRIES)
@settings(max_examples=150)
def test_geometries_that_are_alike_refuse_and_stretch_alike(
    programs: list[Program], geometries: list[Geometry]
) -> None:
    graph = build_graph(programs)
    table = ShapeTable(geometries)
    columns = table.infer(graph)
    groups = table.alike(graph, columns)
    assert sorted(row for rows in groups for row in rows) == list(range(len(geometries)))
    for rows in groups:
        for column in columns:
            entries = [column.entries[row] for row in rows]
            assert len({isinstance(entry, Rejection) for entry in entries}) == 1
            assert len({len(entry) for entry in entries if not isinstance(entry, Rejection)}) <= 1
            assert len({column.sizes[row] == 1 for row in rows}) == 1


def test_networks_of_varied_widths_are_alike() -> None:
    graph = build_graph(
        [Program.parse("mul(mean(T3), exp(add(T1_D, T2_D)))"), Program.parse("softmax(T4_D)")]
    )
    geometries = [geometry_of_convolution(width, 2 * width, 3, side=9) for width in range(2, 20)]
    table = ShapeTable(geometries)
    assert table.alike(graph, table.infer(graph)) == [list(range(18))]


def test_a_growing_table_keeps_its_columns_until_a_geometry_is_new() -> None:
    growing = GrowingTable()
    one, other, third = (geometry_of_convolution(width, width, 3, side=5) for width in (2, 3, 4))
    first = growing.covering([one, other])
    assert growing.covering([other]) is first
    assert growing.covering([third]).geometries == (one, other, third)


def test_a_geometry_without_a_terminal_has_no_shape_for_it() -> None:
    graph = build_graph([Program.parse("exp(T3)")])
    columns = ShapeTable([geometry_of_convolution(2, 2), Geometry(t1=(1, 2, 3, 3))]).infer(graph)
    assert [isinstance(entry, Rejection) for entry in columns[-1].entries] == [False, True]
