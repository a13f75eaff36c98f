"""`eznas export`: a program as a file that others can use without eznas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eznas.cli.console import output, print_json, print_note
from eznas.cli.options import Json, Seed, Structure, ToScalar


def export(
    program: Annotated[
        str,
        typer.Argument(
            help="A program text, the name of a named program, or the folder of a finished run.",
            show_default=False,
        ),
    ],
    format_name: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="json, python, numba, torchscript, torch-export, aoti or onnx; see below."
        ),
    ] = "python",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The file to write; one that is there is replaced.", show_default="proxy.*"
        ),
    ] = None,
    structure: Structure = "rcb",
    to_scalar: ToScalar = "mean",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    r"""Write a program as a file that others can use without eznas.

    It is compared with the evaluator on random layers first, NaN and infinities among them; if it disagrees,
    nothing is written. Every file says what it holds: program, operations, terminals, structure, orientation.

    [bold]json[/]: the canonical program, for eznas.export.load_json, which checks version and operations.
    [bold]python[/]: one file that needs torch alone, finds layers, collects statistics and scores networks.
    [bold]numba[/]: one file of kernels over arrays, needs numba and numpy alone; compiles when imported.
    [bold]torchscript[/]: the number of a layer as .pt, for Python and C++; torch deprecates TorchScript.
    [bold]torch-export[/]: the same as .pt2; sizes are dynamic where the program lets them be.
    [bold]aoti[/]: the numbers of several stacked layers of one shape, compiled for this processor and torch
    version; needs a C++ compiler; does not look at shapes.
    [bold]onnx[/]: the same for ONNX runtimes; not for eig_ratio and sym_eig_ratio; needs eznas\[export].

    Python files, .pt and .pt2 hold code that runs when they are loaded: load only those that you trust.

    [bold]Examples[/]

      eznas export eznas-a --format python --out eznas_a.py

      eznas export runs/first --format numba

      eznas export "mean(abs(T3G_N))" --format onnx --out proxy.onnx
    """
    from eznas import export as exports
    from eznas.cli import programs as arguments

    chosen = arguments.contender(program)
    path = out or Path(f"proxy{exports.suffix_of(format_name)}")
    exported = exports.export(
        chosen.program,
        path,
        format_name,
        structure=structure,
        to_scalar=to_scalar,
        # A text alone does not say which scores are better.
        orientation=None if chosen.name == str(chosen.program) else chosen.orientation,
        seed=seed,
    )
    if exported.refused:
        print_note(
            f"{exported.refused} of {exported.layers + exported.refused} random layers are not taken: "
            "their sizes are constants in this artefact"
        )
    if as_json:
        print_json(
            {
                "path": str(exported.path),
                "format": str(exported.format),
                "bytes": exported.size,
                "layers_compared": exported.layers,
                "layers_not_taken": exported.refused,
                "proxy": exported.description.fields(),
            }
        )
        return
    output().print(
        f"{exported.path}: {exported.format}, {exported.size} bytes, "
        f"agrees with the evaluator on {exported.layers} random layers",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
