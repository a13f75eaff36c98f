"""How tables of correlations are chosen on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from eznas.report import Measure, TableFormat

# Names written out, since importing them would keep every `--help` waiting for torch and matplotlib.
DEFAULT_MEASURES: Final = ("tau", "rho")

Measures = Annotated[
    list[str] | None,
    typer.Option(
        help="tau, rho, top-half or top-tenth (tau within the most accurate), or all; repeatable.",
        show_default="tau, rho",
    ),
]
Intervals = Annotated[
    bool, typer.Option(help="With 95 % bootstrap intervals, over several seeds standard deviations.")
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="text, csv, markdown or latex (booktabs).", show_default="text"),
]


@dataclass(frozen=True, slots=True)
class ChosenTables:
    """What the options say about tables."""

    measures: tuple[Measure, ...]
    table_format: TableFormat
    with_intervals: bool


def chosen_tables(
    names: Sequence[str], table_format: str | None, *, as_json: bool, with_intervals: bool = True
) -> ChosenTables:
    """Check the options before anything is computed.

    Raises:
        ConfigError: There is no such measure.
        BadParameter: There is no such format, or JSON is wanted too.
    """
    from eznas.report import TableFormat, measures

    if table_format is not None and as_json:
        raise typer.BadParameter("expected one of --format and --json, got both", param_hint="--format")
    if table_format is not None and table_format not in list(TableFormat):
        raise typer.BadParameter(
            f"expected one of {', '.join(TableFormat)}, got {table_format!r}", param_hint="--format"
        )
    return ChosenTables(measures(names), TableFormat(table_format or "text"), with_intervals)
