"""Programs as the page shows them: formula, tree, where they come from, how to use them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from eznas.evolution import EvolutionConfig
from eznas.program import AnyProgram, Program
from eznas.report.html.charts import tree_picture
from eznas.report.html.formula import mathml
from eznas.report.html.story import KnownProgram, RunStory

SHOWN_UNFINISHED: Final = 3
"""So many of the fittest programs stand for the candidates that an unfinished run has not chosen yet."""
LARGEST_DRAWN: Final = 200
"""Larger programs have no formula and no tree on the page: nobody could read them."""


@dataclass(frozen=True, slots=True)
class ShownProgram:
    """A program with everything that its part of the page says."""

    heading: str
    facts: tuple[tuple[str, str], ...]
    """What it is and its value."""
    text: str
    formula: Markup | None
    """None of a program that is too large, as is the tree."""
    tree: Markup | None
    instructions: tuple[str, ...]
    """One a line, of a sequential program."""


def shown_programs(story: RunStory) -> list[ShownProgram]:
    """The candidates of a finished run, or else the fittest programs so far."""
    if story.outcome is None:
        return [
            _shown(number, f"Number {number} so far", known.program, _known_facts(known))
            for number, known in enumerate(story.known[:SHOWN_UNFINISHED], 1)
        ]
    shown = []
    for place, candidate in enumerate(story.outcome.candidates):
        facts = [
            ("fitness on all stored networks", f"{candidate.fitness:.3f}"),
            ("scores", orientation_text(candidate.orientation)),
        ]
        for comparison in story.outcome.comparisons:
            facts.append((f"held-out Kendall tau, {comparison.task}", str(comparison.ranked[place].tau)))
        known = story.born(candidate.program)
        if known is not None:
            facts.append(("highest fitness on drawn networks", f"{known.fitness:.3f}"))
            facts.append(("born", birth_text(known)))
        heading = _sentence(", ".join(candidate.roles))
        shown.append(_shown(place + 1, heading, candidate.program, facts))
    return shown


def birth_text(known: KnownProgram) -> str:
    """Where a formula comes from, in words."""
    often = {1: "once", 2: "twice"}.get(known.times, f"{known.times} times")
    return f"generation {known.first_generation + 1}, as a {_ORIGINS[known.origin]}; measured {often}"


_ORIGINS: Final = {"random": "new random program", "child": "child of earlier programs"}


def orientation_text(orientation: int) -> str:
    """Which scores mean higher accuracy."""
    return "higher is better" if orientation > 0 else "lower is better"


def _known_facts(known: KnownProgram) -> list[tuple[str, str]]:
    return [
        ("highest fitness on drawn networks", f"{known.fitness:.3f}"),
        ("scores", orientation_text(known.orientation)),
        ("born", birth_text(known)),
    ]


def _shown(number: int, heading: str, program: AnyProgram, facts: Sequence[tuple[str, str]]) -> ShownProgram:
    is_tree = isinstance(program, Program)
    tree = program if isinstance(program, Program) else program.as_tree()
    drawn = tree if tree is not None and tree.size <= LARGEST_DRAWN else None
    size = ("size", f"{program.size} operations and statistics, reads {', '.join(program.terminals)}")
    return ShownProgram(
        heading=heading,
        facts=(*facts, size),
        text=str(program),
        formula=None if drawn is None else Markup(mathml(drawn)),
        tree=None if drawn is None else tree_picture(f"tree{number}", drawn),
        instructions=() if is_tree else tuple(str(program).split("; ")),
    )


@dataclass(frozen=True, slots=True)
class Command:
    """A line for the terminal, and what it is for."""

    purpose: str
    line: str


def commands(story: RunStory) -> list[Command]:
    """What can be done with the run and its best program; every word is quoted for the shell."""
    run = shlex.quote(str(story.folder))
    if story.outcome is None:
        return [
            Command("Go on with the run to its end and its held-out test:", f"eznas evolve --resume {run}")
        ]
    best = story.outcome.best
    config = story.config
    text = shlex.quote(str(best.program))
    defaults = EvolutionConfig()
    settings = "".join(
        f" --{name.replace('_', '-')} {getattr(config, name)}"
        for name in ("structure", "to_scalar")
        if getattr(config, name) != getattr(defaults, name)
    )
    return [
        Command(
            "Write the best program, and which scores are better, as one Python file that needs torch alone:",
            f"eznas export {run} --format python --out proxy.py{settings}",
        ),
        Command(
            f"The same without the run folder; of this program, {orientation_text(best.orientation)}:",
            f"eznas export {text} --format python --out proxy.py{settings}",
        ),
        Command(
            "Test it on networks that the run did not evolve on:",
            f"eznas test {run} --task {shlex.quote(config.tasks[0])}{settings}",
        ),
        Command("See how it responds to shapes, seeds and its own parts:", f"eznas analyse {text}"),
        Command("Draw it and explain its types:", f"eznas show {text} --out program.svg"),
        Command("Repeat the run:", f"eznas evolve --config {shlex.quote(str(story.folder / 'config.toml'))}"),
    ]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
