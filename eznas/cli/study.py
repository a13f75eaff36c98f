"""`eznas study`: the same evolution with one setting varied, and one test of all that it finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from eznas.cli.console import Bars, bars, output, print_json, print_note
from eznas.cli.options import Json, Stores, TaskNames, Threads
from eznas.cli.table_options import DEFAULT_MEASURES, Format, Intervals, Measures

if TYPE_CHECKING:
    from eznas.evolution import GenerationRecord, Observer
    from eznas.ranking import StatisticsSettings
    from eznas.report import Measure
    from eznas.studies import StudyObserver, StudyOutcome, StudyRun

app = typer.Typer(
    help="Studies: the same evolution with one setting varied, and one test of all that it finds.",
    no_args_is_help=True,
)


@app.command("list")
def list_studies(as_json: Json = False) -> None:
    """The studies that are ready to run.

    [bold]Example[/]

      eznas study list
    """
    from eznas import studies

    found = [studies.get(name) for name in studies.names()]
    if as_json:
        print_json([study.model_dump(mode="json") for study in found])
        return
    table = Table()
    for heading in ("study", "varies", "seeds", "question"):
        table.add_column(heading, no_wrap=heading != "question")
    for study in found:
        values = ", ".join(map(str, study.values)) or "each"
        table.add_row(study.name, escape(f"{study.axis}: {values}"), str(study.seeds), escape(study.question))
    output().print(table)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="A study of `eznas study list`, or a TOML file of one's own.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="The folder of the study; the same command goes on with it."),
    ],
    task: TaskNames = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Short evolutions, to see that everything works.")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(help="Evolutions of each value, with seeds from 0.", min=1, show_default="the study's"),
    ] = None,
    threads: Threads = None,
    stores: Stores = None,
    measure: Measures = None,
    intervals: Intervals = True,
    table_format: Format = None,
    as_json: Json = False,
) -> None:
    """Run every evolution of a study and test the best programs of all on all tasks.

    Each evolution is an ordinary run folder below OUT/runs. Finished ones are kept and interrupted ones go
    on; more seeds or tasks add to them. No program is tested on a network that any of the runs evolved on.

    [bold]Examples[/]

      eznas study run transfer --out studies/transfer

      eznas study run to-scalar --quick --seeds 2 --out studies/to-scalar
    """
    from eznas import studies
    from eznas.cli.table_options import chosen_tables
    from eznas.cli.tables import print_tables

    shown_as = chosen_tables(
        measure or DEFAULT_MEASURES, table_format, as_json=as_json, with_intervals=intervals
    )
    overrides = {"seeds": seeds, "tasks": task}
    study = studies.get(
        name, quick=quick, overrides={key: value for key, value in overrides.items() if value is not None}
    )
    try:
        with bars() as shown:
            outcome = studies.run_study(study, out, _observer(shown), stores, threads)
    except KeyboardInterrupt:
        print_note(f"stopped; the same command goes on with the runs in {out}")
        raise
    _write(outcome, out, shown_as.measures, with_intervals=intervals)
    if as_json:
        print_json(studies.study_record(outcome))
        return
    print_tables([studies.study_table(outcome, each) for each in shown_as.measures], shown_as)
    for finished in outcome.runs:
        print_note(f"{finished.run.name}: {finished.best.program}")


def _observer(shown: Bars) -> StudyObserver:
    from eznas.evolution import Observer
    from eznas.studies import StudyObserver

    class OfRun(Observer):
        def __init__(self, name: str) -> None:
            self._name = name

        def compiling(self, done: int, total: int) -> None:
            shown.compiling(done, total)

        def collecting(self, task: str, done: int, total: int) -> None:
            shown.update(f"{self._name}: statistics of {task}", done, total)

        def announcing(self, message: str) -> None:
            shown.note(message)

        def generation_done(self, record: GenerationRecord, total: int) -> None:
            shown.update(f"{self._name}: generations", record.generation + 1, total)

        def testing(self, task: str, done: int, total: int) -> None:
            shown.update(f"{self._name}: held-out test on {task}", done, total)

    class Shown(StudyObserver):
        def of_run(self, run: StudyRun) -> Observer:
            return OfRun(run.name)

        def run_begins(self, run: StudyRun, number: int, total: int) -> None:
            shown.note(f"evolution {number} of {total}: {run.name}")

        def run_kept(self, run: StudyRun, number: int, total: int) -> None:
            shown.note(f"evolution {number} of {total}: {run.name} is finished already")

        def testing(self, task: str, settings: StatisticsSettings, done: int, total: int) -> None:
            how = f"{settings.structure}, {settings.to_scalar}, batch {settings.batch_size}"
            shown.update(f"test of all on {task} ({how})", done, total)

    return Shown()


def _write(
    outcome: StudyOutcome, folder: Path, measures: tuple[Measure, ...], *, with_intervals: bool
) -> None:
    from eznas.errors import RunError
    from eznas.studies import write_study

    try:
        write_study(outcome, folder, measures, with_intervals=with_intervals)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    print_note(f"tables, figure and scores: {folder}")
