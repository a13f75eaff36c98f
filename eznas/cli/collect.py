"""`eznas collect`: statistics of untrained networks into a store."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from eznas.cli.console import bars, output, print_json, print_note
from eznas.cli.options import BatchSize, Json, Seed, Structure


def collect(
    task: Annotated[str, typer.Argument(help="A task by name or folder.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder of the store; an unfinished one is resumed.")
    ],
    networks: Annotated[
        int | None,
        typer.Option("--networks", "-n", help="How many networks, drawn by the seed; default: all.", min=1),
    ] = None,
    terminal: Annotated[
        list[str] | None, typer.Option(help="A statistic to collect, repeatable; default: all 22.")
    ] = None,
    structure: Structure = "rcb",
    batch_size: BatchSize = 1,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Collect the statistics of untrained networks of a task, for `eznas score --store` and for Python.

    [bold]Example[/]

      eznas collect mnist-size --networks 40 --terminal T3G_N --terminal T1_D --out stores/size
    """
    from eznas import tasks

    opened = tasks.get(task)
    try:
        with bars() as shown:
            store = tasks.collect_task(
                opened,
                out,
                [opened.architectures[row] for row in opened.draw(networks, seed)],
                terminals=terminal or None,
                structure=structure,
                batch_size=batch_size,
                seed=seed,
                announce=shown.note,
                progress=partial(shown.update, f"statistics of {opened.name}"),
            )
    except KeyboardInterrupt:
        print_note(f"stopped; the same command goes on with the store in {out}")
        raise
    layers = sum(len(store[index]) for index in range(len(store)))
    if as_json:
        print_json({"store": str(out), "networks": len(store), "layers": layers, "names": list(store.names)})
        return
    output().print(f"{len(store)} networks with {layers} layers in {out}", highlight=False)
