"""What the commands print: figures to standard output, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

PLAIN_STEPS = 4
"""Without a terminal a bar becomes so many lines."""


def output() -> Console:
    """For what was asked for."""
    return Console()


def messages() -> Console:
    """For progress and errors."""
    return Console(stderr=True)


def print_error(message: str) -> None:
    """One line (soft-wrapped, so that it can be copied) on standard error."""
    messages().print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True, highlight=False)


def print_note(message: str) -> None:
    """One line on standard error."""
    messages().print(escape(message), soft_wrap=True, highlight=False)


def print_json(record: Mapping[str, Any] | list[Any]) -> None:
    """A document on standard output, for other programs to read."""
    print(json.dumps(record, indent=2))  # noqa: T201 - rich would wrap and colour it


class Bars:
    """Progress bars in a terminal, a few plain lines elsewhere."""

    def __init__(self, progress: Progress, *, live: bool) -> None:
        self._progress = progress
        self._live = live
        self._bars: dict[str, TaskID] = {}
        self._told: dict[str, int] = {}

    def update(self, label: str, done: int, total: int) -> None:
        """Show that so many of so many are done."""
        if not self._live:
            quarter = PLAIN_STEPS if done == total else PLAIN_STEPS * done // total
            if quarter > self._told.get(label, 0):
                self._told[label] = quarter
                print_note(f"{label}: {done} of {total}")
            return
        if label not in self._bars:
            self._bars[label] = self._progress.add_task(label, total=total)
        self._progress.update(self._bars[label], completed=done)

    def load_kernels(self) -> None:
        """Load the kernels that evaluation runs; told of only where they must be compiled first."""
        from eznas_kernels import loading

        loading.load(self.compiling if loading.needs_compiling() else None)

    def compiling(self, done: int, total: int) -> None:
        """Show how far the compilation of the kernels is."""
        self.update("compiling the kernels for this machine, once", done, total)

    def update_bar(self, label: str, done: int, total: int) -> None:
        """As `update`, for what is told in lines of its own anyway: nothing where there is no terminal."""
        if self._live:
            self.update(label, done, total)

    def note(self, message: str) -> None:
        """A line that stays above the bars."""
        if self._live:
            self._progress.console.print(escape(message), soft_wrap=True, highlight=False)
        else:
            print_note(message)


@contextmanager
def bars() -> Iterator[Bars]:
    """Progress bars on standard error for the time of a command."""
    console = messages()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield Bars(progress, live=console.is_terminal)
