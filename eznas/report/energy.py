"""Energy and carbon of a run, estimated after Green Algorithms (Lannelongue, Grealey and Inouye, 2021).

The estimate is a product of the time with figures that nobody measured on the machine: power of a core and of
memory, losses of the building, carbon of the electricity. Every one is stated, and can be given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from eznas.errors import ConfigError

SOURCE: Final = (
    "Lannelongue, Grealey and Inouye, Green Algorithms: Quantifying the Carbon Footprint of Computation, "
    "Advanced Science, 2021"
)

PAPER_SECONDS: Final = 24 * 3600.0
"""The paper: an evolution takes about 24 h on a Xeon Gold 6242 with 1 TB of memory."""
PAPER_CORES: Final = 16
"""Of one Xeon Gold 6242; the paper does not say how many of them were busy."""
PAPER_GIGABYTES: Final = 1000.0
PAPER_EVOLUTION_GRAMS: Final = 358.6
"""Of one evolution, as quoted by secondary notes; the paper's own table was not at hand."""
PAPER_SEARCH_GRAMS: Final = 4490.0
"""Of one architecture search, from the same notes."""


@dataclass(frozen=True, slots=True)
class PowerAssumptions:
    """What energy and carbon are computed with; the defaults are those that Green Algorithms publishes.

    Raises:
        ConfigError: A figure is out of its range.
    """

    watts_per_core: float = 12.0
    """Of a processor that is not known (its table of processors, model "Any")."""
    usage: float = 1.0
    """The share of that power that is drawn; 1 where it is not known."""
    memory: float = 8.0
    """Gigabytes that are powered for the run, used or not; a choice of eznas, since runs do not record it."""
    watts_per_gigabyte: float = 0.3725
    pue: float = 1.67
    """Power usage effectiveness: what the building draws for each watt of the machine. 1.67 is the average of
    data centres of a survey of 2019 (Green Algorithms' data to version 2.2; later ones have 1.56, of 2024);
    1 suits a machine under a desk."""
    carbon_intensity: float = 475.0
    """Grams of CO2 equivalent for each kilowatt-hour of electricity; the average of the world."""

    def __post_init__(self) -> None:
        _check("watts per core", self.watts_per_core, 0)
        _check("usage", self.usage, 0, 1)
        _check("memory", self.memory, 0)
        _check("watts per gigabyte", self.watts_per_gigabyte, 0)
        _check("PUE", self.pue, 1)
        _check("carbon intensity", self.carbon_intensity, 0)


def _check(name: str, value: float, least: float, most: float = math.inf) -> None:
    if math.isfinite(value) and least <= value <= most:
        return
    limits = f"of at least {least:g}" if math.isinf(most) else f"from {least:g} to {most:g}"
    raise ConfigError(f"{name}: expected a number {limits}, got {value:g}")


@dataclass(frozen=True, slots=True)
class Footprint:
    """Energy and carbon of so many seconds on so many cores.

    Raises:
        ConfigError: The time is negative, or there is no core.
    """

    seconds: float
    cores: int
    assumptions: PowerAssumptions

    def __post_init__(self) -> None:
        _check("seconds", self.seconds, 0)
        _check("cores", self.cores, 1)

    @property
    def watts(self) -> float:
        """The power of cores and memory, and what the building loses."""
        given = self.assumptions
        cores = self.cores * given.watts_per_core * given.usage
        return (cores + given.memory * given.watts_per_gigabyte) * given.pue

    @property
    def kilowatt_hours(self) -> float:
        """The energy."""
        return self.seconds / 3600 * self.watts / 1000

    @property
    def grams(self) -> float:
        """The carbon, in grams of CO2 equivalent."""
        return self.kilowatt_hours * self.assumptions.carbon_intensity


def paper_footprint(assumptions: PowerAssumptions) -> Footprint:
    """The same estimate for the time and machine that the paper states, with all cores of one processor."""
    return Footprint(PAPER_SECONDS, PAPER_CORES, replace(assumptions, memory=PAPER_GIGABYTES))


def energy_text(kilowatt_hours: float) -> str:
    """With three digits, in the unit that suits: `0.42 Wh`, `1.30 kWh`."""
    return _in_units(kilowatt_hours * 1000, (("kWh", 1000.0), ("Wh", 1.0), ("mWh", 1e-3)))


def carbon_text(grams: float) -> str:
    """With three digits, in the unit that suits: `160 mg CO2e`, `4.49 kg CO2e`."""
    return f"{_in_units(grams, (('kg', 1000.0), ('g', 1.0), ('mg', 1e-3)))} CO2e"


def _in_units(value: float, units: tuple[tuple[str, float], ...]) -> str:
    """The value in the first unit of which it is at least one, or in the last; units from large to small."""
    name, size = next((unit for unit in units if value >= unit[1]), units[-1])
    scaled = value / size
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
    return f"{scaled:,.{digits}f} {name}"
