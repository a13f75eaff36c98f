import copy

import pytest
import torch
from sample_networks import PreActivation, ResNet
from torch import Tensor, nn
from torch.overrides import _len_torch_function_stack

from eznas.errors import NoLayersError
from eznas.statistics import collect_statistics, initialise

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def state(model: nn.Module) -> dict[str, object]:
    """Everything of a network that collecting could disturb."""
    content: dict[str, object] = {f"value {name}": each.clone() for name, each in model.state_dict().items()}
    content |= {f"grad {n}": None if p.grad is None else p.grad.clone() for n, p in model.named_parameters()}
    content |= {f"requires {n}": p.requires_grad for n, p in model.named_parameters()}
    content |= {f"identity {n}": id(p) for n, p in [*model.named_parameters(), *model.named_buffers()]}
    content |= {f"training {n}": module.training for n, module in model.named_modules()}
    for name, module in model.named_modules():
        content[f"hooks {name}"] = [
            len(getattr(module, hooks)) for hooks in sorted(vars(module)) if hooks.endswith("_hooks")
        ]
    return content


def assert_undisturbed(model: nn.Module, before: dict[str, object]) -> None:
    after = state(model)
    assert after.keys() == before.keys()
    for name, value in before.items():
        if isinstance(value, Tensor):
            assert torch.equal(after[name], value), name  # type: ignore[arg-type]
        else:
            assert after[name] == value, name


@pytest.mark.parametrize("terminals", [None, ["T3"], ["T1_D"], ["T3G_N"]])
def test_network_is_left_as_it_was(terminals: list[str] | None) -> None:
    model = initialise(ResNet(), 0)
    model.eval()
    model.bn.train()
    model.conv.weight.requires_grad_(False)
    model.fc.weight.grad = torch.ones_like(model.fc.weight)
    before = state(model)
    collect_statistics(model, IMAGES, terminals)
    assert_undisturbed(model, before)


def test_statistics_are_those_of_training_mode_whatever_mode_the_network_is_in() -> None:
    model = initialise(PreActivation(), 0)
    training = collect_statistics(model, IMAGES, ["T4_D"])
    evaluating = collect_statistics(model.eval(), IMAGES, ["T4_D"])
    assert not model.training
    for one, other in zip(training.layers, evaluating.layers, strict=True):
        assert (one["T4_D"] == other["T4_D"]).all()


def test_frozen_network_gives_the_same_gradients() -> None:
    model = initialise(PreActivation(), 0)
    expected = collect_statistics(model, IMAGES)
    frozen = copy.deepcopy(model).requires_grad_(False)
    found = collect_statistics(frozen, IMAGES)
    for one, other in zip(expected.layers, found.layers, strict=True):
        for name in expected.terminals:
            assert (one[name] == other[name]).all(), name
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


def test_network_is_left_as_it_was_by_an_exception_inside_of_it() -> None:
    class Failing(PreActivation):
        def forward(self, x: Tensor) -> Tensor:
            super().forward(x)
            raise ZeroDivisionError("inside the network")

    model = Failing().eval()
    model.stem.requires_grad_(False)
    before = state(model)
    with pytest.raises(ZeroDivisionError, match="inside the network"):
        collect_statistics(model, IMAGES)
    assert_undisturbed(model, before)
    assert _len_torch_function_stack() == 0


def test_network_is_left_as_it_was_when_it_has_no_layers() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
    before = state(model)
    with pytest.raises(NoLayersError):
        collect_statistics(model, IMAGES)
    assert_undisturbed(model, before)
    assert _len_torch_function_stack() == 0


def test_inputs_are_not_written_over() -> None:
    class Normalising(PreActivation):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.sub_(0.5).div_(0.25))

    images = IMAGES.clone()
    collect_statistics(Normalising(), images)
    assert torch.equal(images, IMAGES)
    assert not images.requires_grad


def test_global_random_numbers_are_not_moved() -> None:
    class Dropping(PreActivation):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(nn.functional.dropout(x))

    model = Dropping()
    before = torch.random.get_rng_state()
    initialise(model, 0)
    collect_statistics(model, IMAGES)
    assert torch.equal(torch.random.get_rng_state(), before)
