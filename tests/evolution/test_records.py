import json

import pytest

from eznas.errors import RunError
from eznas.evolution.clock import Clock, Phase, RunSeconds
from eznas.evolution.records import GenerationRecord, PhaseSeconds

RECORD = GenerationRecord(
    generation=3,
    best=0.5,
    median=0.25,
    best_program="mean(T3)",
    validity_rate=0.5,
    distinct=8,
    mean_size=4.5,
    drawn={"mnist-size": [0, 2, 5]},
    memo_hits=30,
    memo_misses=10,
    subtree_hits=1,
    subtree_misses=3,
    memo_bytes=1000,
    seconds=PhaseSeconds(0.5, 1.0, 2.0, 4.0, 8.0),
)


def test_a_generation_is_read_as_it_was_written():
    assert GenerationRecord.from_json(RECORD.to_json()) == RECORD


def test_a_line_of_before_subtrees_were_counted_is_read_as_without_them():
    record = json.loads(RECORD.to_json())
    del record["subtree_hits"], record["subtree_misses"], record["seconds"]["random_programs"]
    read = GenerationRecord.from_json(json.dumps(record))
    assert (read.subtree_hits, read.subtree_misses, read.subtree_rate) == (0, 0, 0.0)
    assert read.seconds.by_phase[Phase.RANDOM_PROGRAMS] == 0.0
    assert (read.memo_hits, read.seconds.variation) == (30, 1.0)


@pytest.mark.parametrize("change", [{"more": 1}, {"seconds": {"variation": 1.0}}, {"seconds": None}])
def test_a_line_with_other_fields_is_refused(change):
    line = json.dumps({**json.loads(RECORD.to_json()), **change})
    with pytest.raises(RunError, match="expected the line of a generation"):
        GenerationRecord.from_json(line)


def test_the_rates_are_shares_of_what_was_asked_for():
    assert (RECORD.memo_rate, RECORD.subtree_rate) == (0.75, 0.25)


def test_the_seconds_of_a_generation_add_up():
    assert RECORD.seconds.total == 15.5
    assert sum(RECORD.seconds.by_phase.values()) == 15.5


def test_a_clock_counts_blocks_that_fail_too():
    clock = Clock()
    with pytest.raises(ValueError, match="wrong"), clock.measuring(Phase.RECORDS):
        raise ValueError("wrong")
    assert 0 < clock.seconds[Phase.RECORDS] <= clock.elapsed()
    assert sum(clock.seconds.values()) == clock.seconds[Phase.RECORDS]


def test_generations_of_earlier_processes_count_to_their_phases_and_to_everything():
    clock = Clock()
    clock.add({Phase.VALIDITY: 1.0})
    seconds = RunSeconds.added_up(clock, [RECORD.seconds.by_phase] * 2)
    assert seconds.phases[Phase.VALIDITY] == 5.0
    assert seconds.phases[Phase.CORRELATION] == 16.0
    assert seconds.everything >= 31.0
    assert clock.seconds[Phase.VALIDITY] == 1.0


def test_the_seconds_of_a_run_are_read_as_they_were_written():
    seconds = RunSeconds({phase: float(place) for place, phase in enumerate(Phase)}, 40.5)
    assert RunSeconds.from_json(seconds.to_json()) == seconds


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"everything": 1.0}'])
def test_other_texts_are_refused_as_the_seconds_of_a_run(text):
    with pytest.raises(RunError, match="expected the seconds of a run by phase"):
        RunSeconds.from_json(text)
