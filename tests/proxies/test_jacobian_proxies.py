import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from proxy_examples import IMAGES, TARGETS, smooth
from torch import Tensor, nn

from eznas import proxies
from eznas.errors import ProxyError
from eznas.proxies.epe_nas import class_score
from eznas.proxies.jacob_cov import eigenvalue_score
from eznas.proxies.jacobian import correlation

JACOB_COV, EPE_NAS = proxies.get("jacob_cov"), proxies.get("epe_nas")


class Wide(nn.Module):
    """A network without batch norm, whose rows can be had one by one; many classes where asked for."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(2)
            self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def rows(model: nn.Module) -> np.ndarray:
    """The gradients image by image."""
    found = []
    for image in IMAGES:
        given_image = image[None].clone().requires_grad_()
        model(given_image).sum().backward()
        found.append(given_image.grad.flatten().numpy().astype(np.float64))
    return np.stack(found)


@given(st.integers(2, 6), st.integers(2, 20), st.integers(0, 1000))
def test_correlation_is_that_of_numpy(count: int, length: int, seed: int) -> None:
    drawn = torch.randn(count, length, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assert correlation(drawn).numpy() == pytest.approx(np.corrcoef(drawn.numpy()), abs=1e-12)


def test_jacob_cov_is_computed_from_the_eigenvalues() -> None:
    values = np.linalg.eigvalsh(np.corrcoef(rows(smooth())))
    expected = -sum(math.log(v + 1e-5) + 1 / (v + 1e-5) for v in values)
    assert JACOB_COV(smooth(), IMAGES) == pytest.approx(expected, rel=1e-4)


def test_jacob_cov_is_highest_where_inputs_are_independent() -> None:
    independent = eigenvalue_score(torch.eye(4, dtype=torch.float64))
    assert independent == pytest.approx(-4 * (math.log(1 + 1e-5) + 1 / (1 + 1e-5)))
    assert eigenvalue_score(torch.eye(4, dtype=torch.float64) * 0.5 + 0.5) < independent
    assert eigenvalue_score(torch.ones(4, 4, dtype=torch.float64)) == pytest.approx(-3e5, rel=1e-3)


def test_jacob_cov_does_not_change_with_the_scale_of_the_logits() -> None:
    model = smooth().double()
    images = IMAGES.double()
    before = JACOB_COV(model, images)
    with torch.no_grad():
        model[5].weight.mul_(8.0)
    assert JACOB_COV(model, images) == pytest.approx(before, rel=1e-9)


class Insensitive(nn.Module):
    """Logits that do not depend on the images."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.mean((2, 3)) * 0.0)


@pytest.mark.parametrize("proxy", [JACOB_COV, EPE_NAS])
def test_gradients_that_are_constant_give_nan(proxy: proxies.Proxy) -> None:
    assert math.isnan(proxy(Insensitive(), IMAGES, TARGETS))


def test_jacob_cov_refuses_a_batch_of_one() -> None:
    with pytest.raises(ProxyError, match="expected at least two, got one"):
        JACOB_COV(smooth(), IMAGES[:1])


def test_epe_nas_adds_up_classes_where_they_are_few() -> None:
    gradients, expected = rows(smooth()), 0.0
    for label in range(4):
        members = gradients[TARGETS.numpy() == label]
        correlations = np.atleast_2d(np.corrcoef(members))
        expected += abs(np.log(np.abs(correlations) + 1e-5).sum())
    assert EPE_NAS(smooth(), IMAGES, TARGETS) == pytest.approx(expected, rel=1e-4)


def test_epe_nas_compares_classes_where_they_are_many() -> None:
    gradients, scores = rows(Wide(101)), []
    targets = torch.tensor([0, 0, 7, 7, 7, 100])
    for label in (0, 7):
        members = gradients[targets.numpy() == label]
        scores.append(np.log(np.abs(np.corrcoef(members)) + 1e-5).sum() / len(members))
    expected = 2 * abs(scores[0] - scores[1]) / 2
    assert EPE_NAS(Wide(101), IMAGES, targets) == pytest.approx(expected, rel=1e-3)


def test_classes_of_one_input_add_next_to_nothing_or_are_left_out() -> None:
    drawn = torch.randn(3, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    alone = torch.tensor([0, 1, 2])
    assert class_score(drawn, alone, 100) == pytest.approx(3 * math.log(1 + 1e-5))
    assert math.isnan(class_score(drawn, alone, 101))


def test_epe_nas_does_not_depend_on_the_order_of_inputs() -> None:
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    model = smooth().double()
    images = IMAGES.double()
    expected = EPE_NAS(model, images, TARGETS)
    assert EPE_NAS(model, images[order], TARGETS[order]) == pytest.approx(expected, rel=1e-9)
