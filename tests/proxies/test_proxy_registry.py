import dataclasses
import pickle

import pytest
import torch
from proxy_examples import IMAGES, TARGETS, varied
from torch import Tensor, nn

from eznas import proxies
from eznas.errors import EznasError, ProxyError

EXPECTED = [
    *("params", "flops", "grad_norm", "snip", "grasp", "fisher", "synflow"),
    *("jacob_cov", "naswot", "plain", "l2_norm", "zen", "epe_nas"),
]
WITH_TARGETS = {"grad_norm", "snip", "grasp", "fisher", "plain", "epe_nas"}


def test_every_proxy_of_the_literature_is_there() -> None:
    assert proxies.names() == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_proxy_says_what_it_is(name: str) -> None:
    proxy = proxies.get(name)
    assert proxy.name == name
    assert proxy.orientation in {-1, 1}
    assert proxy.needs_targets == (name in WITH_TARGETS)
    assert proxy.description.endswith(".")
    assert "20" in proxy.source
    with pytest.raises(dataclasses.FrozenInstanceError):
        proxy.orientation = -proxy.orientation  # type: ignore[misc]


def test_proxies_travel_to_other_processes() -> None:
    for name in proxies.names():
        assert pickle.loads(pickle.dumps(proxies.get(name))) == proxies.get(name)


def test_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(ProxyError, match="unknown proxy 'synflo'.*did you mean 'synflow'"):
        proxies.get("synflo")
    assert issubclass(ProxyError, EznasError)


@pytest.mark.parametrize("name", EXPECTED)
def test_score_is_a_finite_number_and_the_same_again(name: str) -> None:
    proxy = proxies.get(name)
    score = proxy(varied(), IMAGES, TARGETS)
    assert type(score) is float
    assert torch.tensor(score).isfinite()
    torch.manual_seed(3)
    assert proxy(varied(), IMAGES, TARGETS) == score


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - WITH_TARGETS))
def test_targets_may_be_left_out_where_they_are_not_needed(name: str) -> None:
    proxy = proxies.get(name)
    assert proxy(varied(), IMAGES) == proxy(varied(), IMAGES, TARGETS)


@pytest.mark.parametrize("name", sorted(WITH_TARGETS))
def test_targets_are_asked_for_where_they_are_needed(name: str) -> None:
    with pytest.raises(ProxyError, match=f"'{name}' needs the classes"):
        proxies.get(name)(varied(), IMAGES)


@pytest.mark.parametrize("targets", [TARGETS[:2], TARGETS.float(), TARGETS[:, None], TARGETS.bool()])
def test_targets_that_are_no_classes_are_refused(targets: Tensor) -> None:
    with pytest.raises(ProxyError, match=r"expected targets as whole numbers of shape \(6,\)"):
        proxies.get("snip")(varied(), IMAGES, targets)


@pytest.mark.parametrize("wrong", [-1, 4])
def test_targets_that_the_network_has_no_class_for_are_refused(wrong: int) -> None:
    targets = TARGETS.clone()
    targets[0] = wrong
    with pytest.raises(ProxyError, match="expected targets from 0 to 3"):
        proxies.get("snip")(varied(), IMAGES, targets)


@pytest.mark.parametrize("inputs", [IMAGES[0], IMAGES[:0], (IMAGES > 0).long(), IMAGES.tolist()])
def test_inputs_that_are_no_images_are_refused(inputs: Tensor) -> None:
    with pytest.raises(ProxyError, match="expected inputs as a floating point tensor"):
        proxies.get("naswot")(varied(), inputs, TARGETS)


def test_inputs_that_are_not_finite_are_refused() -> None:
    images = IMAGES.clone()
    images[0, 0, 0, 0] = torch.nan
    with pytest.raises(ProxyError, match="expected finite inputs"):
        proxies.get("naswot")(varied(), images)


@pytest.mark.parametrize("name", ["grad_norm", "snip", "grasp", "fisher", "synflow", "plain", "l2_norm"])
def test_network_without_weights_is_refused(name: str) -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(ProxyError, match="expected a network with a Conv2d or Linear"):
        proxies.get(name)(model, IMAGES, TARGETS % 3)


@pytest.mark.parametrize("name", ["snip", "synflow", "naswot", "jacob_cov", "zen"])
def test_network_without_logits_is_refused(name: str) -> None:
    class Silent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 2, 1)

        def forward(self, x: Tensor) -> None:
            self.layer(x)

    with pytest.raises(ProxyError, match="expected a network that returns a floating point tensor"):
        proxies.get(name)(Silent(), IMAGES, TARGETS)


@pytest.mark.parametrize("name", EXPECTED)
def test_logits_are_found_beside_features(name: str) -> None:
    class WithFeatures(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = varied()

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x.mean((2, 3)), self.inner(x)

    found = proxies.get(name)(WithFeatures(), IMAGES, TARGETS)
    assert found == pytest.approx(proxies.get(name)(varied(), IMAGES, TARGETS))
