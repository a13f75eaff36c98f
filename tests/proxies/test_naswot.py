import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from proxy_examples import IMAGES, varied
from torch import Tensor, nn
from torch.nn import functional

from eznas import proxies
from eznas.errors import ProxyError
from eznas.proxies.naswot import agreements, log_determinant

NASWOT = proxies.get("naswot")
POINTS = torch.tensor([[1.0, -1.0, 2.0], [1.0, 1.0, -2.0], [-3.0, 1.0, 1.0]])[:, :, None, None]
# On and off for each point: +-+, ++-, -++. Any two agree in one place of three.
KERNEL = [[3.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 3.0]]


def kernel_by_counting(codes: np.ndarray) -> np.ndarray:
    count = len(codes)
    kernel = np.zeros((count, count))
    for i, j in itertools.product(range(count), repeat=2):
        kernel[i, j] = sum(int(a == b) for a, b in zip(codes[i], codes[j], strict=True))
    return kernel


def network(*modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(*modules, nn.Flatten(), nn.Linear(3, 2))


def test_kernel_of_hand_made_codes() -> None:
    assert agreements(POINTS).tolist() == KERNEL
    assert NASWOT(network(nn.ReLU()), POINTS) == pytest.approx(math.log(20.0), rel=1e-12)


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 1000))
def test_kernel_counts_units_that_agree(batch: int, units: int, seed: int) -> None:
    read = torch.randn(batch, units, generator=torch.Generator().manual_seed(seed))
    read[read.abs() < 0.3] = 0.0
    expected = kernel_by_counting(read.numpy() > 0)
    assert (agreements(read).numpy() == expected).all()


def test_score_is_the_log_determinant_over_all_relus() -> None:
    model, codes = varied(dropout=0.0), []
    with torch.no_grad():
        first = model.first_norm(model.first(IMAGES))
        second = model.second_norm(model.second(first.relu()))
        third = model.third(second.relu()) * model.scale
    codes = np.concatenate([(x > 0).flatten(1).numpy() for x in (first, second, third)], axis=1)
    expected = np.log(np.linalg.det(kernel_by_counting(codes)))
    assert NASWOT(varied(dropout=0.0), IMAGES) == pytest.approx(expected, rel=1e-9)


class Kind(nn.Module):
    """The same network with its ReLU written in one of several ways."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.module = nn.ReLU(inplace=kind == "in-place")
        self.head = nn.Linear(3, 2)

    def rectified(self, x: Tensor) -> Tensor:
        match self.kind:
            case "functional":
                return functional.relu(x)
            case "functional in-place":
                return functional.relu_(x)
            case "method":
                return x.relu()
            case "clamp":
                return x.clamp(min=0)
        return self.module(x)

    def forward(self, x: Tensor) -> Tensor:
        x = self.rectified(x * 2.0)
        x = self.rectified(x - 1.5)
        return self.head(x.flatten(1))


@pytest.mark.parametrize("kind", ["in-place", "functional", "functional in-place", "method", "clamp"])
def test_every_way_to_write_a_relu_is_seen_at_every_call(kind: str) -> None:
    torch.manual_seed(0)
    expected = kernel_by_counting(
        np.concatenate([(POINTS > 0).flatten(1), (POINTS.mul(2.0).relu() > 1.5).flatten(1)], axis=1)
    )
    score = NASWOT(Kind(kind), POINTS)
    assert score == NASWOT(Kind("module"), POINTS)
    assert score == pytest.approx(np.linalg.slogdet(expected).logabsdet, rel=1e-12)


@given(st.floats(0.01, 100.0), st.integers(0, 2))
def test_positive_scales_of_weights_do_not_change_the_score(scale: float, layer: int) -> None:
    def drawn() -> nn.Sequential:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            layers = [nn.Conv2d(3, 3, 3, bias=False), nn.Conv2d(3, 3, 3, bias=False)]
            return nn.Sequential(
                layers[0],
                nn.ReLU(),
                layers[1],
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(48, 4, bias=False),
                nn.ReLU(),
            ).double()

    model = drawn()
    with torch.no_grad():
        model[(0, 2, 5)[layer]].weight.mul_(scale)
    images = IMAGES.double()
    assert NASWOT(model, images) == NASWOT(drawn(), images)


def test_order_of_inputs_does_not_change_the_score() -> None:
    model = varied(dropout=0.0).double()
    images = IMAGES.double()
    assert NASWOT(model, images.flip(0)) == pytest.approx(NASWOT(model, images), rel=1e-12)


def test_relus_that_the_output_does_not_depend_on_are_left_out() -> None:
    class WithSpare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = varied(dropout=0.0)
            self.spare = nn.Conv2d(3, 8, 1)

        def forward(self, x: Tensor) -> Tensor:
            functional.relu(self.spare(x))
            functional.relu(self.spare(x).detach())
            return self.inner(x) + functional.relu(torch.zeros(2, 1)).sum()

    assert NASWOT(WithSpare(), IMAGES) == NASWOT(varied(dropout=0.0), IMAGES)


def test_one_input_gives_the_logarithm_of_the_number_of_units() -> None:
    assert NASWOT(network(nn.ReLU()), POINTS[:1]) == pytest.approx(math.log(3))


def test_inputs_with_the_same_codes_give_minus_infinity() -> None:
    assert NASWOT(network(nn.ReLU()), torch.cat([POINTS, POINTS[:1] * 2.0])) == -math.inf
    assert log_determinant(torch.full((2, 2), 7.0, dtype=torch.float64)) == -math.inf


def test_network_without_relu_is_refused_and_told_what_it_has() -> None:
    with pytest.raises(ProxyError, match=r"a ReLU that its output depends on; 0 ReLUs were met, and GELU"):
        NASWOT(network(nn.GELU()), POINTS)
