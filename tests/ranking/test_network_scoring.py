import json
import pickle

import numpy as np
import pytest

from eznas import tasks
from eznas.errors import RunError
from eznas.evaluator import Evaluator
from eznas.program import Program
from eznas.ranking import Contender, ProxyContender, StatisticsSettings, score_networks, scoring
from eznas.ranking.score_journal import opened_journal
from eznas.tasks import network_statistics

CONTENDERS = [
    Contender("norm", Program.parse("mean(abs(T3G_N))")),
    Contender("never valid", Program.parse("reciprocal(sub(T3, T3))")),
    ProxyContender("grad_norm"),
]
SETTINGS = StatisticsSettings(batch_size=2, seed=3)


@pytest.fixture(scope="module")
def task():
    return tasks.get("mnist-size")


@pytest.fixture(scope="module")
def architectures(task):
    return task.architectures[10:21]


@pytest.fixture(scope="module")
def scores(task, architectures):
    return score_networks(task, architectures, CONTENDERS, SETTINGS)


def test_programs_are_scored_as_by_an_evaluator_over_all_networks(task, architectures, scores):
    statistics = [network_statistics(task, text, ["T3G_N"], batch_size=2, seed=3) for text in architectures]
    np.testing.assert_array_equal(scores[0], Evaluator(statistics).score([CONTENDERS[0].program]).values[0])


def test_a_contender_without_score_is_nan_and_the_journal_says_why(task, architectures, scores, tmp_path):
    assert np.isnan(scores[1]).all()
    score_networks(task, architectures[:1], CONTENDERS, SETTINGS, journal=tmp_path)
    (file,) = tmp_path.glob("mnist-size-*.jsonl")
    outcomes = json.loads(file.read_text())["scores"]
    assert outcomes["reciprocal(sub(T3,T3))".replace(",", ", ")].startswith("layer 0: reciprocal")
    assert outcomes["proxy grad_norm"] == scores[2][0] > 0


def test_scores_do_not_depend_on_the_number_of_processes(task, architectures, scores):
    again = score_networks(task, architectures, CONTENDERS, SETTINGS, processes=2)
    np.testing.assert_array_equal(again, scores)


class Stopped(Exception):
    pass


def test_what_was_scored_before_an_end_is_not_scored_again(
    task, architectures, scores, tmp_path, monkeypatch
):
    def stop(done, _total):
        if done == 8:
            raise Stopped

    with pytest.raises(Stopped):
        score_networks(task, architectures, CONTENDERS, SETTINGS, journal=tmp_path, progress=stop)
    (file,) = tmp_path.glob("*.jsonl")
    file.write_bytes(file.read_bytes() + b'{"architecture": "torn')
    built = []
    space, build = type(task.space), type(task.space).build
    monkeypatch.setattr(
        space, "build", lambda self, text, **to: built.append(text) or build(self, text, **to)
    )
    again = score_networks(task, architectures, CONTENDERS, SETTINGS, journal=tmp_path)
    np.testing.assert_array_equal(again, scores)
    assert built == list(architectures[8:])


def test_another_contender_is_all_that_is_computed(task, architectures, tmp_path, monkeypatch):
    score_networks(task, architectures, CONTENDERS[:1], SETTINGS, journal=tmp_path)
    asked = []
    attempt = scoring._attempt
    monkeypatch.setattr(scoring, "_attempt", lambda *of: asked.append(of[0]) or attempt(*of))
    monkeypatch.setattr(scoring, "collect_statistics", lambda *_, **__: pytest.fail("nothing to collect"))
    score_networks(task, architectures, [CONTENDERS[0], CONTENDERS[2]], SETTINGS, journal=tmp_path)
    assert asked == ["grad_norm"] * len(architectures)


def test_other_settings_have_a_journal_of_their_own(task, architectures, tmp_path):
    for seed in (0, 1):
        settings = StatisticsSettings(seed=seed)
        score_networks(task, architectures[:2], CONTENDERS[:1], settings, journal=tmp_path)
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_a_spoilt_journal_is_refused_with_its_line(task, architectures, tmp_path):
    score_networks(task, architectures[:2], CONTENDERS[:1], SETTINGS, journal=tmp_path)
    (file,) = tmp_path.glob("*.jsonl")
    file.write_text(file.read_text() + "[]\n")
    with pytest.raises(RunError, match=r"line 3 holds no scores: b'\[\]'"):
        score_networks(task, architectures[:2], CONTENDERS[:1], SETTINGS, journal=tmp_path)


def test_a_journal_in_use_or_unwritable_is_refused(tmp_path):
    with opened_journal(tmp_path, "any", {}), pytest.raises(RunError, match="another process keeps scores"):
        opened_journal(tmp_path, "any", {}).__enter__()
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(RunError, match="cannot keep scores"):
        opened_journal(file / "below", "any", {}).__enter__()


def test_another_process_opens_the_task_by_its_name(task):
    scorer = scoring._Scorer(task, tuple(CONTENDERS), SETTINGS)
    data = pickle.dumps(scorer)
    assert len(data) < 5000
    assert pickle.loads(data).task.architectures == task.architectures
