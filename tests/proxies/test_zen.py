import math

import pytest
import torch
from proxy_examples import IMAGES, varied
from torch import Tensor, nn

from eznas import proxies
from eznas.errors import ProxyError

ZEN = proxies.get("zen")


class Plain(nn.Module):
    """Convolution, batch norm, ReLU, twice; pooled in one of several ways."""

    def __init__(self, pooling: str = "module") -> None:
        super().__init__()
        self.one, self.one_norm = nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5, momentum=0.3)
        self.two, self.two_norm = nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4, affine=False)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pooling = pooling
        self.head = nn.Linear(4 if pooling != "none" else 64, 3)

    def features(self, x: Tensor) -> Tensor:
        x = self.one_norm(self.one(x)).relu()
        return self.two_norm(self.two(x)).relu()

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        match self.pooling:
            case "module":
                x = self.pool(x).flatten(1)
            case "mean":
                x = x.mean((2, 3))
            case "window":
                x = nn.functional.avg_pool2d(x, x.shape[-1]).flatten(1)
            case _:
                x = x.flatten(1)
        return self.head(x)


def by_hand(model: Plain, shape: tuple[int, ...], seed: int, *, of_logits: bool = False) -> float:
    """The steps of the algorithm one after the other, on a network that is really changed."""
    generator = torch.Generator().manual_seed(seed)
    for layer in (model.one, model.two, model.head):
        # Weights in the order of the modules; biases stay zero, batch norms as they were made.
        layer.weight.data = torch.randn(layer.weight.shape, generator=generator)
        layer.bias.data.zero_()
    x = torch.randn(shape, generator=generator)
    noise = torch.randn(shape, generator=generator)
    with torch.no_grad():
        first = model.one(x)
        second = model.two(model.one_norm(first).relu())
        evaluate = model if of_logits else model.features
        change = (evaluate(x + 0.01 * noise) - evaluate(x)).flatten(1).double()
    score = math.log(sum(float(row.square().sum().sqrt()) for row in change) / len(change))
    for written in (first, second):
        channels = written.transpose(0, 1).flatten(1).double()
        score += math.log(math.sqrt(float(channels.var(1, correction=0).mean())))
    return score


@pytest.mark.parametrize("pooling", ["module", "mean", "window"])
def test_score_follows_the_steps_of_the_algorithm(pooling: str) -> None:
    expected = by_hand(Plain(pooling), tuple(IMAGES.shape), seed=5)
    assert ZEN(Plain(pooling), IMAGES, seed=5) == pytest.approx(expected, rel=1e-4)


def test_network_that_does_not_pool_is_scored_by_its_logits() -> None:
    expected = by_hand(Plain("none"), tuple(IMAGES.shape), seed=5, of_logits=True)
    assert ZEN(Plain("none"), IMAGES, seed=5) == pytest.approx(expected, rel=1e-4)


def test_neither_images_nor_weights_nor_running_statistics_enter_the_score() -> None:
    model = varied()
    with torch.no_grad():
        for tensor in [*model.parameters(), model.first_norm.running_var]:
            tensor.mul_(3.0)
    assert ZEN(model, IMAGES * 2.0) == ZEN(varied(seed=1), IMAGES)


def test_deeper_networks_score_higher() -> None:
    def network(depth: int) -> nn.Sequential:
        blocks = [
            nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()) for _ in range(depth)
        ]
        return nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), *blocks, nn.AdaptiveAvgPool2d(1))

    scores = [ZEN(network(depth), IMAGES) for depth in (1, 3, 6)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_batch_norm_over_a_constant_is_left_out() -> None:
    class WithEmpty(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.empty_norm = nn.BatchNorm2d(4)

        def features(self, x: Tensor) -> Tensor:
            x = super().features(x)
            return x + self.empty_norm(torch.zeros_like(x))

    assert ZEN(WithEmpty(), IMAGES) == pytest.approx(ZEN(Plain(), IMAGES), rel=1e-6)


def test_features_that_do_not_depend_on_the_input_give_minus_infinity() -> None:
    model = nn.Sequential(
        nn.Hardtanh(0.0, 1e-30), nn.Threshold(1.0, 2.0), nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)
    )
    assert ZEN(model, IMAGES) == -math.inf


def test_network_without_batch_norm_is_refused() -> None:
    with pytest.raises(ProxyError, match="expected a network with a batch norm"):
        ZEN(nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU()), IMAGES)


def test_module_that_two_places_share_is_drawn_once() -> None:
    shared = nn.Conv2d(3, 3, 1)
    other = nn.Conv2d(3, 3, 1)
    other.weight, other.bias = shared.weight, shared.bias
    model = nn.Sequential(shared, nn.BatchNorm2d(3), nn.ReLU(), other, nn.AdaptiveAvgPool2d(1))
    assert math.isfinite(ZEN(model, IMAGES))
