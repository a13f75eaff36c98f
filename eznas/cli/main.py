"""The entry point: the commands, and errors as one line."""

from __future__ import annotations

import sys

import typer

from eznas.cli import (
    analyse,
    bench,
    collect,
    compare,
    evolve,
    export,
    report,
    score,
    search,
    show,
    study,
    tasks,
)
from eznas.cli.console import print_error
from eznas.errors import EznasError

INTERRUPTED = 130
"""The exit code of a process that was stopped by Ctrl-C, as shells count it."""

app = typer.Typer(
    name="eznas",
    help="Discover zero-cost proxies: formulas that rank untrained networks by their accuracy once trained.",
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(evolve.evolve)
app.command("test")(compare.compare_programs)
app.command()(score.score)
app.command()(show.show)
app.command()(collect.collect)
app.command()(analyse.analyse)
app.command()(export.export)
app.command()(search.search)
app.command()(report.report)
app.command()(bench.bench)
app.add_typer(study.app, name="study")
app.add_typer(tasks.app, name="tasks")


@app.callback(invoke_without_command=True, epilog="Errors are one line; --debug shows the whole traceback.")
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        from eznas import __version__

        typer.echo(__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Run a command; errors that eznas raises on purpose become one line, and exit code 1."""
    given = sys.argv[1:] if arguments is None else arguments
    # Taken out here, so that it works before and after the name of the command.
    debug = "--debug" in given
    # As `python -m eznas` does, so that spaces of the user's own are found beside the data.
    sys.path.insert(0, "")
    try:
        sys.exit(app([argument for argument in given if argument != "--debug"], standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)
    except typer.TyperException as error:
        if debug:
            raise
        print_error(f"{error.format_message()} (see --help)")
        sys.exit(error.exit_code)
    except EznasError as error:
        if debug:
            raise
        # Syntax errors have a picture of the place below their first line, which says it all.
        print_error(str(error).partition("\n")[0])
        sys.exit(1)
