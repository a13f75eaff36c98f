import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eznas.errors import ConfigError
from eznas.report.energy import (
    Footprint,
    PowerAssumptions,
    carbon_text,
    energy_text,
    paper_footprint,
)

positive = st.floats(1e-3, 1e6)


def test_the_estimate_is_the_formula_of_green_algorithms():
    # 12 h on 16 cores of 12 W and 64 GB, by hand: (16 * 12 + 64 * 0.3725) * 1.67 W = 360.4528 W.
    footprint = Footprint(12 * 3600, 16, PowerAssumptions(memory=64))
    assert footprint.watts == pytest.approx(360.4528)
    assert footprint.kilowatt_hours == pytest.approx(4.3254336)
    assert footprint.grams == pytest.approx(2054.58096)


def test_the_defaults_are_those_that_green_algorithms_publishes():
    default = PowerAssumptions()
    assert (default.watts_per_core, default.usage, default.watts_per_gigabyte) == (12.0, 1.0, 0.3725)
    assert (default.pue, default.carbon_intensity) == (1.67, 475.0)


def test_usage_is_of_the_cores_alone():
    idle = Footprint(3600, 4, PowerAssumptions(usage=0, memory=10, pue=1))
    assert idle.watts == pytest.approx(3.725)


@given(positive, st.integers(1, 512), positive)
def test_energy_and_carbon_grow_with_the_time(seconds, cores, factor):
    once, longer = (Footprint(each, cores, PowerAssumptions()) for each in (seconds, seconds * factor))
    assert longer.kilowatt_hours == pytest.approx(once.kilowatt_hours * factor)
    assert longer.grams == pytest.approx(longer.kilowatt_hours * 475)


def test_the_paper_is_estimated_with_its_own_memory_and_the_same_assumptions_else():
    paper = paper_footprint(PowerAssumptions(memory=8, pue=1, carbon_intensity=100))
    assert paper.kilowatt_hours == pytest.approx(24 * (16 * 12 + 1000 * 0.3725) / 1000)
    assert paper.grams == pytest.approx(paper.kilowatt_hours * 100)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pue": 0.9}, "PUE: expected a number of at least 1, got 0.9"),
        ({"usage": 1.5}, "usage: expected a number from 0 to 1, got 1.5"),
        ({"memory": -1.0}, "memory: expected a number of at least 0, got -1"),
        ({"watts_per_core": math.nan}, "watts per core: expected a number of at least 0, got nan"),
        ({"carbon_intensity": math.inf}, "carbon intensity: expected a number of at least 0, got inf"),
    ],
)
def test_a_figure_out_of_range_is_refused_by_name(settings, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        PowerAssumptions(**settings)


def test_there_is_no_footprint_of_no_core_or_of_negative_time():
    with pytest.raises(ConfigError, match="cores: expected a number of at least 1, got 0"):
        Footprint(1, 0, PowerAssumptions())
    with pytest.raises(ConfigError, match="seconds"):
        Footprint(-1, 1, PowerAssumptions())


@pytest.mark.parametrize(
    ("kilowatt_hours", "text"),
    [(0.0, "0.00 mWh"), (3.36e-4, "336 mWh"), (0.0123, "12.3 Wh"), (1.3, "1.30 kWh"), (1234, "1,234 kWh")],
)
def test_energies_have_three_digits_in_a_unit_that_suits(kilowatt_hours, text):
    assert energy_text(kilowatt_hours) == text


def test_carbon_is_told_as_of_co2_equivalent():
    assert carbon_text(0.16) == "160 mg CO2e"
    assert carbon_text(4490) == "4.49 kg CO2e"
