import math

import pytest
import torch
from torch import nn

from eznas.statistics import initialise, network_seed


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(8, 64, 3),
        nn.BatchNorm2d(64),
        nn.Conv2d(64, 64, 3, groups=64, bias=False),
        nn.BatchNorm2d(64, affine=False),
        nn.PReLU(),
        nn.Linear(64, 500),
    )


@pytest.mark.parametrize(("index", "fan_out"), [(0, 64 * 9), (2, 64 * 9)])
def test_convolutions_are_kaiming_normal_of_fan_out(index: int, fan_out: int) -> None:
    weight = initialise(network(), 0)[index].weight
    assert isinstance(weight, torch.Tensor)
    expected = math.sqrt(2 / fan_out)
    assert abs(weight.std().item() / expected - 1) < 0.1
    assert abs(weight.mean().item()) < 0.2 * expected


def test_linear_layers_are_normal_of_a_hundredth() -> None:
    linear = initialise(network(), 0)[5]
    assert abs(linear.weight.std().item() / 0.01 - 1) < 0.05
    assert not linear.bias.any()


def test_biases_are_zero_and_batch_norms_are_the_identity() -> None:
    model = network()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(3.0)
    initialise(model, 0)
    assert not model[0].bias.any()
    assert (model[1].weight == 1).all()
    assert not model[1].bias.any()


def test_other_modules_stay_as_they_are() -> None:
    model = network()
    before = model[4].weight.clone()
    assert torch.equal(initialise(model, 0)[4].weight, before)


def test_same_network_is_given_back_with_weights_that_the_seed_decides() -> None:
    model = network()
    assert initialise(model, 1) is model
    first = model[0].weight.clone()
    assert torch.equal(initialise(network(), 1)[0].weight, first)
    assert not torch.equal(initialise(network(), 2)[0].weight, first)


def test_memory_format_does_not_change_the_draws() -> None:
    plain = initialise(network(), 1)
    last = initialise(network().to(memory_format=torch.channels_last), 1)
    assert torch.equal(plain[0].weight, last[0].weight)


def test_seeds_of_networks_differ_by_name_and_seed_and_never_change() -> None:
    seeds = {network_seed(seed, name) for seed in range(20) for name in ("a", "b", "0", "10")}
    assert len(seeds) == 80
    assert network_seed(0, "a") == network_seed(0, "a")
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert network_seed(0, "|none~0|") == 3993563018803182028
