"""Lays the story of a run out as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eznas import __version__
from eznas.report.energy import SOURCE, Footprint, carbon_text
from eznas.report.html import prose
from eznas.report.html.charts import fitness_chart, generation_charts, seconds_chart
from eznas.report.html.energy_section import energy_section
from eznas.report.html.programs import commands, shown_programs
from eznas.report.html.sections import (
    MEASURES,
    TaskSection,
    at_a_glance,
    phase_times,
    settings,
    task_sections,
)
from eznas.report.html.story import RunStory
from eznas.report.table_formats import NO_VALUE

FITTEST: Final = 50
"""So many programs stand in the table of all programs."""


def render_page(story: RunStory, footprint: Footprint, cores_from: str) -> str:
    """The page as HTML.

    Names and texts of the run are escaped wherever they stand, and a policy in the page forbids the browser
    to fetch anything or to run any script but the page's own.

    Args:
        story: The run.
        footprint: The estimate of its energy and carbon.
        cores_from: Where the number of its cores comes from, in words.
    """
    environment = Environment(
        loader=PackageLoader("eznas.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    style, script = (_source(environment, name) for name in ("style.css", "copy.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    tasks = task_sections(story)
    name = story.folder.resolve().name
    return environment.get_template("report.html").render(
        story=story,
        name=name,
        title=f"eznas run: {name}",
        version=__version__,
        status=prose.status(story),
        style=Markup(style),
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        sections=_contents(story),
        tiles=_tiles(story, tasks, footprint),
        paragraphs=list(prose.paragraphs(story)),
        tasks=tasks,
        glance=at_a_glance(tasks),
        measures=MEASURES,
        no_value=NO_VALUE,
        verdicts=story.verdicts,
        programs=shown_programs(story),
        commands=commands(story),
        energy=energy_section(story, footprint, cores_from),
        source=SOURCE,
        limits=list(prose.limits(story)),
        fittest=story.known[:FITTEST],
        settings=settings(story.config),
        **_of_generations(story),
    )


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _of_generations(story: RunStory) -> Mapping[str, Any]:
    """What the sections on generations show; there are none of a run without a whole generation."""
    if not story.generations:
        return {}
    return {
        "fitness": fitness_chart(story),
        "generation_charts": generation_charts(story.generations),
        "phases": phase_times(story),
        "seconds_chart": seconds_chart(story.generations),
        "time_text": prose.time_text(story),
        "memo_text": prose.memo_text(story),
    }


def _contents(story: RunStory) -> list[tuple[str, str]]:
    there = {
        "summary": "In short",
        "test": "Test" if story.finished else "",
        "programs": "Programs" if story.known or story.finished else "",
        "use": "Use" if story.finished else "Go on",
        "evolution": "Evolution" if story.generations else "",
        "time": "Time" if story.generations else "",
        "energy": "Energy",
        "limits": "Limits",
        "details": "Details",
    }
    return [(anchor, heading) for anchor, heading in there.items() if heading]


def _tiles(story: RunStory, tasks: list[TaskSection], footprint: Footprint) -> list[tuple[str, str]]:
    tiles = [(f"tau of the best, {task.task}", f"{task.rows[0].tau.value:+.3f}") for task in tasks]
    if story.outcome is not None:
        tiles.append(("its fitness on stored networks", f"{story.outcome.best.fitness:.3f}"))
    elif story.known:
        tiles.append(("highest fitness so far", f"{story.known[0].fitness:.3f}"))
    tiles += [
        ("generations", f"{len(story.generations)}"),
        ("programs measured", f"{len(story.programs):,}"),
        ("distinct formulas", f"{len(story.known):,}"),
        ("time", prose.seconds_text(story.everything)),
        ("carbon, estimated", carbon_text(footprint.grams)),
    ]
    return tiles
