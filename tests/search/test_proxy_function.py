import math

import pytest
import torch
from networks import ResNet18
from torch import nn

from eznas import Program, initialise, proxies, score_model
from eznas.errors import EznasError, ProgramSyntaxError, ProxyError
from eznas.program import NAMED_PROGRAMS, SequentialProgram
from eznas.search import ProxyFunction
from eznas.statistics import collect_statistics

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
TARGETS = torch.tensor([1, 3])


def resnet(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ResNet18(**options)


@pytest.mark.parametrize("functional_relu", [False, True])
def test_a_resnet_18_of_plain_pytorch_has_a_score(functional_relu):
    model = resnet(functional_relu=functional_relu)
    # 20 convolutions; one reads the image, and one reads a max pooling, the others a ReLU.
    assert len(collect_statistics(model, IMAGES, ["T3"]).layers) == 20 - 2
    score = ProxyFunction("eznas-a")(model, IMAGES)
    assert math.isfinite(score)
    assert score == score_model(NAMED_PROGRAMS["eznas-a"], model, IMAGES)


def test_relu_as_a_function_and_in_place_give_the_same_score():
    function = ProxyFunction("eznas-b")
    assert function(resnet(functional_relu=True), IMAGES) == function(resnet(), IMAGES)


@pytest.mark.parametrize("name", ["eznas-a", "naswot", "synflow", "grad_norm"])
def test_the_model_is_left_as_it_was(name):
    model = resnet().eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    first = ProxyFunction(name)(model, IMAGES, TARGETS)
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert ProxyFunction(name)(model, IMAGES, TARGETS) == first


def test_weights_are_drawn_only_where_it_is_asked_for():
    used, drawn = ProxyFunction("mean(abs(T3))"), ProxyFunction("mean(abs(T3))", initialise=True, seed=3)
    model = resnet()
    as_it_was = used(model, IMAGES)
    assert drawn(model, IMAGES) != as_it_was
    assert used(model, IMAGES) == used(initialise(resnet(), 3), IMAGES)


def test_a_proxy_of_the_literature_gives_its_own_score():
    expected = proxies.get("grad_norm")(resnet(), IMAGES, TARGETS)
    assert ProxyFunction("grad_norm")(resnet(), IMAGES, TARGETS) == expected


def test_a_higher_value_is_better():
    model = resnet()
    assert ProxyFunction("eznas-b")(model, IMAGES) == -score_model(NAMED_PROGRAMS["eznas-b"], model, IMAGES)
    text = "mean(abs(T3G_D))"
    assert ProxyFunction(text, orientation=-1)(model, IMAGES) == -ProxyFunction(text)(model, IMAGES)


def test_programs_may_be_given_as_objects_and_as_instructions():
    tree = Program.parse("mean(abs(T3))")
    lines = SequentialProgram.parse("d0 = abs(T3); s0 = mean(d0)")
    scores = {ProxyFunction(program)(resnet(), IMAGES) for program in (tree, lines, str(tree), str(lines))}
    assert len(scores) == 1


def test_the_settings_reach_the_score():
    model = resnet()
    scores = [
        ProxyFunction("T4_N", **settings)(model, IMAGES)
        for settings in ({}, {"to_scalar": "l2"}, {"structure": "cbr"}, {"seed": 1})
    ]
    assert len(set(scores)) == 4


WITHOUT_LAYERS = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))


def test_a_network_without_a_score_raises_the_reason():
    with pytest.raises(EznasError, match="at least one ReLU-Conv-BatchNorm layer"):
        ProxyFunction("eznas-a")(WITHOUT_LAYERS, IMAGES)
    with pytest.raises(EznasError, match=r"layer 0: reciprocal"):
        ProxyFunction("reciprocal(sub(T3, T3))")(resnet(), IMAGES)
    with pytest.raises(ProxyError, match="got no targets"):
        ProxyFunction("grad_norm")(resnet(), IMAGES)


def test_a_network_without_a_score_may_have_a_given_one():
    assert ProxyFunction("eznas-b", otherwise=-math.inf)(WITHOUT_LAYERS, IMAGES) == -math.inf


def test_a_proxy_that_is_not_finite_is_no_score():
    nothing = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 30 * 30, 2))
    with torch.no_grad():
        for parameter in nothing.parameters():
            parameter.fill_(math.inf)
    with pytest.raises(ProxyError, match="on this model"):
        ProxyFunction("l2_norm")(nothing, IMAGES)


def test_what_is_no_proxy_is_refused_at_once():
    with pytest.raises(ProgramSyntaxError):
        ProxyFunction("eznas-z")
    with pytest.raises(ProxyError, match="expected an orientation of 1 or -1, got 2"):
        ProxyFunction("eznas-a", orientation=2)
