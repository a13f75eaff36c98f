"""`eznas tasks import`: the accuracy table of a published benchmark becomes a task."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from eznas.cli.console import bars, output, print_json, print_note
from eznas.cli.options import Json, Seed
from eznas.errors import TaskError

if TYPE_CHECKING:
    from eznas.tasks.images import Images
    from eznas.tasks.importing import CostCheck, Format, Records

_SAMPLE = 64
"""Architectures whose parameters and FLOPs are counted where the benchmark records none."""


def import_task(
    name: Annotated[str, typer.Argument(help="The name of the new task.")],
    path: Annotated[Path, typer.Argument(help="The benchmark's file or folder.", show_default=False)],
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help="nats-bench, nas-bench-201, nds, nas-bench-suite-zero or csv.",
            show_default=False,
        ),
    ],
    data_set: Annotated[
        str, typer.Option(help="As the benchmark calls it: cifar10, ImageNet16-120, ...", show_default=False)
    ],
    split: Annotated[
        str,
        typer.Option(
            help="test, valid, or the benchmark's own: ori-test, x-test, x-valid; nds: test-last, test-best.",
            show_default=False,
        ),
    ],
    images: Annotated[
        str,
        typer.Option(
            help="Images of the data set: python batches of CIFAR or ImageNet16, .npz, or an image folder.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the task.", show_default=False)],
    epochs: Annotated[
        int | None,
        typer.Option(help="Of training; needed but for nas-bench-suite-zero.", min=1, show_default=False),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="csv: a space by name, or package.module:ClassName. nds: another than the file's name says."
        ),
    ] = None,
    architecture_column: Annotated[str, typer.Option(help="csv: the column of architectures.")] = "arch",
    accuracy_column: Annotated[
        str, typer.Option(help="csv: the column of accuracies in per cent.")
    ] = "accuracy",
    classes: Annotated[
        int | None, typer.Option(help="Classes of the data set.", min=2, show_default="by the data set")
    ] = None,
    normalisation: Annotated[
        str | None,
        typer.Option(help="mnist, cifar10, ..., imagenet, half or none.", show_default="by the data set"),
    ] = None,
    side: Annotated[
        int | None, typer.Option(help="Resize the images to so many pixels a side.", min=1)
    ] = None,
    images_kept: Annotated[
        int, typer.Option(help="So many images are drawn and kept with the task.", min=1)
    ] = 1024,
    processes: Annotated[
        int | None, typer.Option(help="Files read at once; default: all processors.", min=1)
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Make a task of a published accuracy table; its folder can be given wherever a task is expected.

    Which accuracies are meant is always said: data set, epochs and split; several trainings of an
    architecture are averaged. A key that the benchmark does not have is answered with those it has.
    No code of a benchmark's file is ever run.

    [bold]Examples[/]

      eznas tasks import tss-c10 NATS-tss-v1_0-3ffb9-simple --from nats-bench --data-set cifar10
      --epochs 200 --split test --images cifar-10-batches-py --out tasks/tss-c10

      eznas tasks import nb201 NAS-Bench-201-v1_1-096897.pth --from nas-bench-201 --data-set cifar100
      --epochs 200 --split test --images cifar-100-python --out tasks/nb201

      eznas tasks import darts nds_data/DARTS.json --from nds --data-set cifar10 --epochs 100
      --split test-last --images cifar-10-batches-py --out tasks/darts

      eznas tasks import zero zc_nasbench201.json --from nas-bench-suite-zero --data-set cifar10
      --split valid --images cifar-10-batches-py --out tasks/zero

      eznas tasks import mine table.csv.gz --from csv --space nats-tss --data-set cifar10 --epochs 200
      --split test --accuracy-column cifar10_test --images images.npz --out tasks/mine
    """
    from eznas import tasks
    from eznas.tasks.images import load_images
    from eznas.tasks.imported import write_imported_task
    from eznas.tasks.imported_plan import ImportedPlan
    from eznas.tasks.importing import Request, check_costs, read_records

    format_ = _format(from_)
    _check_folder(out)
    known_classes, known_normalisation = _by_data_set(data_set, classes, normalisation)
    loaded = load_images(images, images_kept, seed, side)
    request = Request(data_set, split, epochs, space, architecture_column, accuracy_column, processes)
    with bars() as shown:
        records = read_records(format_, path, request, partial(shown.update, f"files of {path.name}"))
        plan = _validated(
            ImportedPlan,
            name=name,
            space=records.space,
            benchmark=records.benchmark,
            key=records.key,
            classes=known_classes,
            normalisation=known_normalisation,
            source=records.source,
            images_source=Path(os.path.abspath(images)).name,
        )
        recorded = records.table.parameters is not None and records.table.flops is not None
        checked = check_costs(
            records,
            known_classes,
            int(loaded.pixels.shape[-1]),
            16 if recorded else _SAMPLE,
            seed,
            partial(shown.update_bar, "parameters and FLOPs counted"),
        )
        write_imported_task(out, plan, records.table, loaded)
    task = tasks.get(str(out))  # what was written is what is told of
    summary = _summary(task.name, records, checked, loaded)
    if as_json:
        print_json(summary)
        return
    _print_summary(summary, out)


def _format(name: str) -> Format:
    from eznas.suggestion import unknown_name
    from eznas.tasks.importing import Format

    if name not in list(Format):
        known = [str(format_) for format_ in Format]
        raise TaskError(unknown_name("format", name, known[:-1], known[-1]))
    return Format(name)


def _check_folder(folder: Path) -> None:
    """Refuse a foreign folder before anything long is done; writing looks again."""
    from eznas.tasks.imported import IMPORT_FILE

    if folder.exists() and not folder.is_dir():
        raise TaskError(f"{folder} is no folder; expected a new one")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / IMPORT_FILE).exists():
        raise TaskError(f"{folder} is not empty and is no imported task; expected a new folder")


def _by_data_set(data_set: str, classes: int | None, normalisation: str | None) -> tuple[int, str]:
    """Classes and normalisation, as given or as usual for the data set."""
    from eznas.tasks.images import DATA_SETS, NORMALISATIONS

    known = DATA_SETS.get(data_set)
    if known is not None:
        usual = next(name for name, each in NORMALISATIONS.items() if each == known.normalisation)
        return classes or known.classes, normalisation or usual
    if classes is None or normalisation is None:
        raise TaskError(
            f"the data set {data_set!r} is not known ({', '.join(DATA_SETS)}); "
            f"give its --classes and --normalisation"
        )
    return classes, normalisation


def _validated(model: type[Any], **fields: Any) -> Any:
    from pydantic import ValidationError

    from eznas.tasks.plan import first_problem

    try:
        return model(**fields)
    except ValidationError as error:
        raise TaskError(f"the new task: {first_problem(error)}") from error


def _summary(name: str, records: Records, checked: CostCheck, images: Images) -> dict[str, Any]:
    from eznas.ranking import kendall_tau

    accuracies = records.table.accuracies
    taus: dict[str, dict[str, float | int]] = {}
    columns = {
        "parameters": (records.table.parameters, checked.parameters),
        "flops": (records.table.flops, checked.flops),
    }
    for kind, (recorded, counted) in columns.items():
        costs, measured = (counted, accuracies[checked.rows]) if recorded is None else (recorded, accuracies)
        tau = kendall_tau(costs.astype(float), measured)
        taus[kind] = {"kendall_tau": round(tau, 4), "architectures": len(costs)}
    return {
        "name": name,
        "space": records.space,
        "benchmark": records.benchmark,
        "source": records.source,
        "key": records.key.model_dump(),
        "description": str(records.key),
        "architectures": len(accuracies),
        "accuracy_least": round(float(accuracies.min()), 3),
        "accuracy_most": round(float(accuracies.max()), 3),
        "taus": taus,
        "costs_checked": len(checked.rows),
        "cost_differences": list(checked.differences),
        "images": len(images.pixels),
        "notes": list(records.notes),
    }


def _print_summary(summary: dict[str, Any], out: Path) -> None:
    lines = [
        f"{summary['architectures']:,} architectures of {summary['space']}: {summary['description']}",
        f"accuracy: {summary['accuracy_least']:.2f} to {summary['accuracy_most']:.2f} %",
    ]
    for kind, label in (("parameters", "parameters"), ("flops", "FLOPs")):
        tau = summary["taus"][kind]
        drawn = "all" if tau["architectures"] == summary["architectures"] else "a sample of"
        lines.append(
            f"Kendall tau of {label}: {tau['kendall_tau']:+.3f} over {drawn} {tau['architectures']:,}"
        )
    lines.append(f"images kept: {summary['images']:,}")
    console = output()
    for line in (*lines, *summary["notes"]):
        console.print(escape(line), highlight=False, soft_wrap=True)
    for difference in summary["cost_differences"]:
        print_note(f"note: {difference}")
    print_note(f"task: {out}; use it with --task {out}")
