import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_examples import Digits, task

from eznas import tasks
from eznas.errors import SpaceError, TaskError
from eznas.search.neighbourhood import LEAST, Neighbourhood

WHOLE = task()
NEIGHBOURHOOD = Neighbourhood(WHOLE)
EVERYTHING = np.ones(1000, np.bool_)


@given(st.integers(0, 999))
def test_in_a_whole_space_a_mutation_changes_one_choice(row):
    reached = NEIGHBOURHOOD.mutations(row, EVERYTHING)
    own = WHOLE.architectures[row]
    expected = {own[:place] + digit + own[place + 1 :] for place in range(3) for digit in "0123456789"} - {
        own
    }
    assert {WHOLE.architectures[other] for other in reached} - {own} == expected


@given(st.integers(0, 999), st.integers(0, 999))
def test_the_distance_is_the_number_of_choices_that_differ(row, other):
    differing = sum(a != b for a, b in zip(f"{row:03d}", f"{other:03d}", strict=True))
    assert NEIGHBOURHOOD.distances(row)[other] == differing


@given(st.sets(st.integers(0, 999), min_size=12, max_size=60), st.data())
def test_in_a_sample_a_mutation_leads_to_the_nearest_known_networks(rows, data):
    sample = task([f"{row:03d}" for row in sorted(rows)])
    near = Neighbourhood(sample)
    row = data.draw(st.integers(0, len(rows) - 1))
    allowed = np.ones(len(rows), np.bool_)
    allowed[row] = False
    reached = near.mutations(row, allowed)
    distances = near.distances(row)
    assert len(reached) >= LEAST
    assert row not in reached
    # All that is as near is there, and with one step less there would be too few.
    assert set(reached) == set(np.flatnonzero(allowed & (distances <= distances[reached].max())))
    assert (distances[allowed] < distances[reached].max()).sum() < LEAST


def test_trained_networks_are_not_reached_again():
    allowed = NEIGHBOURHOOD.distances(123) == 3
    allowed[[100, 777]] = True  # two choices differ, and three
    assert NEIGHBOURHOOD.mutations(123, allowed).tolist() == [100]
    first = NEIGHBOURHOOD.distances(123) == 1
    kept = np.flatnonzero(first)[:3]
    allowed[kept] = True
    assert NEIGHBOURHOOD.mutations(123, allowed).tolist() == kept.tolist()


def test_a_table_smaller_than_a_neighbourhood_is_reached_whole():
    near = Neighbourhood(task(["000", "111", "999"]))
    assert near.mutations(0, np.array([False, True, True])).tolist() == [1, 2]


@pytest.mark.parametrize("name", tasks.names())
def test_every_network_of_an_embedded_task_has_somewhere_to_go(name):
    embedded = tasks.get(name)
    near = Neighbourhood(embedded)
    for row in range(0, len(embedded.architectures), 40):
        allowed = np.arange(len(embedded.architectures)) != row
        assert LEAST <= len(near.mutations(row, allowed)) < len(embedded.architectures) / 3


class Uneven(Digits):
    def choices(self, architecture):
        return tuple(architecture.strip("0"))


class Silent(Digits):
    choices = super(Digits, Digits).choices


def test_architectures_with_different_numbers_of_choices_are_refused():
    with pytest.raises(TaskError, match="digits: expected as many choices for each, got 1 to 2"):
        Neighbourhood(task(["001", "012"], space=Uneven()))


def test_a_space_without_choices_is_refused():
    with pytest.raises(SpaceError, match=r"neighbours of '000'; expected it to define choices\(\)"):
        Neighbourhood(task(space=Silent()))
