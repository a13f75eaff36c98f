"""`eznas report`: the story of a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eznas.cli.console import print_json, print_note
from eznas.cli.options import Json

if TYPE_CHECKING:
    from eznas.evolution import EvolutionConfig

# The defaults are those of `eznas.report.energy.PowerAssumptions`, whose import `--help` need not wait for.
_ENERGY = "Estimate of energy and carbon"


def report(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a run, finished or not.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write.", show_default="RUN/report.html")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    watts_per_core: Annotated[
        float, typer.Option(help="Power of a busy core in watts.", rich_help_panel=_ENERGY)
    ] = 12.0,
    cores: Annotated[
        int | None,
        typer.Option(
            help="Cores that the run kept busy.",
            min=1,
            show_default="its threads, or the processors of this machine",
            rich_help_panel=_ENERGY,
        ),
    ] = None,
    usage: Annotated[
        float, typer.Option(help="Share of that power that was drawn, 0 to 1.", rich_help_panel=_ENERGY)
    ] = 1.0,
    memory: Annotated[
        float, typer.Option(help="Memory of the machine in GB, used or not.", rich_help_panel=_ENERGY)
    ] = 8.0,
    pue: Annotated[
        float,
        typer.Option(help="Power usage effectiveness of the building, at least 1.", rich_help_panel=_ENERGY),
    ] = 1.67,
    carbon_intensity: Annotated[
        float, typer.Option(help="Grams of CO2e for a kilowatt-hour.", rich_help_panel=_ENERGY)
    ] = 475.0,
    as_json: Json = False,
) -> None:
    """Write the story of a run as one HTML file, which needs no network and no other file.

    It holds the settings, the evolution, the time, the candidates as formulas and trees, their test on
    held-out networks, and an estimate of energy and carbon after Green Algorithms. An unfinished run is shown
    as far as it has come.

    [bold]Examples[/]

      eznas report runs/third

      eznas report runs/third --out third.html --open

      eznas report runs/third --cores 8 --watts-per-core 9.4 --pue 1.2 --carbon-intensity 57 --json
    """
    from eznas.errors import RunError
    from eznas.files import write_whole
    from eznas.report.energy import Footprint, PowerAssumptions
    from eznas.report.html import read_story, render_page, report_record

    assumptions = PowerAssumptions(
        watts_per_core=watts_per_core, usage=usage, memory=memory, pue=pue, carbon_intensity=carbon_intensity
    )
    story = read_story(run)
    count, cores_from = _cores(cores, story.config)
    footprint = Footprint(story.everything, count, assumptions)
    file = run / "report.html" if out is None else out
    page = render_page(story, footprint, cores_from)
    try:
        # The name of a folder may hold bytes that are no text.
        write_whole(file, page.encode(errors="replace"))
    except OSError as error:
        raise RunError(f"cannot write the report {file}: {error.strerror or error}") from error
    if as_json:
        print_json(report_record(story, footprint, cores_from))
    else:
        print_note(f"report: {file}")
    if open_page:
        import webbrowser

        webbrowser.open(file.resolve().as_uri())


def _cores(given: int | None, config: EvolutionConfig) -> tuple[int, str]:
    """How many cores the estimate counts, and why so many."""
    if given is not None:
        return given, "as given by --cores"
    if config.threads is not None:
        return config.threads, "threads of the configuration"
    from eznas.threads import available_processors

    why = "processors of the machine that made this report; a run takes all of its own and records no number"
    return available_processors(), why
