"""`eznas bench`: how fast programs are evaluated, against eager torch and other evaluators."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from eznas.cli.console import bars, output, print_note
from eznas.cli.options import Seed, Stores

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eznas.benchmark.report import BenchOptions, BenchReport

_QUICK: dict[str, Any] = {
    "networks": 4, "programs": 20, "repeats": 1, "budget": 1.0, "baseline_budget": 5.0
}  # fmt: skip
_USUAL: dict[str, Any] = {
    "networks": 40, "programs": None, "repeats": 2, "budget": 5.0, "baseline_budget": 20.0
}  # fmt: skip
_FULL: dict[str, Any] = {**_USUAL, "budget": 30.0, "baseline_budget": math.inf}

_T = TypeVar("_T")


def bench(
    workload: Annotated[
        list[str] | None,
        typer.Option(
            "--workload", "-w", help="random, evolved, deep or elementwise, repeatable; default: all."
        ),
    ] = None,
    backend: Annotated[
        list[str] | None, typer.Option("--backend", "-b", help="A backend, repeatable; default: all.")
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option(
            "--peer",
            "-p",
            help="torchscript-trees, torch-compile, jax, numexpr, pyoperon or none, repeatable; default: all "
            "that are installed.",
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="workloads, peers, operations, growth, memo, roofline or cold, repeatable; default: all."
        ),
    ] = None,
    networks: Annotated[
        int | None, typer.Option("--networks", "-n", help="Networks.", min=1, show_default="40")
    ] = None,
    programs: Annotated[
        int | None, typer.Option(help="Only the first programs of each workload.", min=1, show_default="all")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads, for eznas and all peers.", min=1)] = 1,
    repeats: Annotated[
        int | None,
        typer.Option(help="Of each measurement; the least counts.", min=1, show_default="2"),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            help="Seconds for a backend on a workload, half of it for a peer; what is slow is measured on "
            "fewer networks or programs.",
            min=0.01,
            show_default="5",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="4 networks, 20 programs a workload, one repetition.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Everything on all networks, with longer budgets: half an hour.")
    ] = False,
    space: Annotated[str, typer.Option(help="The space of the networks.")] = "nats-tss",
    seed: Seed = 0,
    stores: Stores = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every figure as JSON; - prints it.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the report into a .png, .svg or .pdf file.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as Markdown.")
    ] = None,
    date: Annotated[str | None, typer.Option(help="A date to stand in the Markdown.")] = None,
    freeze: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Make the frozen workloads again, into this folder, and stop."),
    ] = None,
) -> None:
    """Measure how fast programs are evaluated: backends and peers on the same work, against eager torch.

    Results are compared with eager torch before anything is timed; wrong ones are listed, and end the command
    with exit code 1. A run takes about five minutes: what is slow, eager torch among it, is measured on as
    many networks as its time allows, and every ratio is of the same programs on the same networks. The
    statistics of the networks (1.1 GB for 40) are collected once and kept.

    [bold]Examples[/]

      eznas bench --quick

      eznas bench --workload deep --backend tile --backend eager --part workloads --threads 2

      eznas bench --part operations --peer none --json figures.json

      eznas bench --full --json bench.json --picture bench.png --markdown bench/RESULTS.md
    """
    from eznas.benchmark.networks import NetworkSettings
    from eznas.benchmark.run import run_bench

    if quick and full:
        raise typer.BadParameter("expected one of --quick and --full")
    chosen = _QUICK if quick else _FULL if full else _USUAL
    settings = NetworkSettings(space, _or(networks, chosen["networks"]), seed)
    if freeze is not None:
        _freeze(freeze, settings, stores)
        return
    options = _options(
        settings, workload, backend, peer, part,
        programs=_or(programs, chosen["programs"]),
        threads=threads,
        repeats=_or(repeats, chosen["repeats"]),
        budget=_or(budget, chosen["budget"]),
        baseline_budget=chosen["baseline_budget"],
    )  # fmt: skip
    if picture is not None:
        _check_picture(picture)
    with bars() as shown:
        shown.load_kernels()
        report = run_bench(options, shown.update, shown.note, stores)
    _write(report, json_file, picture, markdown, date)
    if report.wrong:
        print_note(f"{report.wrong} results of backends are wrong; see the table of wrong results")
        raise typer.Exit(1)


def _or(given: _T | None, default: _T) -> _T:
    return default if given is None else given


def _options(
    networks: Any,
    workloads: list[str] | None,
    backends: list[str] | None,
    peers: list[str] | None,
    parts: list[str] | None,
    **settings: Any,
) -> BenchOptions:
    from eznas.backends import BACKEND_NAMES
    from eznas.benchmark.peers import PEERS
    from eznas.benchmark.report import BenchOptions, Part
    from eznas.benchmark.workloads import WORKLOAD_NAMES

    return BenchOptions(
        networks=networks,
        workloads=_names(workloads, WORKLOAD_NAMES, "--workload"),
        backends=_names(backends, BACKEND_NAMES, "--backend"),
        peers=() if peers == ["none"] else _names(peers, PEERS, "--peer"),
        parts=tuple(map(Part, _names(parts, list(Part), "--part"))),
        **settings,
    )


def _names(given: list[str] | None, known: Iterable[str], option: str) -> tuple[str, ...]:
    """What was given, each once, or everything."""
    allowed = tuple(known)
    for name in given or ():
        if name not in allowed:
            raise typer.BadParameter(f"expected one of {', '.join(allowed)}, got {name!r}", param_hint=option)
    return tuple(dict.fromkeys(given or allowed))


def _check_picture(file: Path) -> None:
    from eznas.benchmark.picture import FORMATS

    if file.suffix not in FORMATS:
        raise typer.BadParameter(
            f"expected a file that ends in {', '.join(FORMATS)}, got {file}", param_hint="--picture"
        )


def _freeze(folder: Path, settings: Any, stores: Path | None) -> None:
    from functools import partial

    from eznas.benchmark.freezing import freeze
    from eznas.benchmark.networks import bench_networks

    with bars() as shown:
        shown.load_kernels()
        store = bench_networks(settings, stores, shown.note, partial(shown.update, "statistics"))
        written = _writing(folder, lambda: freeze(folder, store, settings, shown.note))
    for file in written:
        print_note(f"workload: {file}")


def _write(
    report: BenchReport, json_file: Path | None, picture: Path | None, markdown: Path | None, date: str | None
) -> None:
    from eznas.benchmark.picture import write_picture
    from eznas.benchmark.rendering import markdown_report, terminal_report
    from eznas.benchmark.report import report_record

    record = json.dumps(report_record(report), indent=2)
    if json_file == Path("-"):
        print(record)  # noqa: T201 - rich would wrap and colour it
    else:
        output().print(terminal_report(report), highlight=False)
        if json_file is not None:
            _writing(json_file, lambda: json_file.write_text(record + "\n", encoding="utf-8"))
    if picture is not None:
        _writing(picture, lambda: write_picture(report, picture))
    if markdown is not None:
        _writing(markdown, lambda: markdown.write_text(markdown_report(report, date), encoding="utf-8"))
    for file in (json_file, picture, markdown):
        if file not in (None, Path("-")):
            print_note(f"written: {file}")


def _writing(path: Path, write: Any) -> Any:
    from eznas.errors import RunError

    try:
        return write()
    except OSError as error:
        raise RunError(f"cannot write to {path}: {error.strerror or error}") from error
