import pytest
import torch
from proxy_examples import IMAGES, TARGETS, smooth, varied
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from eznas import proxies
from eznas.spaces.counting import count_flops


def layers(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def with_gradients(model: nn.Module) -> nn.Module:
    """The same network after the backward pass of the loss, by plain means."""
    model.train()
    functional.cross_entropy(model(IMAGES), TARGETS).backward()
    return model


def score(name: str, model: nn.Module) -> float:
    return proxies.get(name)(model, IMAGES, TARGETS)


def test_grad_norm_adds_the_norms_of_layers() -> None:
    model = with_gradients(varied(dropout=0.0))
    expected = sum(layer.weight.grad.square().sum().sqrt() for layer in layers(model))
    assert score("grad_norm", varied(dropout=0.0)) == pytest.approx(float(expected), rel=1e-5)


def test_snip_adds_absolute_sensitivities() -> None:
    model = with_gradients(varied(dropout=0.0))
    expected = sum((layer.weight.detach() * layer.weight.grad).abs().sum() for layer in layers(model))
    assert score("snip", varied(dropout=0.0)) == pytest.approx(float(expected), rel=1e-5)


def test_snip_is_the_gradient_by_a_mask_of_the_weights() -> None:
    model = smooth()
    masks = {
        name: torch.ones_like(p, requires_grad=name.endswith("weight"))
        for name, p in model.named_parameters()
    }
    masked = {name: p.detach() * masks[name] for name, p in model.named_parameters()}
    functional.cross_entropy(functional_call(model, masked, (IMAGES,)), TARGETS).backward()
    expected = sum(float(mask.grad.abs().sum()) for mask in masks.values() if mask.grad is not None)
    assert score("snip", smooth()) == pytest.approx(expected, rel=1e-5)


def test_plain_keeps_the_sign() -> None:
    model = with_gradients(smooth())
    expected = sum((layer.weight.detach() * layer.weight.grad).sum() for layer in layers(model))
    assert score("plain", smooth()) == pytest.approx(float(expected), rel=1e-4)
    assert abs(score("plain", smooth())) < score("snip", smooth())


def test_plain_is_negative_where_larger_weights_would_lower_the_loss() -> None:
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3, bias=False))
    nn.init.eye_(model[2].weight)
    pure = torch.eye(3)[:, :, None, None]
    assert proxies.get("plain")(model, pure, torch.arange(3)) < 0


def test_plain_of_a_convolution_before_a_batch_norm_is_zero() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Softmax(1),
    )
    assert score("plain", model) == pytest.approx(0.0, abs=1e-5)


def test_plain_is_the_slope_of_the_loss_along_the_weights() -> None:
    model = smooth().double()
    images = IMAGES.double()

    def loss(scale: float) -> float:
        scaled = {
            name: p.detach() * (scale if name.endswith("weight") else 1.0)
            for name, p in model.named_parameters()
        }
        return float(functional.cross_entropy(functional_call(model, scaled, (images,)), TARGETS))

    slope = (loss(1.0 + 1e-5) - loss(1.0 - 1e-5)) / 2e-5
    assert proxies.get("plain")(model, images, TARGETS) == pytest.approx(slope, rel=1e-6)


def test_grasp_is_minus_the_weights_times_hessian_times_gradient() -> None:
    model = smooth().double()
    images = IMAGES.double()
    named = dict(model.named_parameters())
    names = [name for name in named if name.endswith("weight")]

    def loss(*weights: Tensor) -> Tensor:
        given = {**named, **dict(zip(names, weights, strict=True))}
        return functional.cross_entropy(functional_call(model, given, (images,)), TARGETS)

    weights = tuple(named[name].detach() for name in names)
    gradients = torch.autograd.functional.jacobian(loss, weights)
    _, products = torch.autograd.functional.hvp(loss, weights, gradients)
    expected = -sum(float((w * hg).sum()) for w, hg in zip(weights, products, strict=True))
    assert proxies.get("grasp")(model, images, TARGETS) == pytest.approx(expected, rel=1e-9)


def test_grasp_is_the_change_of_the_gradient_norm_along_the_weights() -> None:
    # The gradient of |g|^2 / 2 is Hg, so that minus its slope along the weights is the score.
    model = smooth().double()
    images = IMAGES.double()

    def half_square_norm(scale: float) -> float:
        scaled = smooth().double()
        with torch.no_grad():
            for layer in layers(scaled):
                layer.weight.mul_(scale)
        functional.cross_entropy(scaled(images), TARGETS).backward()
        return sum(float(layer.weight.grad.square().sum()) for layer in layers(scaled)) / 2

    slope = (half_square_norm(1 + 1e-5) - half_square_norm(1 - 1e-5)) / 2e-5
    assert proxies.get("grasp")(model, images, TARGETS) == pytest.approx(-slope, rel=1e-6)


def test_fisher_sums_explicitly_over_channels() -> None:
    model = smooth().double()
    images = IMAGES.double()
    expected = 0.0
    first = model[0](images).detach().requires_grad_()
    second = model[3](model[2](model[1](first)))
    second.retain_grad()
    third = model[5](model[4](second))
    third.retain_grad()
    functional.cross_entropy(third, TARGETS).backward()
    for activation, layer in ((first, model[0]), (second, model[3]), (third, model[5])):
        for channel in range(activation.shape[1]):
            squares = [
                float((activation.detach()[image, channel] * activation.grad[image, channel]).sum()) ** 2
                for image in range(len(images))
            ]
            expected += sum(squares) / len(squares) / 2 * layer.weight[channel].numel()
    assert proxies.get("fisher")(model, images, TARGETS) == pytest.approx(expected, rel=1e-9)


def test_fisher_reads_an_activation_before_it_is_written_over() -> None:
    def network(*, inplace: bool) -> nn.Sequential:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ELU(inplace=inplace), nn.Flatten(), nn.Linear(144, 4))

    assert score("fisher", network(inplace=True)) == pytest.approx(score("fisher", network(inplace=False)))


def test_fisher_counts_every_call_of_a_shared_layer() -> None:
    class Twice(nn.Module):
        def __init__(self, second: nn.Conv2d | None = None) -> None:
            super().__init__()
            with torch.random.fork_rng():
                torch.manual_seed(0)
                self.first, self.head = nn.Conv2d(3, 3, 3), nn.Linear(48, 4)
            self.second = self.first if second is None else second

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.second(self.first(x)).flatten(1))

    unshared = nn.Conv2d(3, 3, 3)
    unshared.load_state_dict(Twice().first.state_dict())
    assert score("fisher", Twice()) == pytest.approx(score("fisher", Twice(unshared)))


@pytest.mark.parametrize("name", ["grad_norm", "snip", "grasp", "fisher", "plain"])
def test_layers_that_do_not_reach_the_loss_add_nothing(name: str) -> None:
    class WithSpare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.spare, self.idle = smooth(), nn.Conv2d(3, 2, 1), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            self.spare(x)
            return self.inner(x)

    assert score(name, WithSpare()) == pytest.approx(score(name, smooth()))


@pytest.mark.parametrize("name", ["grad_norm", "snip", "grasp", "fisher", "plain"])
def test_logits_without_gradient_give_zero(name: str) -> None:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = smooth()

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x).detach()

    assert score(name, Detached()) == 0.0


def test_l2_norm_adds_the_norms_of_weights_alone() -> None:
    model = varied()
    expected = sum(float(layer.weight.detach().square().sum().sqrt()) for layer in layers(model))
    assert score("l2_norm", model) == pytest.approx(expected, rel=1e-6)


def test_a_weight_that_layers_share_counts_once() -> None:
    one, other = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    other.weight = one.weight
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), one, nn.ReLU(), other, nn.Linear(3, 4))
    expected = float((one.weight.norm() + model[5].weight.norm()).detach())
    assert score("l2_norm", model) == pytest.approx(expected, rel=1e-6)
    assert score("synflow", model) > 0
    with pytest.raises(Exception, match="batch norm"):
        score("zen", model)


def test_costs_are_those_of_the_counting_of_spaces() -> None:
    model = varied()
    assert score("params", model) == sum(p.numel() for p in model.parameters())
    assert score("params", model.requires_grad_(False)) == score("params", varied())
    assert score("flops", model) == count_flops(model, (1, 3, 8, 8))
