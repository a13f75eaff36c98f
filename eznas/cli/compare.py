"""`eznas test`: how well programs and proxies rank the networks of tasks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eznas.cli.console import bars, print_json, print_note
from eznas.cli.options import Json, Processes, Seed, Structure, TaskNames, ToScalar
from eznas.cli.table_options import DEFAULT_MEASURES, Format, Intervals, Measures

if TYPE_CHECKING:
    from eznas.ranking import Comparison
    from eznas.report import CorrelationTable
    from eznas.tasks import Task


def compare_programs(
    programs: Annotated[
        list[str],
        typer.Argument(
            metavar="PROGRAM...",
            help="A program text, the name of a program or of a proxy, or the folder of a finished run.",
            show_default=False,
        ),
    ],
    task: TaskNames = None,
    networks: Annotated[
        int | None,
        typer.Option(
            "--networks", "-n", help="Networks of each task, drawn by the seed; default: all.", min=3
        ),
    ] = None,
    held_out_of: Annotated[
        list[Path] | None,
        typer.Option(help="A run on whose networks nothing is tested, as if it were given; repeatable."),
    ] = None,
    structure: Structure = "rcb",
    to_scalar: ToScalar = "mean",
    batch_size: Annotated[
        list[int] | None,
        typer.Option(help="Images in the mini-batch, repeatable; each size is a test.", show_default="1"),
    ] = None,
    seed: Seed = 0,
    seeds: Annotated[
        int,
        typer.Option(help="Tests with so many seeds from --seed on: images, weights and noise.", min=1),
    ] = 1,
    processes: Processes = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples for the intervals.", min=100)] = 1000,
    measure: Measures = None,
    intervals: Intervals = True,
    table_format: Format = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="A folder for scores, figures and tables in every format; the same command goes on.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Rank the untrained networks of tasks by programs and proxies, beside parameters and FLOPs.

    Networks on which a given run evolved its programs are left out. Over several seeds the table holds means
    and standard deviations. With --out every score is kept at once: the same command goes on where it was
    stopped, and computes only what is new.

    [bold]Examples[/]

      eznas test eznas-a eznas-b naswot synflow --task mnist-topology --networks 100

      eznas test "mean(abs(T3G_N))" runs/third --out comparison

      eznas test naswot --held-out-of runs/third --batch-size 16

      eznas test eznas-a --batch-size 1 --batch-size 16 --seeds 4 --out seeds

      eznas test eznas-a eznas-b --measure all --no-intervals --format latex
    """
    from eznas import tasks
    from eznas.cli.programs import contenders, evolved_on
    from eznas.cli.table_options import chosen_tables
    from eznas.cli.tables import print_tables
    from eznas.ranking import StatisticsSettings, compare
    from eznas.ranking.comparison_files import comparison_record
    from eznas.report import comparison_table

    shown_as = chosen_tables(
        measure or DEFAULT_MEASURES, table_format, as_json=as_json, with_intervals=intervals
    )
    chosen = contenders(programs)
    runs = [*programs, *map(str, held_out_of or ())]
    settings = [
        StatisticsSettings(structure, to_scalar, size, each)
        for size in dict.fromkeys(batch_size or [1])
        for each in range(seed, seed + seeds)
    ]
    opened = [tasks.get(name) for name in dict.fromkeys(task or tasks.names())]
    left_out = evolved_on(runs, opened)
    comparisons = []
    try:
        with bars() as shown:
            shown.load_kernels()
            for one in opened:
                rows = _rows(one, networks, seed, left_out[one.name])
                for each in settings:
                    label = f"test on {one.name}, batch {each.batch_size}, seed {each.seed}"
                    comparisons.append(
                        compare(
                            one,
                            rows,
                            chosen,
                            each,
                            resamples=resamples,
                            processes=processes,
                            journal=None if out is None else out / "journal",
                            progress=partial(shown.update, label),
                        )
                    )
    except KeyboardInterrupt:
        if out is not None:
            print_note(f"stopped; the same command goes on with the scores in {out}")
        raise
    tables = [comparison_table(each, comparisons) for each in shown_as.measures]
    if out is not None:
        _write(out, comparisons, tables, with_intervals=intervals)
    if as_json:
        print_json([comparison_record(comparison) for comparison in comparisons])
        return
    print_tables(tables, shown_as)


def _rows(task: Task, networks: int | None, seed: int, left_out: frozenset[int]) -> Sequence[int]:
    if left_out:
        print_note(f"{task.name}: the {len(left_out)} networks that runs evolved on are left out")
    return task.draw(networks, seed, left_out)


def _write(
    folder: Path,
    comparisons: list[Comparison],
    tables: list[CorrelationTable],
    *,
    with_intervals: bool,
) -> None:
    from eznas.errors import RunError
    from eznas.files import write_whole
    from eznas.ranking.comparison_files import comparison_record, write_scores
    from eznas.report import write_comparison_figure, write_sweep_figures, write_tables

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for comparison in comparisons:
            write_scores(comparison, folder)
            write_comparison_figure(comparison, folder)
        write_sweep_figures(comparisons, folder)
        write_tables(tables, folder / "table", with_intervals=with_intervals)
        records = [comparison_record(comparison) for comparison in comparisons]
        write_whole(folder / "comparisons.json", (json.dumps(records, indent=2) + "\n").encode())
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    print_note(f"scores, figures and tables: {folder}")
