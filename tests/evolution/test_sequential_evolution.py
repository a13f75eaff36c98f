"""Evolution of sequential programs: generations and whole runs, as with trees."""

from __future__ import annotations

import json

import numpy as np
import pytest
from strategies_sequential import doublings

from eznas.evolution import Observer, RunFolder, evolve, make_config, resume
from eznas.evolution.candidates import choose_candidates
from eznas.evolution.evolution import Evolution, StoredTask
from eznas.evolution.outcome import Candidate, Outcome, read_outcome, write_outcome
from eznas.evolution.records import MeasuredProgram, Origin
from eznas.evolution.validity import Validity
from eznas.program import Program, SequentialProgram, canonical_form, parse_program
from eznas.ranking import Fitness
from eznas.statistics import NetworkStatistics
from eznas.terminals import TERMINALS, Family

SEQUENTIAL = {"representation": "sequential", "length_limit": 24}
SETTINGS = {
    **SEQUENTIAL,
    "stored_networks": 8,
    "networks_per_task": 5,
    "population": 12,
    "parents": 6,
    "offspring": 10,
    "generations": 3,
    "threads": 1,
}


def random_network(seed):
    generator = np.random.default_rng(seed)

    def array(family):
        shape = (3, 3, 3, 3) if family is Family.WEIGHT else (1, 3, 4, 4)
        return generator.normal(size=shape).astype(np.float32)

    return NetworkStatistics.from_layers(
        [{name: array(terminal.family) for name, terminal in TERMINALS.items()} for _ in range(2)]
    )


@pytest.fixture(scope="module")
def stored():
    generator = np.random.default_rng(0)
    return [
        StoredTask(name, [random_network(10 * task + row) for row in range(8)], generator.normal(size=8))
        for task, name in enumerate(("first", "second"))
    ]


def config(**settings):
    return make_config(overrides={**SETTINGS, **settings})


def programs_of(generation):
    return [(str(program.program), program.fitness) for program in generation.programs]


def test_generations_are_valid_sequential_programs_half_of_them_children(stored):
    validity = Validity([task.statistics for task in stored], config())
    for number, generation in enumerate(Evolution(config(), stored).generations()):
        programs = [measured.program for measured in generation.programs]
        assert all(isinstance(program, SequentialProgram) for program in programs)
        assert all(validity.check(programs))
        origins = [measured.origin for measured in generation.programs]
        assert origins.count(Origin.CHILD) == (6 if number else 0)


def test_the_same_seed_gives_the_same_run_for_any_number_of_threads_and_with_or_without_memo(stored):
    runs = [
        list(map(programs_of, Evolution(config(**settings), stored).generations()))
        for settings in ({}, {"threads": 3}, {"memo_bytes": 0})
    ]
    assert runs[0] == runs[1] == runs[2]
    assert runs[0] != list(map(programs_of, Evolution(config(seed=1), stored).generations()))


def test_a_run_goes_on_from_any_generation_as_if_never_interrupted(stored):
    whole = list(Evolution(config(), stored).generations())
    for last in whole[:-1]:
        programs = [MeasuredProgram.from_json(program.to_json()) for program in last.programs]
        rest = Evolution(config(), stored).generations(last.checkpoint, programs)
        expected = whole[last.record.generation + 1 :]
        assert list(map(programs_of, rest)) == list(map(programs_of, expected))


def test_the_record_tells_what_the_best_program_computes(stored):
    (generation,) = Evolution(config(generations=1), stored).generations()
    best = max(generation.programs, key=lambda program: (program.fitness.value, -program.program.size))
    assert parse_program(generation.record.best_program) == canonical_form(best.program)
    forms = {canonical_form(program.program) for program in generation.programs}
    assert generation.record.distinct == len(forms)


def test_candidates_are_trees_where_these_are_small(stored):
    evolution = Evolution(config(), stored)
    programs = [program for generation in evolution.generations() for program in generation.programs]
    large = doublings(60)
    programs.append(MeasuredProgram(2, large, Origin.RANDOM, Fitness(2.0, 1, (2.0,))))
    candidates = choose_candidates(programs, evolution, config())
    by_role = {role: candidate.program for candidate in candidates for role in candidate.roles}
    assert by_role["fittest ever"] == canonical_form(large)
    assert isinstance(by_role["second fittest ever"], Program)


def test_an_outcome_with_a_program_that_is_no_small_tree_is_read_as_it_was_written(tmp_path):
    candidates = (
        Candidate(("fittest ever",), doublings(60), 0.5, 1),
        Candidate(("best",), Program.parse("T3"), 0.4, -1),
    )
    write_outcome(Outcome(candidates, ()), tmp_path / "result.json", tmp_path / "held_out")
    assert read_outcome(tmp_path / "result.json", tmp_path / "held_out").candidates == candidates


class _StopAfter(Observer):
    def __init__(self, generation):
        self.last = generation

    def generation_done(self, record, total):  # noqa: ARG002
        if record.generation == self.last:
            raise KeyboardInterrupt


def test_a_whole_run_keeps_the_genomes_and_can_be_resumed(stores, tmp_path, tiny):
    settings = tiny.model_copy(update={**SEQUENTIAL, "generations": 3})
    outcome = evolve(settings, tmp_path / "whole", stores=stores)
    run = RunFolder(tmp_path / "whole")
    assert run.config() == settings
    assert all(isinstance(measured.program, SequentialProgram) for measured in run.programs())
    lengths = {measured.program.length for measured in run.programs()}
    assert max(lengths) > 4
    for comparison in outcome.comparisons:
        assert np.isfinite(comparison.ranked[0].scores).any()
    assert resume(tmp_path / "whole", stores=stores).candidates == outcome.candidates
    with pytest.raises(KeyboardInterrupt):
        evolve(settings, tmp_path / "stopped", _StopAfter(1), stores)
    resume(tmp_path / "stopped", stores=stores)
    again = RunFolder(tmp_path / "stopped")
    assert again.programs_file.read_text() == run.programs_file.read_text()
    results = [json.loads(folder.result_file.read_text()) for folder in (run, again)]
    assert results[0]["candidates"] == results[1]["candidates"]
    assert results[0]["held_out"] == results[1]["held_out"]
