"""`eznas score`: the scores of programs on untrained networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from eznas.cli.console import bars, output, print_json, print_note
from eznas.cli.options import BatchSize, Json, Programs, Seed, Structure, Threads, ToScalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eznas.program import AnyProgram
    from eznas.statistics import NetworkStatistics


def score(
    programs: Programs,
    task: Annotated[str | None, typer.Option("--task", "-t", help="The task of the architectures.")] = None,
    architecture: Annotated[
        list[str] | None,
        typer.Option("--architecture", "-a", help="An architecture of the task's space, repeatable."),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Score the networks of a store made by `eznas collect` instead.")
    ] = None,
    structure: Structure = "rcb",
    to_scalar: ToScalar = "mean",
    batch_size: BatchSize = 1,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Score untrained networks with programs; a higher score is not better by itself (see `eznas test`).

    [bold]Examples[/]

      eznas score eznas-a --task mnist-size --architecture 8x1:16x3:6x2 --architecture 2x1:2x1:2x1

      eznas score "mean(abs(T3G_N))" eznas-a --store stores/size
    """
    from eznas.cli import programs as arguments
    from eznas.evaluator import Evaluator

    chosen = [arguments.program(argument) for argument in programs]
    if (store is None) == (task is None):
        raise typer.BadParameter("expected one of --task and --store")
    if store is not None:
        from eznas.store import StatisticsStore

        opened = StatisticsStore.open(store)
        names: Sequence[str] = opened.names
        statistics: Sequence[NetworkStatistics] = opened
    else:
        if not architecture:
            raise typer.BadParameter("expected at least one --architecture with --task")
        names = architecture
        statistics = _collect(task or "", names, chosen, structure, batch_size, seed)
    with bars() as shown:
        shown.load_kernels()
    scores = Evaluator(statistics, threads=threads, memo_bytes=0, to_scalar=to_scalar).score(chosen)
    for failure in scores.failures:
        print_note(f"no score for {failure}")
    rows = [
        {"architecture": name, "scores": [None if value != value else value for value in map(float, column)]}
        for name, column in zip(names, scores.values.T, strict=True)
    ]
    if as_json:
        print_json({"programs": [str(program) for program in chosen], "networks": rows})
        return
    table = Table()
    table.add_column("architecture", overflow="fold")
    for program in chosen:
        table.add_column(escape(str(program)), justify="right", overflow="fold")
    for name, column in zip(names, scores.values.T, strict=True):
        table.add_row(escape(name), *(f"{value:.6g}" for value in column))
    output().print(table)


def _collect(
    name: str,
    architectures: Sequence[str],
    programs: list[AnyProgram],
    structure: str,
    batch_size: int,
    seed: int,
) -> list[NetworkStatistics]:
    from eznas import tasks

    task = tasks.get(name)
    terminals = sorted({terminal for program in programs for terminal in program.terminals})
    return [
        tasks.network_statistics(task, text, terminals, structure=structure, batch_size=batch_size, seed=seed)
        for text in architectures
    ]
