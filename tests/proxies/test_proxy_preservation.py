import pytest
import torch
from proxy_examples import IMAGES, TARGETS, Varied, varied
from torch import Tensor, nn
from torch.overrides import _len_torch_function_stack

from eznas import proxies


def state(model: nn.Module) -> dict[str, object]:
    """Everything of a network that scoring could disturb; tensors as their bytes, so that -0 is not 0."""
    content: dict[str, object] = {}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        gradient = tensor.grad
        content[name] = (
            id(tensor),
            tensor.data_ptr(),
            tensor.stride(),
            tensor.dtype,
            tensor.requires_grad,
            tensor.detach().numpy().tobytes(),
            None if gradient is None else (id(gradient), gradient.numpy().tobytes()),
        )
    for name, module in model.named_modules():
        content[f"module {name}"] = (
            module.training,
            sorted(vars(module)),
            [len(hooks) for key, hooks in vars(module).items() if key.endswith("_hooks")],
        )
    return content


def disturbed() -> Varied:
    """A network in no particular state."""
    model = varied().eval()
    model.second_norm.train()
    model.third.weight.requires_grad_(False)
    model.head.weight.grad = torch.ones_like(model.head.weight)
    model.head.register_forward_hook(lambda *_: None)
    return model


@pytest.mark.parametrize("name", proxies.names())
def test_network_inputs_and_random_numbers_are_left_as_they_were(name: str) -> None:
    model = disturbed()
    before = state(model)
    images = IMAGES.transpose(2, 3)
    copy, targets = images.clone(), TARGETS.clone()
    random_state = torch.random.get_rng_state()
    proxies.get(name)(model, images, targets)
    assert state(model) == before
    assert torch.equal(images, copy)
    assert not images.requires_grad
    assert torch.equal(targets, TARGETS)
    assert torch.equal(torch.random.get_rng_state(), random_state)


@pytest.mark.parametrize("name", [name for name in proxies.names() if name not in {"params", "l2_norm"}])
def test_network_is_left_as_it_was_by_an_exception_inside_of_it(name: str) -> None:
    class Failing(Varied):
        def forward(self, x: Tensor) -> Tensor:
            super().forward(x)
            raise ZeroDivisionError("inside the network")

    model = Failing()
    before = state(model)
    with pytest.raises(ZeroDivisionError, match="inside the network"):
        proxies.get(name)(model, IMAGES, TARGETS)
    assert state(model) == before
    assert _len_torch_function_stack() == 0


@pytest.mark.parametrize("name", proxies.names())
def test_score_does_not_depend_on_flags_of_the_network(name: str) -> None:
    proxy = proxies.get(name)
    expected = proxy(varied(), IMAGES, TARGETS)
    frozen = varied().eval().requires_grad_(False)
    assert proxy(frozen, IMAGES, TARGETS) == expected
    with torch.no_grad():
        assert proxy(frozen, IMAGES, TARGETS) == expected
    with torch.inference_mode():
        assert proxy(frozen, IMAGES.clone(), TARGETS.clone()) == expected


@pytest.mark.parametrize("name", proxies.names())
def test_network_may_write_into_its_inputs(name: str) -> None:
    class Normalising(Varied):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.mul_(2.0))

    model = Normalising()
    model.load_state_dict(varied().state_dict())
    images = IMAGES.clone()
    once = proxies.get(name)(model, images, TARGETS)
    assert torch.equal(images, IMAGES)
    assert proxies.get(name)(model, images, TARGETS) == once


@pytest.mark.parametrize("name", ["snip", "naswot", "jacob_cov", "zen"])
def test_seed_decides_what_is_random(name: str) -> None:
    proxy, model = proxies.get(name), varied(dropout=0.5)
    if name == "naswot":
        model.dropout, model.second_norm = nn.Identity(), nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(6))
    assert proxy(model, IMAGES, TARGETS, seed=1) == proxy(model, IMAGES, TARGETS, seed=1)
    assert proxy(model, IMAGES, TARGETS, seed=1) != proxy(model, IMAGES, TARGETS, seed=2)
