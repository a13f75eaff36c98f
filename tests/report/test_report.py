import numpy as np
import pytest

from eznas.evolution.outcome import Candidate, Outcome
from eznas.evolution.records import GenerationRecord, MeasuredProgram, Origin, PhaseSeconds
from eznas.program import Program
from eznas.ranking import Comparison, Correlation, Fitness, Ranked, StatisticsSettings
from eznas.report import verdicts, write_figures
from eznas.report.figures import fitness_over_generations, scores_against_accuracies

PROGRAM = Program.parse("mean(abs(T3G_D))")


def ranked(name, tau, low, program=None):
    scores = np.arange(5.0)
    if program is not None:
        scores[1] = np.nan
    return Ranked(name, program, scores, *[Correlation(tau, low, 0.9)] * 4)


def comparison(*contenders):
    return Comparison(
        "digits", StatisticsSettings(), tuple("abcde"), np.array([10.0, 30, 20, 50, 40]), contenders
    )


def record(generation, best, median):
    seconds = PhaseSeconds(0.1, 0.2, 0.3, 0.4, 0.5)
    return GenerationRecord(
        generation, best, median, str(PROGRAM), 0.5, 2, 3.0, {"digits": [0]}, 0, 1, 0, 1, 300, seconds
    )


def test_the_verdict_names_everything_that_ranks_better():
    best = ranked("best", 0.5, 0.2, PROGRAM)
    compared = comparison(
        best, ranked("eznas-a", 0.4, 0.1), ranked("parameters", 0.6, 0.3), ranked("FLOPs", 0.7, 0.3)
    )
    (verdict,) = verdicts((compared,), frozenset({"eznas-a", "parameters", "FLOPs"}))
    assert verdict.beaten_by == ("parameters", "FLOPs")
    assert str(verdict) == (
        "digits: the best program has tau +0.500, better than chance; parameters and FLOPs rank better"
    )


def test_three_that_rank_better_are_listed_with_commas():
    others = [ranked(name, 0.6, 0.2) for name in ("eznas-a", "parameters", "FLOPs")]
    (verdict,) = verdicts(
        (comparison(ranked("best", 0.5, 0.2, PROGRAM), *others),),
        frozenset({"eznas-a", "parameters", "FLOPs"}),
    )
    assert str(verdict).endswith("eznas-a, parameters and FLOPs rank better")


def test_the_verdict_ignores_other_candidates_of_the_run():
    compared = comparison(ranked("best", 0.5, 0.2, PROGRAM), ranked("second fittest ever", 0.6, 0.2, PROGRAM))
    (verdict,) = verdicts((compared,), frozenset({"parameters"}))
    assert verdict.beaten_by == ()
    assert str(verdict).endswith("nothing compared ranks better")


@pytest.mark.parametrize(("low", "above"), [(0.01, True), (0.0, False), (-0.2, False)])
def test_the_verdict_says_when_the_interval_holds_zero(low, above):
    (verdict,) = verdicts((comparison(ranked("best", 0.3, low, PROGRAM)),), frozenset())
    assert verdict.above_chance is above
    assert ("NOT better than chance" in str(verdict)) is not above


def test_the_fitness_figure_shows_every_program_the_best_and_the_median():
    programs = [
        MeasuredProgram(generation, PROGRAM, Origin.RANDOM, Fitness(value, 1, (value,)))
        for generation, value in ((0, 0.1), (0, 0.3), (1, 0.6))
    ]
    (axes,) = fitness_over_generations([record(0, 0.3, 0.2), record(1, 0.6, 0.6)], programs).axes
    best, median = (line.get_ydata() for line in axes.lines)
    assert list(best) == [0.3, 0.6]
    assert list(median) == [0.2, 0.6]
    (points,) = axes.collections
    assert [y for _, y in points.get_offsets()] == [0.1, 0.3, 0.6]
    assert all(abs(x - number) < 0.5 for (x, _), number in zip(points.get_offsets(), (1, 1, 2), strict=True))


def test_the_score_figure_shows_ranks_of_scored_networks_only():
    compared = comparison(ranked("best", 0.5, 0.2, PROGRAM), ranked("parameters", 0.4, 0.2))
    first, second = scores_against_accuracies(compared).axes
    assert [tuple(point) for point in first.collections[0].get_offsets()] == [
        (1, 10),
        (2, 20),
        (3, 50),
        (4, 40),
    ]
    assert len(second.collections[0].get_offsets()) == 5
    assert first.get_title() == "best\nτ = +0.500 [+0.200, +0.900]"


def test_all_figures_of_a_run_are_written(tmp_path):
    outcome = Outcome(
        (Candidate(("best",), PROGRAM, 0.5, 1),), (comparison(ranked("best", 0.5, 0.2, PROGRAM)),)
    )
    written = write_figures(tmp_path / "figures", [record(0, 0.3, 0.2)], [], outcome)
    assert {path.stem for path in written} == {"fitness", "scores-digits-batch1-seed0", "best-program"}
    for path in written:
        start = {".png": b"\x89PNG", ".svg": b"<?xml"}[path.suffix]
        assert path.read_bytes().startswith(start)
