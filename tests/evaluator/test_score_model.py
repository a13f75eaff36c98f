"""The score of one program on one model."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from eznas.errors import ConfigError, EznasError, NoLayersError, StatisticsError
from eznas.evaluator import Evaluator, score_model
from eznas.program import NAMED_PROGRAMS, Program
from eznas.statistics import collect_statistics
from eznas.statistics.initialise import initialise


def _model() -> nn.Module:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 16, 3),
    )
    return initialise(model, seed=1)


INPUTS = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("program", NAMED_PROGRAMS.values(), ids=NAMED_PROGRAMS)
@pytest.mark.parametrize("structure", ["rcb", "cbr"])
def test_it_is_the_evaluators_score_of_the_collected_statistics(program: Program, structure: str) -> None:
    statistics = collect_statistics(_model(), INPUTS, structure=structure)
    expected = Evaluator([statistics]).score([program])
    if expected.failures:
        with pytest.raises(EznasError, match="has no score on this model"):
            score_model(program, _model(), INPUTS, structure)
    else:
        assert score_model(program, _model(), INPUTS, structure) == expected.values[0, 0]


def test_the_weights_are_used_as_they_are() -> None:
    model = _model()
    weight = next(
        module for module in model.modules() if isinstance(module, nn.Conv2d) and module.stride == (2, 2)
    )
    with torch.no_grad():
        weight.weight.fill_(0.25)
    assert score_model(Program.parse("mean(T3)"), model, INPUTS) == 0.25
    norm = score_model(Program.parse("T3"), model, INPUTS, to_scalar="l2")
    assert norm == pytest.approx(0.25 * (6 * 4 * 9) ** 0.5, rel=1e-6)


def test_the_seed_decides_noise_alone() -> None:
    noise, data = Program.parse("mean(T1_N)"), Program.parse("mean(T1_D)")
    scores = [
        [score_model(program, _model(), INPUTS, seed=seed) for seed in (0, 0, 1)] for program in (noise, data)
    ]
    assert scores[0][0] == scores[0][1] != scores[0][2]
    assert scores[1][0] == scores[1][1] == scores[1][2]


def test_an_invalid_program_is_an_error_with_layer_and_operation() -> None:
    message = (
        r"^mean\(matmul\(T3, T1_D\)\) has no score on this model: layer 0: matmul: shapes \(6, 4, 3, 3\) and "
        r"\(2, 4, 8, 8\) do not multiply: the last dimension of the first is 3, "
        r"the second to last of the second is 8$"
    )
    with pytest.raises(EznasError, match=message):
        score_model(Program.parse("mean(matmul(T3, T1_D))"), _model(), INPUTS)


def test_values_that_are_not_finite_are_an_error_that_names_the_operation() -> None:
    with pytest.raises(EznasError, match=r"layer 0: reciprocal of \(6, 4, 3, 3\) gives 216 infinite of 216"):
        score_model(Program.parse("reciprocal(zeros_like(T3))"), _model(), INPUTS)


def test_a_model_without_layers_is_an_error() -> None:
    with pytest.raises(NoLayersError, match="ReLU-Conv-BatchNorm"):
        score_model(Program.parse("mean(T3)"), nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), INPUTS)


def test_unknown_settings_are_errors() -> None:
    program = Program.parse("mean(T3)")
    with pytest.raises(StatisticsError, match="rcb, cbr"):
        score_model(program, _model(), INPUTS, structure="brc")
    with pytest.raises(ConfigError, match="mean, l2"):
        score_model(program, _model(), INPUTS, to_scalar="median")
