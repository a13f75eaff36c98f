"""`eznas search`: architecture search on a task, with a proxy and without."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from eznas.cli.console import Bars, bars, output, print_json, print_note
from eznas.cli.options import BatchSize, Json, Processes, Seed, Structure, ToScalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eznas.ranking import AnyContender
    from eznas.search import Method, SearchObserver, SearchOutcome, SearchSettings
    from eznas.tasks import Task


def search(
    program: Annotated[
        str,
        typer.Argument(
            help="A program text, the name of a program or of a proxy, or the folder of a finished run.",
            show_default=False,
        ),
    ],
    task: Annotated[
        str, typer.Option("--task", "-t", help="The task to search, by name or folder.")
    ] = "mnist-topology",
    trained: Annotated[
        int | None,
        typer.Option(
            help="Networks that each search trains.", show_default="300; less on small tasks", min=1
        ),
    ] = None,
    repetitions: Annotated[int, typer.Option(help="Searches of each method.", min=1)] = 10,
    population: Annotated[
        int | None,
        typer.Option(
            help="The latest networks, which parents are drawn from.", show_default="50; less", min=1
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(help="Networks drawn for each parent; the best is it.", show_default="10; less", min=1),
    ] = None,
    warm_up: Annotated[
        int | None,
        typer.Option(help="Random networks that a warm-up scores.", show_default="1000; less", min=1),
    ] = None,
    candidates: Annotated[
        int, typer.Option(help="Mutations that a move filter scores; the best is trained.", min=1)
    ] = 5,
    pool: Annotated[
        int | None,
        typer.Option(
            help="Warm-ups of all repetitions draw from so many networks, so that fewer are scored.",
            show_default="all networks of the task",
            min=1,
        ),
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            help="Separated by commas: random, evolution, warm-up, move-filter, both.", show_default="all"
        ),
    ] = None,
    target: Annotated[
        list[float] | None,
        typer.Option(
            help="An accuracy in per cent to reach, repeatable.",
            show_default="those of the best 5 % and 1 % of the task",
        ),
    ] = None,
    lower_is_better: Annotated[
        bool,
        typer.Option("--lower-is-better", help="Lower scores of a program text mean higher accuracy."),
    ] = False,
    structure: Structure = "rcb",
    to_scalar: ToScalar = "mean",
    batch_size: BatchSize = 1,
    seed: Seed = 0,
    processes: Processes = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A folder for scores, figure and CSV; the same command goes on."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Search a task for its best network: by chance, by aging evolution, and by evolution with a proxy.

    Training is looking the accuracy up; what counts is how many networks are trained until a good one is
    found. A proxy helps as warm-up (the first population is the best of many random networks by score) and
    as move filter (the best of several mutations by score is trained). With --out every score is kept at
    once: the same command goes on where it was stopped.

    [bold]Examples[/]

      eznas search eznas-a

      eznas search eznas-b --task mnist-size --trained 60 --repetitions 20 --out searches/size

      eznas search naswot --task tables/nats-tss-cifar10 --target 93.5 --target 94 --pool 1000

      eznas search "mean(abs(T3G_N))" --methods evolution,both --lower-is-better --json
    """
    from eznas import tasks
    from eznas.cli.programs import evolved_on
    from eznas.ranking import StatisticsSettings
    from eznas.search import ProxyScores, default_targets, run_searches
    from eznas.search.files import search_record

    chosen = _methods(methods)
    contender = _contender(program, lower_is_better=lower_is_better)
    opened = tasks.get(task)
    if seen := evolved_on([program], [opened])[opened.name]:
        print_note(
            f"the run evolved on {len(seen)} of the {len(opened.architectures)} networks of {opened.name}: "
            f"what the search gains is no fair estimate for other tasks"
        )
    given = {"trained": trained, "population": population, "sample": sample, "warm_up": warm_up}
    settings = _settings(opened, given, repetitions, candidates, pool, seed)
    scores = ProxyScores(
        opened,
        contender,
        StatisticsSettings(structure, to_scalar, batch_size, seed),
        processes,
        None if out is None else out / "journal",
    )
    try:
        with bars() as shown:
            if any(method.warms_up or method.filters_moves for method in chosen):
                shown.load_kernels()
            outcome = run_searches(scores, settings, chosen, _observer(shown))
    except KeyboardInterrupt:
        if out is not None:
            print_note(f"stopped; the same command goes on with the scores in {out}")
        raise
    targets = sorted(target or default_targets(outcome))
    record = search_record(outcome, targets)
    if out is not None:
        _write(outcome, targets, out)
    if as_json:
        print_json(record)
        return
    _print(outcome, targets)


def _methods(given: Sequence[str] | None) -> list[Method]:
    from eznas.search import Method

    asked = [name.strip() for text in given or () for name in text.split(",")]
    for name in asked:
        if name not in list(Method):
            raise typer.BadParameter(f"expected methods of {', '.join(Method)}, got {name!r} for --methods")
    return list(dict.fromkeys(map(Method, asked))) or list(Method)


def _contender(argument: str, *, lower_is_better: bool) -> AnyContender:
    from eznas.cli.programs import contenders
    from eznas.ranking import Contender

    (found,) = contenders([argument])
    if not lower_is_better:
        return found
    if not isinstance(found, Contender) or found.name != str(found.program):
        raise typer.BadParameter(
            f"is for program texts alone: it is known which scores of {argument} are better",
            param_hint="--lower-is-better",
        )
    return replace(found, orientation=-1)


def _settings(
    task: Task,
    given: dict[str, int | None],
    repetitions: int,
    candidates: int,
    pool: int | None,
    seed: int,
) -> SearchSettings:
    """What was given, and for the rest what fits the task and what was given."""
    from eznas.search import SearchSettings, fitting_sizes

    networks = len(task.architectures)
    sizes = fitting_sizes(networks, given["trained"], pool)
    sizes |= {name: size for name, size in given.items() if size is not None}
    return SearchSettings(**sizes, repetitions=repetitions, candidates=candidates, pool=pool, seed=seed)


def _observer(shown: Bars) -> SearchObserver:
    from eznas.search import SearchObserver

    class Shown(SearchObserver):
        def scoring(self, done: int, total: int) -> None:
            shown.update("networks scored to begin with", done, total)

        def training(self, done: int, total: int) -> None:
            shown.update("trained networks of all searches", done, total)

    return Shown()


def _write(outcome: SearchOutcome, targets: Sequence[float], folder: Path) -> None:
    from eznas.errors import RunError
    from eznas.files import write_whole
    from eznas.report.search_figures import write_search_figure
    from eznas.search.files import search_record, write_search_files

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_search_files(outcome, folder)
        write_search_figure(outcome, folder, targets)
        content = json.dumps(search_record(outcome, targets), indent=2) + "\n"
        write_whole(folder / "search.json", content.encode())
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    print_note(f"figure and CSV files: {folder}")


def _print(outcome: SearchOutcome, targets: Sequence[float]) -> None:
    from eznas.search import curve, reached

    settings = outcome.settings
    by = "" if outcome.proxy is None else f", proxy {outcome.proxy}"
    table = Table(
        title=escape(
            f"{outcome.task.name}{by}: {settings.repetitions} searches of {settings.trained} trained "
            f"networks of {len(outcome.task.architectures)}\nbest accuracy of the task: "
            f"{outcome.task.accuracies.max():.2f} %; intervals of the means: 95 %, bootstrap"
        ),
        title_justify="left",
    )
    table.add_column("method", no_wrap=True)
    table.add_column("best accuracy", justify="right")
    for target in targets:
        table.add_column(f"trained to reach {target:g} %", justify="right")
    table.add_column("scored", justify="right")
    for method in outcome.methods:
        of_method = curve(outcome, method)
        cells = []
        for target in targets:
            found = reached(outcome, method, target)
            bound = f"≥ {found.trained.text(1)}, {found.reached} of {found.repetitions}"
            cells.append(bound if found.is_bound else found.trained.text(1))
        best = of_method.at(settings.trained).text(2)
        table.add_row(str(method), best, *cells, f"{of_method.scored[-1]:.0f}")
    output().print(table)
    if outcome.proxy is not None:
        print_note(f"{outcome.scored} different networks were scored in all searches together")
    if outcome.without_score:
        print_note(f"{outcome.without_score} of them have no score, and count as the worst")
