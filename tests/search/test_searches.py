import numpy as np
import pytest
from search_examples import CONTENDER, GivenScores, perfect, task

from eznas import tasks
from eznas.errors import ConfigError
from eznas.program import Program
from eznas.ranking import Contender, ProxyContender, StatisticsSettings, score_networks
from eznas.search import (
    Method,
    ProxyScores,
    SearchObserver,
    SearchSettings,
    fitting_sizes,
    proxy_scores,
    run_searches,
)

SETTINGS = SearchSettings(
    trained=40, repetitions=4, population=10, sample=4, warm_up=100, candidates=3, seed=5
)
DIGITS = task()


@pytest.fixture(scope="module")
def outcome():
    return run_searches(perfect(DIGITS), SETTINGS)


def of(outcome, method):
    return [trajectory for trajectory in outcome.trajectories if trajectory.method is method]


def test_every_search_trains_as_many_networks_and_none_twice(outcome):
    assert len(outcome.trajectories) == 5 * 4
    for trajectory in outcome.trajectories:
        assert len(set(trajectory.rows.tolist())) == 40
        np.testing.assert_array_equal(trajectory.accuracies, DIGITS.accuracies[trajectory.rows])
        assert (np.diff(trajectory.best) >= 0).all()


def test_methods_begin_alike_in_a_repetition_and_repetitions_differ(outcome):
    random, plain, filtered = (of(outcome, m) for m in (Method.RANDOM, Method.EVOLUTION, Method.MOVE_FILTER))
    for first, second, third in zip(random, plain, filtered, strict=True):
        assert first.rows[:10].tolist() == second.rows[:10].tolist() == third.rows[:10].tolist()
    assert len({tuple(trajectory.rows) for trajectory in plain}) == 4


def test_evolution_trains_a_mutation_of_one_of_the_latest_networks(outcome):
    for trajectory in of(outcome, Method.EVOLUTION):
        texts = [DIGITS.architectures[row] for row in trajectory.rows]
        for step in range(10, 40):
            nearest = min(
                sum(a != b for a, b in zip(texts[step], parent, strict=True))
                for parent in texts[step - 10 : step]
            )
            assert nearest == 1


def test_a_warm_up_trains_the_best_by_score_first(outcome):
    for trajectory in of(outcome, Method.WARM_UP):
        first = trajectory.accuracies[:10]
        assert (np.diff(first) <= 0).all()
        # The tenth of a hundred random networks stands far above the middle, which is 13.5.
        assert first.min() >= 18


def test_a_perfect_proxy_finds_better_networks_sooner(outcome):
    best = {method: outcome.best(method)[:, 25].mean() for method in Method}
    assert best[Method.RANDOM] < best[Method.EVOLUTION] < best[Method.WARM_UP] <= best[Method.BOTH]
    assert best[Method.EVOLUTION] < best[Method.MOVE_FILTER]


def test_a_proxy_that_says_nothing_does_not_decide_the_mutation():
    silent = run_searches(GivenScores(DIGITS, np.zeros(1000)), SETTINGS, [Method.MOVE_FILTER])
    plain = run_searches(GivenScores(DIGITS, np.zeros(1000)), SETTINGS, [Method.EVOLUTION])
    for first, second in zip(silent.trajectories, plain.trajectories, strict=True):
        assert first.rows.tolist() == second.rows.tolist()


def test_what_is_scored_is_counted(outcome):
    assert all(not trajectory.scored.any() for trajectory in of(outcome, Method.EVOLUTION))
    for trajectory in of(outcome, Method.WARM_UP):
        assert set(trajectory.scored.tolist()) == {100}
    for trajectory in of(outcome, Method.MOVE_FILTER):
        assert trajectory.scored[9] == 0
        assert trajectory.scored[10] == 3
        assert trajectory.scored[-1] <= 30 * 3
    assert outcome.scored <= 1000
    assert outcome.without_score == 0


def test_only_what_a_search_meets_is_scored():
    scores = perfect(DIGITS)
    run_searches(scores, SETTINGS, [Method.RANDOM, Method.EVOLUTION])
    assert scores.asked == []
    run_searches(scores, SETTINGS, [Method.WARM_UP])
    assert len(scores.asked) == 1
    assert 100 < len(scores.asked[0]) == len(scores) < 400


def test_warm_ups_draw_from_a_common_pool():
    scores = perfect(DIGITS)
    settings = SearchSettings(40, 4, 10, 4, warm_up=100, pool=120)
    run_searches(scores, settings, [Method.WARM_UP])
    assert set(scores.asked[0]) <= set(DIGITS.draw(120, 0))


def test_a_search_depends_on_its_seed_alone(outcome):
    alone = run_searches(perfect(DIGITS), SETTINGS, [Method.BOTH])
    for first, second in zip(of(outcome, Method.BOTH), alone.trajectories, strict=True):
        assert first.rows.tolist() == second.rows.tolist()
    other = SearchSettings(40, 4, 10, 4, 100, 3, seed=6)
    again = run_searches(perfect(DIGITS), other, [Method.BOTH])
    assert of(outcome, Method.BOTH)[0].rows.tolist() != again.trajectories[0].rows.tolist()


def test_lower_scores_are_better_where_the_orientation_says_so(outcome):
    downwards = Contender("downwards", Program.parse("numel(T3)"), -1)
    again = run_searches(perfect(DIGITS, downwards), SETTINGS, [Method.BOTH])
    for first, second in zip(of(outcome, Method.BOTH), again.trajectories, strict=True):
        assert first.rows.tolist() == second.rows.tolist()


def test_a_search_may_train_every_network():
    small = task(["000", "001", "011", "111", "999"])
    settings = SearchSettings(trained=5, repetitions=2, population=2, sample=1, warm_up=3, candidates=2)
    for trajectory in run_searches(perfect(small), settings).trajectories:
        assert sorted(trajectory.rows) == [0, 1, 2, 3, 4]


def test_progress_ends_with_all_networks_trained():
    told = []

    class Told(SearchObserver):
        def training(self, done, total):
            told.append((done, total))

    run_searches(perfect(DIGITS), SETTINGS, [Method.RANDOM, Method.BOTH], Told())
    assert told[0] == (160, 320)
    assert told[-1] == (320, 320)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trained": 1001}, r"expected trained from 1 to 1000 \(the networks of the task\), got 1001"),
        ({"population": 41}, r"expected population from 1 to 40 \(the trained networks\), got 41"),
        ({"sample": 0}, "expected sample from 1 on, got 0"),
        ({"warm_up": 9}, "expected warm-up from 10 to 1000 .*, got 9"),
        ({"pool": 50}, "expected warm-up from 10 to 50 .the networks to draw from., got 100"),
        ({"candidates": 0}, "expected candidates from 1 on, got 0"),
        ({"repetitions": 0}, "expected repetitions from 1 on, got 0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(changes, message):
    sizes = {"trained": 40, "population": 10, "warm_up": 100, **changes}
    with pytest.raises(ConfigError, match=message):
        run_searches(perfect(DIGITS), SearchSettings(**sizes))


@pytest.mark.parametrize("networks", [1, 2, 5, 40, 320, 15_625])
def test_the_sizes_that_fit_a_task_are_accepted(networks):
    SearchSettings(**fitting_sizes(networks)).check(networks)


def test_a_large_task_has_the_default_sizes():
    assert SearchSettings(**fitting_sizes(15_625)) == SearchSettings()


TASK = tasks.get("mnist-size")


def test_scores_are_those_of_the_task_and_kept_for_later(tmp_path):
    contender = ProxyContender("params")
    scores = ProxyScores(TASK, contender, StatisticsSettings(), 1, tmp_path)
    scores.compute([3, 5, 3])
    expected = score_networks(
        TASK, [TASK.architectures[row] for row in (5, 3)], [contender], StatisticsSettings()
    )[0]
    np.testing.assert_array_equal(scores.of(np.array([5, 3])), expected)
    assert len(scores) == 2
    (journal,) = tmp_path.glob("*.jsonl")
    before = journal.read_bytes()
    assert before.count(b"\n") == 2
    ProxyScores(TASK, contender, StatisticsSettings(), 1, tmp_path).compute([5])
    assert journal.read_bytes() == before


class Stopped(Exception):
    pass


def test_a_search_that_was_stopped_goes_on_with_the_scores_that_it_has(tmp_path):
    class Stopping(SearchObserver):
        def training(self, done, total):
            if done > total / 2:
                raise Stopped

    def scores():
        return ProxyScores(TASK, ProxyContender("params"), StatisticsSettings(), 1, tmp_path)

    settings = SearchSettings(trained=12, repetitions=2, population=4, warm_up=8, candidates=2)
    with pytest.raises(Stopped):
        run_searches(scores(), settings, [Method.BOTH], Stopping())
    (journal,) = tmp_path.glob("*.jsonl")
    before = journal.read_text()
    outcome = run_searches(scores(), settings, [Method.BOTH])
    after = journal.read_text()
    assert after.startswith(before)
    assert len(before.splitlines()) < len(after.splitlines()) == outcome.scored


@pytest.mark.parametrize(
    ("processes", "networks", "used"), [(2, 12, 1), (2, 120, 2), (4, 120, 2), (1, 200, 1), (None, 200, None)]
)
def test_few_networks_are_scored_in_this_process(monkeypatch, processes, networks, used):
    asked = []

    def count(task, architectures, contenders, settings, **options):
        asked.append((len(architectures), options["processes"]))
        return np.zeros((1, len(architectures)))

    monkeypatch.setattr(proxy_scores, "score_networks", count)
    ProxyScores(TASK, ProxyContender("params"), processes=processes).compute(range(networks))
    assert asked == [(networks, used)]


def test_a_network_without_a_score_counts_as_the_worst():
    scores = ProxyScores(TASK, Contender("never", Program.parse("reciprocal(sub(T3, T3))")), processes=1)
    scores.compute([0])
    assert scores.of(np.array([0])) == [-np.inf]
    assert scores.failed == 1


def test_the_name_of_the_proxy_stands_only_where_it_was_used():
    assert run_searches(perfect(DIGITS), SETTINGS, [Method.EVOLUTION]).proxy is None
    assert run_searches(perfect(DIGITS), SETTINGS, [Method.WARM_UP]).proxy == CONTENDER.name
