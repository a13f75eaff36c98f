"""`eznas test`: how well programs rank the networks of tasks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eznas.cli.console import bars, print_json, print_note
from eznas.cli.options import BatchSize, Json, Programs, Seed, Structure, TaskNames, ToScalar

if TYPE_CHECKING:
    from eznas.ranking import Comparison


def compare_programs(
    programs: Programs,
    task: TaskNames = None,
    networks: Annotated[
        int | None,
        typer.Option(
            "--networks", "-n", help="Networks of each task, drawn by the seed; default: all.", min=3
        ),
    ] = None,
    structure: Structure = "rcb",
    to_scalar: ToScalar = "mean",
    batch_size: BatchSize = 1,
    seed: Seed = 0,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples for the intervals.", min=100)] = 1000,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder for the scores (CSV) and the figures.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Rank the untrained networks of tasks by programs, beside parameters and FLOPs.

    [bold]Examples[/]

      eznas test eznas-a eznas-b --task mnist-topology --networks 100

      eznas test "mean(abs(T3G_N))" runs/third --out comparison
    """
    from eznas import tasks
    from eznas.cli.programs import contenders
    from eznas.cli.tables import print_comparison
    from eznas.ranking import StatisticsSettings, compare
    from eznas.ranking.comparison_files import comparison_record

    chosen = contenders(programs)
    settings = StatisticsSettings(structure, to_scalar, batch_size, seed)
    opened = [tasks.get(name) for name in (task or tasks.names())]
    comparisons = []
    with bars() as shown:
        shown.load_kernels()
        for one in opened:
            progress = partial(shown.update, f"test on {one.name}")
            comparisons.append(compare(one, one.draw(networks, seed), chosen, settings, resamples, progress))
    if out is not None:
        _write(out, comparisons)
    if as_json:
        print_json([comparison_record(comparison) for comparison in comparisons])
        return
    for comparison in comparisons:
        print_comparison(comparison)


def _write(folder: Path, comparisons: list[Comparison]) -> None:
    from eznas.errors import RunError
    from eznas.ranking.comparison_files import write_scores
    from eznas.report import write_comparison_figure

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for comparison in comparisons:
            write_scores(comparison, folder)
            write_comparison_figure(comparison, folder)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    print_note(f"scores and figures: {folder}")
