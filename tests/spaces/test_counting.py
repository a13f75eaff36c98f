import pytest
import torch
from torch import nn

from eznas.spaces.counting import count_flops, count_parameters
from eznas.spaces.micro_size import MicroSize


def test_frozen_parameters_do_not_count() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].weight.requires_grad_(False)
    assert count_parameters(model) == 4 + (4 * 2 + 2)


def test_grouped_strided_convolution_with_bias() -> None:
    convolution = nn.Conv2d(6, 4, (3, 2), stride=2, groups=2)
    # Maps of 3 x 4; each value reads 3 channels of 3 x 2, and a bias.
    assert count_flops(convolution, (2, 6, 8, 9)) == 2 * 4 * 3 * 4 * (3 * 3 * 2 + 1)


def test_batch_norm_and_pooling_cost_nothing() -> None:
    assert count_flops(nn.Sequential(nn.BatchNorm2d(3), nn.AvgPool2d(2), nn.ReLU()), (1, 3, 8, 8)) == 0


def test_module_without_parameters_is_counted_too() -> None:
    assert count_flops(nn.ReLU(), (1, 3)) == 0


def test_layer_that_is_used_twice_costs_twice() -> None:
    layer = nn.Linear(5, 5)
    assert count_flops(nn.Sequential(layer, nn.ReLU(), layer), (1, 5)) == 2 * 5 * 6


class _Failing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.BatchNorm1d(2).eval()

    def forward(self, _inputs: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no forward today")


def test_model_is_left_as_it_was_even_when_its_forward_pass_fails() -> None:
    model = _Failing()
    with pytest.raises(RuntimeError, match="no forward today"):
        count_flops(model, (1, 2))
    assert model.training
    assert not model.inner.training
    assert all(not module._forward_hooks for module in model.modules())


def test_counting_leaves_statistics_and_modes_alone() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    count_flops(model, (4, 3, 5, 5))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == [True, True, False]
    assert all(not module._forward_hooks for module in model.modules())


def test_counting_of_a_space_moves_no_random_numbers() -> None:
    before = torch.random.get_rng_state()
    MicroSize().parameters("2x1:2x1:2x1")
    MicroSize().flops("2x1:2x1:2x1")
    assert torch.equal(torch.random.get_rng_state(), before)
