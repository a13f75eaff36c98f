import numpy as np
import pytest

from eznas.errors import RunError
from eznas.evolution import make_config
from eznas.evolution.evolution import Evolution, StoredTask, by_fitness, fittest
from eznas.evolution.records import MeasuredProgram, Origin
from eznas.evolution.validity import Validity
from eznas.program import Program
from eznas.ranking import Fitness
from eznas.statistics import NetworkStatistics
from eznas.terminals import TERMINALS, Family

NETWORKS = 8
SETTINGS = {
    "stored_networks": NETWORKS,
    "networks_per_task": 5,
    "population": 12,
    "parents": 6,
    "offspring": 10,
    "generations": 3,
    "threads": 1,
}


def random_network(seed, channels=3, layers=2):
    generator = np.random.default_rng(seed)

    def array(family):
        shape = (channels, channels, 3, 3) if family is Family.WEIGHT else (1, channels, 4, 4)
        return generator.normal(size=shape).astype(np.float32)

    return NetworkStatistics.from_layers(
        [{name: array(terminal.family) for name, terminal in TERMINALS.items()} for _ in range(layers)]
    )


@pytest.fixture(scope="module")
def stored():
    generator = np.random.default_rng(0)
    return [
        StoredTask(
            name,
            [random_network(10 * task + row) for row in range(NETWORKS)],
            generator.normal(size=NETWORKS),
        )
        for task, name in enumerate(("first", "second", "third"))
    ]


def config(**settings):
    return make_config(overrides={**SETTINGS, **settings})


def programs_of(generation):
    return [(str(program.program), program.fitness) for program in generation.programs]


def test_half_of_each_later_generation_are_children_and_half_are_new(stored):
    generations = list(Evolution(config(), stored).generations())
    origins = [[program.origin for program in generation.programs] for generation in generations]
    assert origins == [[Origin.RANDOM] * 12] + 2 * [[Origin.CHILD] * 6 + [Origin.RANDOM] * 6]


def test_every_program_of_a_generation_is_valid(stored):
    validity = Validity([task.statistics for task in stored], config())
    for generation in Evolution(config(), stored).generations():
        assert all(validity.check([program.program for program in generation.programs]))


def test_fitness_is_measured_on_the_drawn_networks(stored):
    (generation,) = Evolution(config(generations=1, tasks_per_generation=2), stored).generations()
    drawn = generation.record.drawn
    assert len(drawn) == 2
    assert all(len(set(rows)) == 5 and max(rows) < NETWORKS for rows in drawn.values())
    assert all(len(program.fitness.taus) == 2 for program in generation.programs)


def test_networks_are_drawn_anew_in_each_generation(stored):
    drawn = [str(generation.record.drawn) for generation in Evolution(config(), stored).generations()]
    assert len(set(drawn)) == 3


def test_the_same_seed_gives_the_same_run_for_any_number_of_threads(stored):
    runs = [
        [programs_of(generation) for generation in Evolution(config(threads=threads), stored).generations()]
        for threads in (1, 3)
    ]
    assert runs[0] == runs[1]


def test_another_seed_gives_another_run(stored):
    first, second = (
        [programs_of(generation) for generation in Evolution(config(seed=seed), stored).generations()]
        for seed in (0, 1)
    )
    assert first != second


def test_the_memo_changes_nothing_but_saves_evaluations(stored):
    kept, none = (
        list(Evolution(config(memo_bytes=memo_bytes), stored).generations()) for memo_bytes in (None, 0)
    )
    assert [programs_of(generation) for generation in kept] == [
        programs_of(generation) for generation in none
    ]
    for rate in ("memo_rate", "subtree_rate"):
        assert max(getattr(generation.record, rate) for generation in kept) > 0
        assert max(getattr(generation.record, rate) for generation in none) == 0
    assert all(generation.record.memo_bytes > 0 for generation in kept)
    assert all(generation.record.memo_bytes == 0 for generation in none)


def test_a_run_goes_on_from_any_generation_as_if_never_interrupted(stored):
    whole = list(Evolution(config(), stored).generations())
    for last in whole[:-1]:
        rest = Evolution(config(), stored).generations(last.checkpoint, last.programs)
        expected = whole[last.record.generation + 1 :]
        assert [programs_of(generation) for generation in rest] == list(map(programs_of, expected))


def test_the_record_tells_the_best_the_median_and_the_validity(stored):
    (generation,) = Evolution(config(generations=1), stored).generations()
    values = sorted(program.fitness.value for program in generation.programs)
    record = generation.record
    assert record.best == values[-1]
    assert record.median == np.median(values)
    assert 0 < record.validity_rate < 1
    assert 1 <= record.distinct <= 12
    assert Program.parse(record.best_program) == fittest(generation.programs).program


def test_a_search_space_without_valid_programs_is_an_error_not_an_endless_loop(stored):
    hopeless = config(operations=("det",), terminals=("T1_D",), least_initial_height=2)
    one_sided = [
        StoredTask("odd", [_without_square(network) for network in task.statistics], task.accuracies)
        for task in stored
    ]
    with pytest.raises(RunError, match="no valid program among the last .* from the operations det"):
        list(Evolution(hopeless, one_sided).generations())


def _without_square(network):
    return NetworkStatistics.from_layers(
        [{name: array[..., :2] for name, array in layer.items()} for layer in network.layers]
    )


def test_a_program_is_invalid_where_one_geometry_refuses_it():
    networks = [random_network(0, channels=3), random_network(1, channels=3), random_network(2, channels=5)]
    many = [[networks[0]] * 20 + [networks[2]]]
    validity = Validity(many, config())
    # 3 channels of 3x3 kernels multiply with 3x3, whatever the widths; 4x4 maps of another width do not add.
    fine, refused = Program.parse("mean(matmul(T3,T3))"), Program.parse("mean(add(T1_D,T3))")
    assert validity.check([fine, refused]) == [True, False]


def test_a_program_that_gives_nan_on_a_probe_is_invalid(stored):
    validity = Validity([task.statistics for task in stored], config())
    divides_by_zero = Program.parse("reciprocal(sub(T1_D,T1_D))")
    assert validity.check([divides_by_zero, Program.parse("mean(T1_D)")]) == [False, True]


def measured(text, fitness):
    return MeasuredProgram(0, Program.parse(text), Origin.RANDOM, Fitness(fitness, 1, (fitness,)))


def test_of_equally_fit_programs_the_smaller_is_fittest():
    large, small, worse = measured("abs(abs(T3))", 0.5), measured("abs(T3)", 0.5), measured("T3", 0.4)
    assert fittest([large, small, worse]) == small
    assert by_fitness([worse, large, small]) == [small, large, worse]
