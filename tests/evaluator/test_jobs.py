"""How a call is shared out over threads, and what becomes of the numbers of layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from evaluator_examples import programs
from hypothesis import given
from hypothesis import strategies as st

from eznas.backends import ToScalar
from eznas.compile import GrowingTable
from eznas.evaluator.jobs import (
    LARGEST_SHARE,
    USUAL_SHARE,
    Task,
    means_over_layers,
    share_out,
    to_read_ahead,
)
from eznas.evaluator.typed_programs import TypedPrograms
from eznas.terminals import TERMINALS

FEW, MANY = programs("mean(T3)"), programs(*TERMINALS)


def _task(networks: Sequence[int], of: str = "few") -> Task:
    chosen = FEW if of == "few" else MANY
    typed = TypedPrograms(chosen, ToScalar.MEAN, GrowingTable())
    rows = tuple(range(len(chosen)))
    return Task(tuple(networks), tuple(rows[: 1 + network % len(rows)] for network in networks), typed)


@given(st.integers(1, 300), st.integers(1, 9), st.booleans(), st.sampled_from(["few", "many"]))
def test_every_network_is_in_one_share_and_no_thread_has_much_more_to_do(
    networks: int, threads: int, together: bool, of: str
) -> None:
    task = _task(range(1000, 1000 + networks), of)
    shares = share_out(task, threads, together=together)
    assert tuple(network for share in shares for network in share.networks) == task.networks
    assert tuple(rows for share in shares for rows in share.rows) == task.rows
    assert all(share.typed is task.typed for share in shares)
    sizes = [len(share.networks) for share in shares]
    assert max(sizes) <= ((LARGEST_SHARE if of == "few" else USUAL_SHARE) if together else 1)
    turns = -(-len(shares) // threads)
    assert turns * max(sizes) < networks / threads + turns


def test_few_programs_take_many_networks_at_once_and_many_take_few() -> None:
    networks = range(40)
    assert [len(share.networks) for share in share_out(_task(networks), 1, together=True)] == [40]
    assert [len(share.networks) for share in share_out(_task(networks), 2, together=True)] == [20, 20]
    assert [len(share.networks) for share in share_out(_task(networks, "many"), 1, together=True)] == [20, 20]


@given(st.integers(1, 200), st.integers(1, 9), st.booleans())
def test_all_that_no_thread_begins_with_is_read_ahead_once(
    networks: int, threads: int, together: bool
) -> None:
    shares = share_out(_task(range(networks)), threads, together=together)
    threads = min(threads, len(shares))
    ahead = to_read_ahead(shares, threads)
    found = [[network for task in tasks for network in task.networks] for tasks in ahead]
    begun_with = {share.networks[0] for share in shares[:threads]}
    assert sorted(network for each in found for network in each) == sorted(set(range(networks)) - begun_with)
    for number, share in enumerate(shares[threads:]):
        assert set(share.networks) <= set(found[number])


@given(st.lists(st.integers(1, 1500), min_size=1, max_size=5), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_means_have_the_bits_of_those_of_each_network_alone(
    layers: list[int], numbers: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    whole = generator.standard_normal((numbers, sum(layers))) * 10.0 ** generator.integers(-6, 6, sum(layers))
    whole[generator.random(whole.shape) < 0.001] = np.inf
    bounds = [0, *accumulate(layers)]
    parts = np.split(whole, bounds[1:-1], axis=1)
    expected = [[row.copy().mean() for row in part] for part in parts]
    np.testing.assert_array_equal(means_over_layers(whole, bounds), np.transpose(expected))


def test_opposite_infinities_have_no_mean() -> None:
    means = means_over_layers(np.array([[np.inf, -np.inf, -0.0]]), [0, 2, 3])
    np.testing.assert_array_equal(means, [[np.nan, 0.0]])
