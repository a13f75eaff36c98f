"""`eznas show`: a program as text, formula, types, plan and picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from eznas.cli.console import output, print_json, print_note
from eznas.cli.options import Json, Structure, ToScalar

if TYPE_CHECKING:
    from rich.console import Console

    from eznas.compile import TypedNode
    from eznas.program import Program
    from eznas.terminals import Geometry


def show(
    program: Annotated[
        str,
        typer.Argument(
            help="A program text, the name of a named program, or the folder of a finished run.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Draw the tree into this .svg, .png or .pdf file.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what the backend `tile` runs on one layer instead of shapes.")
    ] = False,
    to_scalar: ToScalar = "mean",
    channels: Annotated[int, typer.Option(help="Channels that the convolution reads.", min=1)] = 16,
    channels_out: Annotated[
        int | None, typer.Option(help="Channels that it writes.", min=1, show_default="the same")
    ] = None,
    kernel: Annotated[int, typer.Option(help="Height and width of its kernel.", min=1)] = 3,
    stride: Annotated[int, typer.Option(min=1)] = 1,
    side: Annotated[int, typer.Option(help="Height and width of the maps.", min=1)] = 32,
    batch_size: Annotated[int, typer.Option(min=1)] = 1,
    structure: Structure = "rcb",
    as_json: Json = False,
) -> None:
    """Show a program: its text, its formula in LaTeX, and the shape of every part on one layer.

    [bold]Examples[/]

      eznas show eznas-a

      eznas show "mean(matmul(T3, T1_D))" --channels 8 --kernel 3 --side 14

      eznas show eznas-b --plan --channels 64 --side 8

      eznas show runs/third --out tree.svg
    """
    from eznas.cli import programs
    from eznas.compile import explain_types
    from eznas.program import latex
    from eznas.statistics import geometry_of_convolution

    chosen = programs.tree(program)
    geometry = geometry_of_convolution(
        channels, channels_out or channels, kernel, stride, 1, side, batch_size, structure
    )
    types = explain_types(chosen, geometry)
    planned = _plan(chosen, geometry, to_scalar) if plan and types[0].shape is not None else None
    if out is not None:
        from eznas.program import draw

        draw(chosen, out)
        print_note(f"picture: {out}")
    if as_json:
        print_json(
            {
                "program": str(chosen),
                "latex": latex(chosen),
                "hash": chosen.hash,
                "size": chosen.size,
                "height": chosen.height,
                "terminals": list(chosen.terminals),
                "types": [{"name": node.name, "depth": node.depth, "type": node.type_text} for node in types],
                **({"plan": planned} if plan else {}),
            }
        )
        return
    console = output()
    _print_lines(console, [str(chosen), latex(chosen)])
    console.print(
        f"size {chosen.size}, height {chosen.height}, reads {', '.join(chosen.terminals)}", highlight=False
    )
    if planned is None:
        console.print(_types_table(types))
    else:
        _print_lines(console, planned)


def _plan(program: Program, geometry: Geometry, to_scalar: str) -> list[str]:
    from eznas import backends
    from eznas.compile import ShapeTable, build_graph, fold_roots, simplify
    from eznas.errors import ConfigError
    from eznas.plan import make_plan, plan_lines

    if to_scalar not in list(backends.ToScalar):
        raise ConfigError(f"unknown to_scalar {to_scalar!r}; expected one of {', '.join(backends.ToScalar)}")
    graph = simplify(fold_roots(build_graph([program]), backends.ToScalar(to_scalar).op))
    return plan_lines(make_plan(graph, ShapeTable([geometry]).infer(graph)))


def _print_lines(console: Console, lines: list[str]) -> None:
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)


def _types_table(types: tuple[TypedNode, ...]) -> Table:
    from eznas.ops import OPS

    table = Table()
    for heading in ("part", "shape", "meaning"):
        table.add_column(heading)
    for node in types:
        meaning = OPS[node.name].meaning if node.name in OPS else ""
        style = "red" if node.refusal is not None else None
        table.add_row("  " * node.depth + node.name, escape(node.type_text), meaning, style=style)
    return table
