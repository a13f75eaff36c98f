import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from proxy_examples import IMAGES, varied
from torch import Tensor, nn
from torch.nn import functional

from eznas import proxies

SYNFLOW = proxies.get("synflow")


class Linears(nn.Sequential):
    """Linear layers without bias over the flattened image."""

    def __init__(self, *widths: int) -> None:
        pairs = itertools.pairwise(widths)
        super().__init__(nn.Flatten(), *(nn.Linear(one, other, bias=False) for one, other in pairs))

    def product(self) -> float:
        """The sum of all entries of the product of the absolute weights."""
        flow = torch.ones(self[1].in_features, dtype=torch.float64)
        for layer in list(self)[1:]:
            flow = layer.weight.detach().double().abs() @ flow
        return float(flow.sum())


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.integers(0, 3))
def test_score_of_linear_layers_is_their_number_times_the_flow(widths: list[int], seed: int) -> None:
    # R is linear in every weight matrix, so that weight times gradient adds up to R in each layer.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Linears(12, *widths)
    assert SYNFLOW(model, torch.randn(2, 3, 2, 2)) == pytest.approx(len(widths) * model.product(), rel=1e-12)


def naive(model: nn.Module, images: Tensor) -> float:
    """On a copy that is really changed: signs dropped, float64, batch norms taken out by hand."""
    model = type(model)(dropout=0.0).double()
    model.load_state_dict(varied().state_dict())
    model.first_norm, model.second_norm = nn.Identity(), nn.Identity()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.abs_()
    model(torch.ones(1, *images.shape[1:], dtype=torch.float64)).sum().backward()
    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return sum(float((layer.weight.detach() * layer.weight.grad).abs().sum()) for layer in layers)


def test_score_agrees_with_a_network_that_is_changed_by_hand() -> None:
    assert SYNFLOW(varied(dropout=0.0), IMAGES) == pytest.approx(naive(varied(), IMAGES), rel=1e-12)


def test_images_do_not_enter_the_score() -> None:
    expected = SYNFLOW(varied(), IMAGES)
    assert SYNFLOW(varied(), IMAGES * 100 - 7) == expected
    assert SYNFLOW(varied(), IMAGES[:1]) == expected


def test_signs_of_parameters_do_not_enter_the_score() -> None:
    model = varied()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.neg_()
    assert SYNFLOW(model, IMAGES) == SYNFLOW(varied(), IMAGES)


@pytest.mark.parametrize("norm", ["weight", "bias", "running_mean", "running_var"])
def test_batch_norms_are_bypassed(norm: str) -> None:
    model = varied()
    with torch.no_grad():
        getattr(model.second_norm, norm).mul_(3.0).add_(2.0)
    assert SYNFLOW(model, IMAGES) == SYNFLOW(varied(), IMAGES)


def test_functional_batch_norm_is_bypassed_too() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(3, 2, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            x = functional.batch_norm(x, None, None, training=True)
            return self.head(x.mean((2, 3)))

    model = Functional()
    assert SYNFLOW(model, IMAGES) == pytest.approx(float(model.head.weight.detach().abs().sum()), rel=1e-6)


def test_score_grows_with_the_product_of_the_scales_of_layers() -> None:
    model = Linears(12, 5, 4, 3)
    before = SYNFLOW(model, torch.ones(1, 3, 2, 2))
    with torch.no_grad():
        for scale, layer in zip((2.0, 3.0, 5.0), list(model)[1:], strict=True):
            layer.weight.mul_(scale)
    assert SYNFLOW(model, torch.ones(1, 3, 2, 2)) == pytest.approx(30 * before, rel=1e-6)


def test_flow_beyond_float32_does_not_overflow() -> None:
    model = Linears(12, *[64] * 30)
    with torch.no_grad():
        for layer in list(model)[1:]:
            layer.weight.fill_(8.0)
    expected = 30 * 12 * 8.0**30 * 64.0**30
    assert expected > torch.finfo(torch.float32).max
    score = SYNFLOW(model, torch.ones(1, 3, 2, 2))
    assert score == pytest.approx(expected, rel=1e-9)
    assert math.isfinite(score)


def test_weight_shared_with_a_module_that_is_not_counted_is_made_positive_as_well() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(2, 3)
            self.head = nn.Linear(3, 2, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x.mean((2, 3)))

    model = Tied()
    assert SYNFLOW(model, IMAGES) == pytest.approx(float(model.head.weight.detach().abs().sum()), rel=1e-6)


def test_logits_that_no_weight_reaches_give_zero() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.idle = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return x.mean((2, 3))

    assert SYNFLOW(Constant(), IMAGES) == 0.0
