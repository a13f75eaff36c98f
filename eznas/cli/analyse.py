"""`eznas analyse`: what a program does, beyond how well it ranks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from eznas.cli.console import bars, output, print_json, print_note
from eznas.cli.options import BatchSize, Json, Programs, Seed, Structure, TaskNames, Threads, ToScalar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eznas.analysis import (
        Contributions,
        Response,
        ResponseSettings,
        Section,
        SeedSensitivity,
        TaskAnalysis,
        Ties,
    )
    from eznas.program import AnyProgram, Program
    from eznas.ranking import Contender

_MOST_ROWS = 20


def analyse(
    programs: Programs,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Sections, separated by commas: response, contribution, ties, seeds.", show_default="all"
        ),
    ] = None,
    task: TaskNames = None,
    networks: Annotated[
        int, typer.Option("--networks", "-n", help="Networks of each task, drawn by the seed.", min=3)
    ] = 80,
    seeds: Annotated[
        int, typer.Option(help="Seeds of weights, images and noise to compare, from --seed on.", min=2)
    ] = 4,
    repetitions: Annotated[
        int, typer.Option(help="Random layers of each size for the response; 5,000 as in the paper.", min=1)
    ] = 5000,
    channels: Annotated[str, typer.Option(help="Channels to respond to.")] = "4,8,16,32,64,128",
    kernels: Annotated[str, typer.Option(help="Kernel sizes to respond to.")] = "1,3,5,7",
    sides: Annotated[str, typer.Option(help="Map sizes to respond to.")] = "4,8,16,32,64",
    structure: Structure = "rcb",
    to_scalar: ToScalar = "mean",
    batch_size: BatchSize = 1,
    seed: Seed = 0,
    threads: Threads = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder for all figures: CSV, PNG and SVG.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Analyse programs: response to sizes, the part of each subtree, ties, and sensitivity to the seed.

    The response is measured on layers of random tensors with 16 channels, kernels of 3 and maps of 16, of
    which one is varied (the paper's figure 6); everything else on untrained networks of tasks.

    [bold]Examples[/]

      eznas analyse eznas-a

      eznas analyse eznas-a eznas-a-paper --only response --repetitions 500 --out response

      eznas analyse "mean(abs(T3G_N))" --task mnist-size --only contribution,ties --networks 200

      eznas analyse runs/third --only seeds --seeds 8 --json
    """
    from eznas import tasks
    from eznas.analysis import LayerSizes, ResponseSettings, Section, analyse_task, measure_response
    from eznas.analysis.files import response_record, task_record
    from eznas.cli.programs import contender
    from eznas.ranking import StatisticsSettings

    sections = _sections(only)
    chosen = [contender(argument) for argument in programs]
    wanted = [_tree(each.program) for each in chosen]
    of_tasks = sections - {Section.RESPONSE}
    opened = [tasks.get(name) for name in (task or tasks.names())] if of_tasks else []
    response_settings = ResponseSettings(
        _numbers("--channels", channels),
        _numbers("--kernels", kernels),
        _numbers("--sides", sides),
        LayerSizes(16, 3, 16, batch_size),
        repetitions,
        to_scalar,
        seed,
    )
    settings = StatisticsSettings(structure, to_scalar, batch_size, seed)
    responses: tuple[Response, ...] = ()
    analyses: list[TaskAnalysis] = []
    with bars() as shown:
        shown.load_kernels()
        if Section.RESPONSE in sections:
            update = _Hundredths(partial(shown.update, "random layers, per cent"))
            responses = measure_response(wanted, response_settings, threads, update)
        for one in opened:
            progress = partial(shown.update, f"networks of {one.name}")
            rows = one.draw(networks, seed)
            analyses += analyse_task(one, rows, wanted, of_tasks, settings, seeds, progress)
    if out is not None:
        _write(out, chosen, responses, analyses, response_settings)
    if as_json:
        print_json(
            {
                "response": [response_record(response) for response in responses],
                "tasks": [task_record(analysis) for analysis in analyses],
            }
        )
        return
    for response in responses:
        _print_response(response)
    for analysis in analyses:
        _print_analysis(analysis)


def _tree(program: AnyProgram) -> Program:
    """The program, or the tree of one that is a list of instructions, since subtrees are replaced."""
    from eznas.errors import ConfigError
    from eznas.program import Program

    found = program if isinstance(program, Program) else program.as_tree()
    if found is None:
        raise ConfigError(f"expected a program of moderate size as a tree, got the far larger {program}")
    return found


class _Hundredths:
    """Tells of whole hundredths, each once, since the parts of the work are of many sizes."""

    def __init__(self, told: Callable[[int, int], None]) -> None:
        self._told = told
        self._last = 0

    def __call__(self, done: int, total: int) -> None:
        for hundredth in range(self._last + 1, 100 * done // total + 1):
            self._last = hundredth
            self._told(hundredth, 100)


def _sections(only: Sequence[str] | None) -> frozenset[Section]:
    from eznas.analysis import Section

    asked = [name.strip() for text in only or () for name in text.split(",")]
    for name in asked:
        if name not in list(Section):
            raise typer.BadParameter(f"expected sections of {', '.join(Section)}, got {name!r} for --only")
    return frozenset(map(Section, asked)) or frozenset(Section)


def _numbers(option: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(number) for number in text.split(",")))
    except ValueError:
        raise typer.BadParameter(
            f"expected whole numbers, separated by commas, got {text!r} for {option}"
        ) from None


def _write(
    folder: Path,
    contenders: Sequence[Contender],
    responses: Sequence[Response],
    analyses: Sequence[TaskAnalysis],
    settings: ResponseSettings,
) -> None:
    from eznas.analysis.files import write_responses, write_task_analyses
    from eznas.errors import RunError
    from eznas.report.response_figures import write_response_figure, write_task_figures

    names = [contender.name for contender in contenders]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if responses:
            write_responses(responses, folder)
            write_response_figure(responses, folder, settings.repetitions, names)
        write_task_analyses(analyses, folder)
        for position, analysis in enumerate(analyses):
            number = f"-{position % len(names) + 1}" if len(names) > 1 else ""
            write_task_figures(analysis, folder, number)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    print_note(f"CSV files and figures: {folder}")


def _print_response(response: Response) -> None:
    table = Table(title=f"{escape(str(response.program))}\nresponse to {response.axis}", title_justify="left")
    for heading in (str(response.axis), "mean score", "deviation", "95 % of the scores", "scored"):
        table.add_column(heading, justify="right")
    for point in response.points:
        table.add_row(
            str(point.size),
            f"{point.mean:.6g}",
            f"{point.deviation:.3g}",
            f"{point.low:.6g} to {point.high:.6g}",
            f"{point.scored} of {point.repetitions}",
        )
    output().print(table)
    failing = [point for point in response.points if point.failure is not None]
    if failing:
        sizes = ", ".join(str(point.size) for point in failing)
        print_note(f"missing scores with {response.axis} {sizes}: {failing[0].failure}")


def _print_analysis(analysis: TaskAnalysis) -> None:
    console = output()
    networks = len(analysis.architectures)
    console.print(
        f"[bold]{escape(analysis.task)}[/], {networks} networks: {escape(str(analysis.program))}",
        soft_wrap=True,
        highlight=False,
    )
    if analysis.contributions is not None:
        _print_contributions(analysis.contributions)
    lines = [] if analysis.ties is None else _ties_lines(analysis.ties)
    if analysis.seeds is not None:
        lines += _seeds_lines(analysis.seeds)
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)


def _ties_lines(ties: Ties) -> list[str]:
    reasons = "; ".join(f"{reason}: {count}" for reason, count in ties.failures)
    missing = f"not scored: {ties.not_scored:.1%}" + (f" ({reasons})" if reasons else "")
    if not ties.scored:
        return [missing]
    return [
        f"ties: {ties.distinct} distinct scores of {ties.scored} ({ties.distinct_float32} in float32); "
        f"the largest group holds {ties.largest_group}; {ties.tied_pairs:.2%} of pairs are tied",
        f"saturation: {ties.at_lowest:.1%} of networks at the lowest score, {ties.at_highest:.1%} at the "
        f"highest; relative deviation {ties.relative_deviation:.3g}; the range is "
        f"{ties.float32_steps:.3g} steps of float32",
        missing,
    ]


def _seeds_lines(seeds: SeedSensitivity) -> list[str]:
    between, with_accuracy = seeds.tau_between_seeds, seeds.tau_with_accuracy
    if seeds.scored < 2:
        return [f"seeds: {seeds.scored} networks have a score for all {len(seeds.seeds)} seeds"]
    return [
        f"seeds: deviation over {len(seeds.seeds)} seeds {seeds.deviation_over_seeds:.3g}, over "
        f"{seeds.scored} networks {seeds.deviation_over_networks:.3g}",
        f"Kendall tau between seeds: {sum(between) / len(between):+.3f} "
        f"({min(between):+.3f} to {max(between):+.3f})",
        f"Kendall tau with accuracy: {', '.join(f'{tau:+.3f}' for tau in with_accuracy)} by seed; "
        f"{seeds.tau_of_mean:+.3f} for the mean over the seeds",
    ]


def _print_contributions(found: Contributions) -> None:
    sign = "higher" if found.orientation > 0 else "lower"
    table = Table(
        title=f"Kendall tau {found.tau:+.3f} ({sign} is better), with a subtree replaced",
        title_justify="left",
    )
    table.add_column("subtree", overflow="fold")
    table.add_column("replaced by")
    for heading in ("tau", "change", "tau with its scores", "scored"):
        table.add_column(heading, justify="right")
    for entry in found.entries[:_MOST_ROWS]:
        variant = entry.variant
        by = str(variant.by) if variant.by.size == 1 else str(variant.replacement)
        taus = (entry.tau, entry.change, entry.agreement)
        table.add_row(
            escape(str(variant.subtree)),
            by,
            *(f"{tau:+.3f}" if entry.scored > 1 else "" for tau in taus),
            str(entry.scored),
        )
    output().print(table)
    if len(found.entries) > _MOST_ROWS:
        print_note(f"{len(found.entries) - _MOST_ROWS} more that help less: see --out or --json")
