"""`eznas tasks`: list tasks, tell about one, train the table of a new one, import a published one."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from eznas.cli.console import bars, output, print_json, print_note
from eznas.cli.importing import import_task
from eznas.cli.options import Json

app = typer.Typer(
    help="Tasks: search spaces with the accuracies of really trained networks.", no_args_is_help=True
)
app.command("import")(import_task)


@app.command("list")
def list_tasks(as_json: Json = False) -> None:
    """The tasks that eznas ships.

    [bold]Example[/]

      eznas tasks list
    """
    from eznas import tasks

    records = []
    for name in tasks.names():
        task = tasks.get(name)
        records.append(
            {
                "name": name,
                "space": task.space.name,
                "images": task.provenance["plan"]["training"]["images"],
                "architectures": len(task.architectures),
                "seeds": task.provenance["plan"]["training"]["seeds"],
                **task.provenance["ranking"],
            }
        )
    if as_json:
        print_json(records)
        return
    table = Table()
    for heading in ("task", "space", "networks", "seeds", "accuracy %", "seed tau"):
        table.add_column(heading, no_wrap=True)
    for record in records:
        table.add_row(
            record["name"],
            record["space"],
            str(record["architectures"]),
            str(record["seeds"]),
            f"{record['accuracy_least']:.0f} to {record['accuracy_most']:.0f}",
            f"{record['tau_between_seed_halves_mean']:.2f}",
        )
    output().print(table)


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="A task by name, or the folder of a trained table.")],
    best: Annotated[int, typer.Option(help="So many of the best and the worst architectures.", min=0)] = 5,
    as_json: Json = False,
) -> None:
    """What a task holds, how it was made and how real its ranking is.

    [bold]Example[/]

      eznas tasks info mnist-topology
    """
    from eznas import tasks

    task = tasks.get(name)
    if as_json:
        print_json({"name": task.name, "architectures": len(task.architectures), **task.provenance})
        return
    console = output()
    console.print(
        f"[bold]{escape(task.name)}[/]: {len(task.architectures)} architectures of {task.space.name}"
    )
    console.print_json(json.dumps(task.provenance))
    order = task.accuracies.argsort()[::-1]
    for heading, rows in (("best", order[:best]), ("worst", order[len(order) - best :])):
        parameters, flops = task.parameters(rows), task.flops(rows)
        table = Table(title=heading, title_justify="left")
        for column in ("architecture", "accuracy %", "parameters", "FLOPs"):
            table.add_column(column, justify="left" if column == "architecture" else "right", overflow="fold")
        for row, of_row in zip(rows, zip(parameters, flops, strict=True), strict=True):
            costs = (f"{cost:,}" for cost in of_row)
            table.add_row(escape(task.architectures[row]), f"{task.accuracies[row]:.2f}", *costs)
        if best:
            console.print(table)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="An embedded task to make again, or the name of a new one.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the table; an own one is resumed.")],
    space: Annotated[
        str | None, typer.Option(help="For a new task: a space by name, or package.module:ClassName.")
    ] = None,
    architectures: Annotated[int | None, typer.Option(help="How many are drawn.", min=8)] = None,
    sample_seed: Annotated[int | None, typer.Option(help="Seed of the draw.")] = None,
    images: Annotated[
        str | None, typer.Option(help="mnist-5k, or an .npz file with arrays images (uint8) and labels.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    training_images: Annotated[int | None, typer.Option(min=2)] = None,
    test_images: Annotated[int | None, typer.Option(min=1)] = None,
    seeds: Annotated[int | None, typer.Option(help="Trainings of each architecture.", min=2)] = None,
    processes: Annotated[
        int | None, typer.Option(help="Trainings at once; default: all processors.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Train every drawn architecture with every seed and write the table of accuracies.

    Each finished training is kept at once: the same command goes on where it was stopped. The folder can
    then be given wherever a task is expected.

    [bold]Examples[/]

      eznas tasks train mnist-size --out tables/mnist-size

      eznas tasks train mine --space my_package.spaces:MySpace --images my.npz --out tables/mine
    """
    from eznas.tasks.embedded import EMBEDDED_PLANS
    from eznas.tasks.plan import make_plan
    from eznas.tasks.producing import produce_table

    training = {
        "images": images, "epochs": epochs, "training_images": training_images,
        "test_images": test_images, "seeds": seeds,
    }  # fmt: skip
    table = {"space": space, "architectures": architectures, "sample_seed": sample_seed}
    plan = make_plan(
        name,
        {key: value for key, value in table.items() if value is not None},
        {key: value for key, value in training.items() if value is not None},
        EMBEDDED_PLANS.get(name),
    )
    try:
        with bars() as shown:
            produce_table(plan, out, processes, partial(shown.update, f"trainings of {name}"))
    except KeyboardInterrupt:
        print_note(f"stopped; the same command goes on with the trainings in {out}")
        raise
    from eznas import tasks

    ranking = tasks.get(str(out)).provenance["ranking"]
    if as_json:
        print_json(ranking)
        return
    print_note(f"table: {out}; use it with --task {out}")
    for measure, value in ranking.items():
        output().print(f"{measure.replace('_', ' ')}: {value}", highlight=False)
