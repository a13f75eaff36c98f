"""What the page says of energy and carbon: the estimate, what it rests on, and the paper's beside it."""

from __future__ import annotations

from dataclasses import dataclass

from eznas.report.energy import (
    PAPER_CORES,
    PAPER_EVOLUTION_GRAMS,
    PAPER_SEARCH_GRAMS,
    Footprint,
    PowerAssumptions,
    carbon_text,
    energy_text,
    paper_footprint,
)
from eznas.report.html.prose import seconds_text
from eznas.report.html.story import RunStory


@dataclass(frozen=True, slots=True)
class Assumption:
    """A figure of the estimate."""

    name: str
    value: str
    origin: str
    """Where it comes from."""
    option: str = ""
    """Of `eznas report`, where one sets it."""


@dataclass(frozen=True, slots=True)
class EnergySection:
    """The estimate in words."""

    energy: str
    carbon: str
    power: str
    assumptions: tuple[Assumption, ...]
    paper: tuple[str, ...]
    """Sentences on what is known of the paper's."""


def energy_section(story: RunStory, footprint: Footprint, cores_from: str) -> EnergySection:
    """What the page says of energy and carbon.

    Args:
        story: The run.
        footprint: Its estimate.
        cores_from: Where the number of cores comes from, in words.
    """
    return EnergySection(
        energy=energy_text(footprint.kilowatt_hours),
        carbon=carbon_text(footprint.grams),
        power=f"{footprint.watts:,.1f} W",
        assumptions=_assumptions(story, footprint, cores_from),
        paper=_paper(footprint.assumptions),
    )


def _assumptions(story: RunStory, footprint: Footprint, cores_from: str) -> tuple[Assumption, ...]:
    given = footprint.assumptions
    default = PowerAssumptions()
    published = "Green Algorithms' default"
    time_from = (
        "wall-clock time of the whole run, which it wrote down"
        if story.seconds is not None
        else "wall-clock time of the generations alone; the rest was not written down"
    )
    return (
        Assumption("time", seconds_text(footprint.seconds), time_from),
        Assumption("cores", str(footprint.cores), cores_from, "--cores"),
        Assumption(
            "power of a core",
            f"{given.watts_per_core:g} W",
            f"{published} for an unknown processor is {default.watts_per_core:g} W",
            "--watts-per-core",
        ),
        Assumption(
            "usage of the cores",
            f"{given.usage:g}",
            f"{published} is {default.usage:g}; too much where a phase leaves cores idle",
            "--usage",
        ),
        Assumption(
            "memory",
            f"{given.memory:g} GB",
            f"runs do not record it; eznas assumes {default.memory:g} GB",
            "--memory",
        ),
        Assumption("power of memory", f"{given.watts_per_gigabyte:g} W/GB", published),
        Assumption(
            "PUE",
            f"{given.pue:g}",
            f"{published} is {default.pue:g}, a survey of data centres of 2019 (of 2024: 1.56)",
            "--pue",
        ),
        Assumption(
            "carbon intensity",
            f"{given.carbon_intensity:g} g CO2e/kWh",
            f"Green Algorithms' average of the world is {default.carbon_intensity:g}",
            "--carbon-intensity",
        ),
    )


def _paper(given: PowerAssumptions) -> tuple[str, ...]:
    beside = paper_footprint(given)
    return (
        "The EZNAS paper says that an evolution takes about 24 h on an Intel Xeon Gold 6242 with 1 TB of "
        "memory.",
        f"For its carbon, {PAPER_EVOLUTION_GRAMS:g} g CO2e for one evolution and "
        f"{PAPER_SEARCH_GRAMS / 1000:.2f} kg CO2e for one architecture search are known as quoted by "
        "secondary notes; the paper's own table was not at hand.",
        f"The formula and the assumptions of this page, applied to 24 h of {PAPER_CORES} busy cores and 1 "
        f"TB, give {energy_text(beside.kilowatt_hours)} and {carbon_text(beside.grams)}. What the quoted "
        "figures assume is not known, so that they cannot be held against this estimate.",
    )
