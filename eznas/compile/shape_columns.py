"""Shapes of many geometries at once: networks of varied widths have hundreds, of which few differ in kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from math import prod
from typing import Final

from eznas.compile.graph import Graph
from eznas.compile.shape_inference import Rejection, result_shape
from eznas.errors import ShapeError
from eznas.ops import OPS, OpKind
from eznas.terminals import Geometry, Shape

MAXIMUM_RESULTS: Final = 20_000
"""A result of 100 geometries takes up to 10 KB; 5,000 random programs have at most some 2,000."""

Sizes = tuple[int, ...]
"""A number for each geometry."""

_KEEP_SHAPE: Final = frozenset(op.name for op in OPS.values() if op.kind is OpKind.MAP and op.arity == 1)
"""Operations that give any shape again; half of the nodes of random programs."""


class ShapeColumn:
    """The shape of a node, or why it has none, for each geometry; equal columns of a table are one object."""

    def __init__(self, table: ShapeTable, entries: tuple[Shape | Rejection, ...]) -> None:
        self.entries = entries
        self.table = table
        kinds = set(map(type, entries))
        self.has_shapes = Rejection not in kinds
        """Whether there is a shape for every geometry."""
        self.is_refused = kinds <= {Rejection}
        """Whether there is no shape for any geometry."""

    @cached_property
    def sizes(self) -> Sizes:
        """The numbers in the tensor; 0 where there is no shape."""
        return tuple(0 if isinstance(entry, Rejection) else prod(entry) for entry in self.entries)

    @cached_property
    def kinds(self) -> tuple[tuple[int, bool] | None, ...]:
        """The number of dimensions, and whether there is one number; None where there is no shape."""
        return tuple(
            None if isinstance(entry, Rejection) else (len(entry), size == 1)
            for entry, size in zip(self.entries, self.sizes, strict=True)
        )

    @property
    def shape(self) -> Shape:
        """The shape for the first geometry, which tells the number of dimensions of all.

        Raises:
            TypeError: There is none.
        """
        first = self.entries[0]
        if isinstance(first, Rejection):
            raise TypeError(f"expected a shape, got {first}")
        return first

    @property
    def is_single(self) -> bool:
        """Whether the tensor has one number, for the first geometry and so for all that are planned alike."""
        return self.sizes[0] == 1

    def map(self, change: Callable[[Shape], Shape]) -> ShapeColumn:
        """The column of shapes made from these."""
        return self.table.column(tuple(change(shape) for shape in self.shapes))

    def numbers(self, read: Callable[[Shape], int]) -> Sizes:
        """A number read from each shape."""
        return tuple(read(shape) for shape in self.shapes)

    def broadcast(self, other: ShapeColumn) -> ShapeColumn:
        """The shapes to which two columns broadcast."""
        return self if self is other else self.table.result("add", (self, other))

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes, where there are only such."""
        return tuple(entry for entry in self.entries if not isinstance(entry, Rejection))


class ShapeTable:
    """The columns of some geometries."""

    def __init__(self, geometries: Sequence[Geometry]) -> None:
        self.geometries = tuple(geometries)
        self._columns: dict[tuple[Shape | Rejection, ...], ShapeColumn] = {}
        self._terminals: dict[str, ShapeColumn] = {}
        self._results: dict[tuple[str, tuple[ShapeColumn, ...]], ShapeColumn] = {}
        self._stretching: dict[tuple[bool, ShapeColumn, ShapeColumn, ShapeColumn], tuple[object, ...]] = {}

    @cached_property
    def rows(self) -> dict[Geometry, int]:
        """The row of each geometry."""
        return {geometry: row for row, geometry in enumerate(self.geometries)}

    @property
    def is_full(self) -> bool:
        """Whether it holds so many results that a new table should take its place."""
        return len(self._results) > MAXIMUM_RESULTS

    def infer(self, graph: Graph) -> list[ShapeColumn]:
        """The column of every node of a graph; see `infer_shapes`.

        A geometry that does not hold a terminal has no shape for it: a table may know geometries that the
        programs are not for.
        """
        columns: list[ShapeColumn] = []
        for node in graph.nodes:
            if node.is_terminal:
                columns.append(self.terminal(node.name))
            elif node.name in _KEEP_SHAPE:
                columns.append(columns[node.arguments[0]])
            else:
                columns.append(self.result(node.name, tuple(columns[index] for index in node.arguments)))
        return columns

    def terminal(self, name: str) -> ShapeColumn:
        """The shapes of a terminal."""
        if name not in self._terminals:
            entries = tuple(_held(geometry, name) for geometry in self.geometries)
            self._terminals[name] = self.column(entries)
        return self._terminals[name]

    def result(self, op: str, arguments: tuple[ShapeColumn, ...]) -> ShapeColumn:
        """The shapes that an operation gives."""
        for argument in arguments:
            # Two of three random programs come to this, and every operation above passes it on.
            if argument.is_refused:
                return argument
            if not argument.has_shapes:
                break
        key = op, arguments
        found = self._results.get(key)
        if found is None:
            found = self._results[key] = self.column(_results(op, arguments))
        return found

    def column(self, entries: tuple[Shape | Rejection, ...]) -> ShapeColumn:
        """The one column with these entries."""
        found = self._columns.get(entries)
        if found is None:
            found = self._columns[entries] = ShapeColumn(self, entries)
        return found

    def of_rows(self, columns: Sequence[ShapeColumn], rows: Sequence[int]) -> list[ShapeColumn]:
        """Columns of another table, for some of its geometries, in this table of those alone."""
        moved: dict[ShapeColumn, ShapeColumn] = {}
        for column in columns:
            if column not in moved:
                moved[column] = self.column(tuple(column.entries[row] for row in rows))
        return [moved[column] for column in columns]

    def alike(self, graph: Graph, columns: Sequence[ShapeColumn]) -> list[list[int]]:
        """The geometries in groups for which a graph is planned alike, up to the sizes of tensors.

        In a group each node has a shape for all or for none, as many dimensions, one number for all or for
        none, and operands that are stretched for all or for none.
        """
        facts: list[tuple[object, ...]] = [column.kinds for column in dict.fromkeys(columns)]
        pairs = dict.fromkeys(
            (node.name == "matmul", column, columns[node.arguments[0]], columns[node.arguments[1]])
            for node, column in zip(graph.nodes, columns, strict=True)
            if len(node.arguments) == 2
        )
        facts += [self._stretching_of(*pair) for pair in pairs]
        groups: dict[tuple[object, ...], list[int]] = {}
        signatures = zip(*facts, strict=True) if facts else [()] * len(self.geometries)
        for row, signature in enumerate(signatures):
            groups.setdefault(signature, []).append(row)
        return list(groups.values())

    def _stretching_of(
        self, is_product: bool, column: ShapeColumn, first: ShapeColumn, second: ShapeColumn
    ) -> tuple[object, ...]:
        """For each geometry how two operands are stretched, None where they give no shape."""
        key = is_product, column, first, second
        found = self._stretching.get(key)
        if found is None:
            rule = _stretching_of_batches if is_product else _stretching
            entries = zip(column.entries, first.entries, second.entries, strict=True)
            found = self._stretching[key] = tuple(_if_shapes(rule, *entry) for entry in entries)
        return found


class GrowingTable:
    """The table of all geometries met so far, so that programs that come later find their columns made.

    Threads may share it.
    """

    def __init__(self) -> None:
        self._table = ShapeTable(())

    def covering(self, geometries: Iterable[Geometry]) -> ShapeTable:
        """A table with these geometries, and with those of earlier calls."""
        table = self._table
        new = [geometry for geometry in geometries if geometry not in table.rows]
        if new or table.is_full:
            table = self._table = ShapeTable([*table.geometries, *new])
        return table


def _results(op: str, arguments: Sequence[ShapeColumn]) -> tuple[Shape | Rejection, ...]:
    """What an operation gives for each geometry."""
    if all(argument.has_shapes for argument in arguments):
        # Mostly no geometry refuses, and the rule alone is quicker to ask.
        with suppress(ShapeError):
            return tuple(map(OPS[op].shape, *(argument.shapes for argument in arguments)))
    rows = zip(*(argument.entries for argument in arguments), strict=True)
    return tuple([result_shape(op, row) for row in rows])


def _if_shapes(
    rule: Callable[[Shape, Shape], object],
    result: Shape | Rejection,
    first: Shape | Rejection,
    second: Shape | Rejection,
) -> object:
    """What a rule tells of two shapes that give one, else None."""
    if isinstance(result, Rejection) or isinstance(first, Rejection) or isinstance(second, Rejection):
        return None
    return rule(first, second)


def _stretching(first: Shape, second: Shape) -> object:
    """Which operands are stretched, for operations on numbers in equal places."""
    return _is_stretched(first, second), _is_stretched(second, first)


def _stretching_of_batches(first: Shape, second: Shape) -> object:
    """Which operands of a matrix product are repeated, and which are one matrix."""
    batches = prod(first[:-2]), prod(second[:-2])
    common = prod(OPS["add"].shape(first[:-2], second[:-2]))
    return tuple((batch == common, batch == 1) for batch in batches)


def _is_stretched(shape: Shape, other: Shape) -> bool:
    """Whether a shape grows when it is broadcast with another."""
    padded = (1,) * (len(other) - len(shape)) + shape
    return any(own == 1 and its > 1 for own, its in zip(reversed(padded), reversed(other), strict=False))


def _held(geometry: Geometry, terminal: str) -> Shape | Rejection:
    shape = geometry.shape(terminal)
    return Rejection(terminal, (), f"{terminal} is not held") if shape is None else shape
