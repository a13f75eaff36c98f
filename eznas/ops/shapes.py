"""Shape rules: the shape that each operation gives, or a ShapeError exactly where torch refuses.

Every rule takes the name of the operation, for the message, and then the shapes of its arguments.
"""

from __future__ import annotations

from math import prod

from eznas.errors import ShapeError
from eznas.terminals import Shape


def same(op: str, a: Shape) -> Shape:  # noqa: ARG001 - nothing to refuse
    """Any shape, unchanged."""
    return a


def scalar(op: str, a: Shape) -> Shape:  # noqa: ARG001 - nothing to refuse
    """Any shape folds to ()."""
    return ()


def one_element(op: str, a: Shape) -> Shape:  # noqa: ARG001 - nothing to refuse
    """Any shape gives (1,)."""
    return (1,)


def broadcast(op: str, a: Shape, b: Shape) -> Shape:
    """The common shape of two, aligned at the last dimension; a 1 stretches."""
    shape = _common_shape(a, b)
    if shape is None:
        raise ShapeError(f"{op}: shapes {a} and {b} do not broadcast: {_clash(a, b)}")
    return shape


def broadcast_scalar(op: str, a: Shape, b: Shape) -> Shape:
    """Two shapes that broadcast fold to ()."""
    broadcast(op, a, b)
    return ()


def matrix_product(op: str, a: Shape, b: Shape) -> Shape:
    """The product of the last two dimensions; a vector stands for a row or a column, batches broadcast."""
    if not a or not b:
        raise ShapeError(f"{op}: shapes {a} and {b} do not multiply: each needs at least one dimension")
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        position = "last" if len(b) == 1 else "second to last"
        raise ShapeError(
            f"{op}: shapes {a} and {b} do not multiply: the last dimension of the first is {a[-1]}, "
            f"the {position} of the second is {inner}"
        )
    batch = _common_shape(a[:-2], b[:-2])
    if batch is None:
        raise ShapeError(
            f"{op}: shapes {a} and {b} do not multiply: their leading dimensions {a[:-2]} and {b[:-2]} "
            f"do not broadcast: {_clash(a[:-2], b[:-2])}"
        )
    rows = a[-2:-1]
    columns = b[-1:] if len(b) > 1 else ()
    return batch + rows + columns


def matrices(op: str, a: Shape) -> Shape:
    """The leading dimensions of a batch of square matrices: one number for each."""
    if len(a) < 2:
        raise ShapeError(f"{op}: shape {a} holds no matrix: at least two dimensions are needed")
    if a[-1] != a[-2]:
        raise ShapeError(
            f"{op}: shape {a} holds no square matrices: the last two dimensions are {a[-2]} and {a[-1]}"
        )
    return a[:-2]


def rows_scalar(op: str, a: Shape) -> Shape:
    """A tensor that can be seen as rows (shape[0], -1) folds to ()."""
    if _rows(a) is None:
        raise ShapeError(f"{op}: shape {a} has no rows: {_ROWS_NEEDED}")
    return ()


def two_rows_scalar(op: str, a: Shape, b: Shape) -> Shape:
    """Two tensors that can be seen as rows (shape[0], -1), and then broadcast, fold to ()."""
    first, second = _rows(a), _rows(b)
    if first is None or second is None:
        which = "first" if first is None else "second"
        raise ShapeError(f"{op}: shapes {a} and {b} do not pair: the {which} has no rows: {_ROWS_NEEDED}")
    if _common_shape(first, second) is None:
        raise ShapeError(
            f"{op}: shapes {a} and {b} do not pair: as rows, {first} and {second}, they do not broadcast: "
            f"{_clash(first, second)}"
        )
    return ()


_ROWS_NEEDED = "at least one dimension is needed, the first not of size 0"


def _rows(a: Shape) -> Shape | None:
    return (a[0], prod(a[1:])) if a and a[0] else None


def _common_shape(a: Shape, b: Shape) -> Shape | None:
    if a == b:
        return a
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    if any(x not in (y, 1) and y != 1 for x, y in zip(longer, padded, strict=True)):
        return None
    return tuple(y if x == 1 else x for x, y in zip(longer, padded, strict=True))


def _clash(a: Shape, b: Shape) -> str:
    """The last place where two shapes that do not broadcast differ, in words."""
    back = next(
        back
        for back, (x, y) in enumerate(zip(reversed(a), reversed(b), strict=False), start=1)
        if x != y and 1 not in (x, y)
    )
    return f"{a[-back]} against {b[-back]}, in dimension -{back}"
