"""`eznas show`: a program as text, formula, types and picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from eznas.cli.console import output, print_json, print_note
from eznas.cli.options import Json, Structure

if TYPE_CHECKING:
    from eznas.compile import TypedNode


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

      eznas show runs/third --out tree.svg
    """
    from eznas.cli.programs import contender
    from eznas.compile import explain_types
    from eznas.program import draw, latex
    from eznas.statistics import geometry_of_convolution

    chosen = contender(program).program
    geometry = geometry_of_convolution(
        channels, channels_out or channels, kernel, stride, 1, side, batch_size, structure
    )
    types = explain_types(chosen, geometry)
    if out is not None:
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
            }
        )
        return
    console = output()
    console.print(escape(str(chosen)), soft_wrap=True, highlight=False)
    console.print(escape(latex(chosen)), soft_wrap=True, highlight=False)
    console.print(
        f"size {chosen.size}, height {chosen.height}, reads {', '.join(chosen.terminals)}", highlight=False
    )
    console.print(_types_table(types))


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
