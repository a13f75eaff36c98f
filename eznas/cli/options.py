"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
Threads = Annotated[
    int | None, typer.Option(help="Networks evaluated at once; default: all processors.", min=1)
]
Processes = Annotated[
    int | None,
    typer.Option(help="Networks scored at once, each in a process; default: all processors.", min=1),
]
# Written out, since importing the names would keep every `--help` waiting for torch.
Backend = Annotated[
    str | None,
    typer.Option(
        help="How programs are computed: auto, tile, fused, torchscript or eager.", show_default="auto"
    ),
]
TaskNames = Annotated[
    list[str] | None,
    typer.Option("--task", "-t", help="A task by name or folder, repeatable; default: the embedded tasks."),
]
Structure = Annotated[str, typer.Option(help="Layers to look for: rcb or cbr.")]
ToScalar = Annotated[str, typer.Option(help="How a layer's tensor becomes a number: mean or l2.")]
BatchSize = Annotated[int, typer.Option(help="Images in the mini-batch.", min=1)]
Stores = Annotated[
    Path | None,
    typer.Option(help="Where statistics are kept between runs.", show_default="the user's cache folder"),
]
Programs = Annotated[
    list[str],
    typer.Argument(
        metavar="PROGRAM...",
        help="A program text, the name of a named program, or the folder of a finished run.",
        show_default=False,
    ),
]
