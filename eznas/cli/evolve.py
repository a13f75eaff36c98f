"""`eznas evolve`: evolve a proxy on tasks and test it on held-out networks."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eznas.cli.console import Bars, bars, print_error, print_json, print_note
from eznas.cli.options import Backend, Json, Stores, TaskNames, Threads

if TYPE_CHECKING:
    from eznas.evolution import GenerationRecord, Observer, Outcome, RunFolder, RunSeconds


def evolve(
    preset: Annotated[
        str, typer.Option(help="paper (the paper's settings) or quick (about a minute).")
    ] = "paper",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A TOML file of settings, over the preset.")
    ] = None,
    task: TaskNames = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the evolution.", min=0, show_default="0")] = None,
    generations: Annotated[int | None, typer.Option(help="Generations.", min=1)] = None,
    population: Annotated[int | None, typer.Option(help="Programs in a generation; even.", min=4)] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting as NAME=VALUE (a TOML value), repeatable."),
    ] = None,
    backend: Backend = None,
    threads: Threads = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A new folder for the run.", show_default="runs/DATE-TIME"),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder; takes no other setting.")
    ] = None,
    stores: Stores = None,
    as_json: Json = False,
) -> None:
    """Evolve a zero-cost proxy against real accuracies, then test it on held-out networks.

    [bold]Examples[/]

      eznas evolve --preset quick

      eznas evolve --seed 3 --out runs/third --set crossover=0.5

      eznas evolve --resume runs/third
    """
    from eznas.evolution import RunFolder, make_config, new_run_folder
    from eznas.evolution import evolve as run_evolution
    from eznas.evolution import resume as resume_evolution

    flags = {
        "tasks": task and [_lasting(name) for name in task],
        "seed": seed,
        "generations": generations,
        "population": population,
        "backend": backend,
        "threads": threads,
    }
    overrides = {name: value for name, value in flags.items() if value is not None}
    overrides.update(_settings(setting or []))
    folder = RunFolder(resume or out or new_run_folder())
    if resume is not None and (overrides or config is not None or out is not None):
        raise typer.BadParameter(
            "goes on with the settings of the run; it takes no other setting", param_hint="--resume"
        )
    settings = None if resume else make_config(_preset(preset), config, overrides)
    try:
        with bars() as shown:
            if settings is None:
                outcome = resume_evolution(folder.path, _observer(shown), stores)
            else:
                outcome = run_evolution(settings, folder.path, _observer(shown), stores)
    except KeyboardInterrupt:
        print_note(f"stopped; go on with: eznas evolve --resume {folder.path}")
        raise
    _report(folder, outcome, as_json=as_json)


def _lasting(task: str) -> str:
    """The name of a task, or its folder in full, since a run may be resumed from another directory."""
    from eznas import tasks

    folder = Path(task)
    return str(folder.resolve()) if task not in tasks.names() and folder.is_dir() else task


def _preset(name: str) -> Any:
    from eznas.evolution import Preset

    if name not in list(Preset):
        raise typer.BadParameter(f"expected one of {', '.join(Preset)}, got {name!r}", param_hint="--preset")
    return Preset(name)


def _settings(assignments: list[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise typer.BadParameter(f"expected NAME=VALUE, got {assignment!r}", param_hint="--set")
        try:
            settings[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[name.strip()] = value.strip()
    return settings


def _observer(shown: Bars) -> Observer:
    from eznas.evolution import Observer

    class Shown(Observer):
        def compiling(self, done: int, total: int) -> None:
            shown.compiling(done, total)

        def collecting(self, task: str, done: int, total: int) -> None:
            shown.update(f"statistics of {task}", done, total)

        def announcing(self, message: str) -> None:
            shown.note(message)

        def generation_done(self, record: GenerationRecord, total: int) -> None:
            shown.note(_generation_line(record, total))
            shown.update_bar("generations", record.generation + 1, total)

        def testing(self, task: str, done: int, total: int) -> None:
            shown.update(f"held-out test on {task}", done, total)

    return Shown()


def _generation_line(record: GenerationRecord, total: int) -> str:
    return (
        f"generation {record.generation + 1:3d}/{total}  best {record.best:.3f}  "
        f"median {record.median:.3f}  valid {record.validity_rate:4.0%}  distinct {record.distinct:3d}  "
        f"memo {record.memo_rate:4.0%} of programs {record.subtree_rate:4.0%} of subtrees "
        f"{record.memo_bytes / 1e6:5.1f} MB  {record.seconds.total:5.1f} s  {record.best_program}"
    )


def _seconds_line(seconds: RunSeconds) -> str:
    phases = {phase.replace("_", " "): spent for phase, spent in seconds.phases.items()}
    phases["the rest"] = seconds.everything - sum(phases.values())
    parts = ", ".join(f"{phase} {spent:.1f}" for phase, spent in phases.items())
    return f"{seconds.everything:.1f} s: {parts}"


def _report(folder: RunFolder, outcome: Outcome, *, as_json: bool) -> None:
    from eznas.cli.tables import print_comparison, print_verdicts
    from eznas.report import write_figures

    if (seconds := folder.seconds()) is not None:
        print_note(_seconds_line(seconds))
    try:
        written = write_figures(folder.figures, folder.generations(), folder.programs(), outcome)
    except OSError as error:
        print_error(f"the run is whole, but its figures cannot be written: {error}")
        written = []
    if as_json:
        print_json(json.loads(folder.result_file.read_text(encoding="utf-8")))
        return
    for comparison in outcome.comparisons:
        print_comparison(comparison)
    print_verdicts(outcome)
    if written:
        print_note(f"figures: {folder.figures}    result: {folder.result_file}")
