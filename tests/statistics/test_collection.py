from functools import cache

import numpy as np
import pytest
import torch
from sample_networks import (
    ConvFirst,
    FactorizedReduction,
    PreActivation,
    ResNet,
    classify,
    reference_statistics,
)
from torch import Tensor, nn
from torch.nn import functional

from eznas.errors import StatisticsError
from eznas.statistics import NetworkStatistics, collect_statistics, initialise
from eznas.terminals import TERMINALS

CASES = [
    pytest.param(PreActivation, "rcb", 2, id="pre-activation"),
    pytest.param(ResNet, "rcb", 6, id="resnet"),
    pytest.param(FactorizedReduction, "rcb", 1, id="factorized reduction"),
    pytest.param(ConvFirst, "cbr", 3, id="conv first"),
]


def images(batch: int = 2, side: int = 8, seed: int = 5) -> Tensor:
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(seed))


def assert_same(one: NetworkStatistics, other: NetworkStatistics) -> None:
    assert one.terminals == other.terminals
    for mine, theirs in zip(one.layers, other.layers, strict=True):
        for name in one.terminals:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


def in_order_of(statistics: NetworkStatistics, reference: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """The reference's layers in the order of the statistics: no two layers of the tests share a weight."""
    return [
        next(layer for layer in reference if np.array_equal(layer["T3"].numpy(), held["T3"]))
        for held in statistics.layers
    ]


@cache
def both_ways(network: type[nn.Module], structure: str) -> tuple[NetworkStatistics, list[dict[str, Tensor]]]:
    model = initialise(network(), 3)
    statistics = collect_statistics(model, images(), structure=structure, seed=7)
    return statistics, reference_statistics(model, images(), seed=7)


@pytest.mark.parametrize("terminal", TERMINALS)
@pytest.mark.parametrize(("network", "structure", "layers"), CASES)
def test_terminal_equals_what_autograd_gives(
    network: type[nn.Module], structure: str, layers: int, terminal: str
) -> None:
    statistics, reference = both_ways(network, structure)
    assert len(statistics) == len(reference) == layers
    for held, layer in zip(statistics.layers, in_order_of(statistics, reference), strict=True):
        expected = layer[terminal].detach().numpy()
        scale = np.abs(expected).max()
        assert held[terminal].shape == expected.shape
        assert scale > 0
        np.testing.assert_allclose(held[terminal], expected, rtol=1e-4, atol=1e-5 * scale)


def test_hand_computed_layer() -> None:
    class OnePixel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1, bias=False)
            self.norm = nn.BatchNorm2d(1, eps=1e-9)

        def forward(self, x: Tensor) -> Tensor:
            return 3.0 * self.norm(self.conv(functional.relu(x)))[:, :, 0, 0]

    model = OnePixel()
    nn.init.constant_(model.conv.weight, 2.0)
    inputs = torch.tensor([-1.0, 4.0, 2.0]).reshape(3, 1, 1, 1)
    (layer,) = collect_statistics(model, inputs).layers
    # relu gives 0, 4, 2; times two 0, 8, 4, of mean 4 and variance 32 / 3
    assert layer["T1_D"].ravel().tolist() == [-1.0, 4.0, 2.0]
    assert layer["T2_D"].ravel().tolist() == [0.0, 4.0, 2.0]
    assert layer["T3"].ravel().tolist() == [2.0]
    np.testing.assert_allclose(layer["T4_D"].ravel(), np.array([-4, 4, 0]) / (32 / 3) ** 0.5, rtol=1e-6)
    assert layer["T4G_D"].ravel().tolist() == [3.0, 3.0, 3.0]
    # a gradient that is the same for all of the batch does not pass the batch norm
    np.testing.assert_allclose(layer["T3G_D"], 0.0, atol=1e-6)


def test_arrays_are_read_only_contiguous_float32() -> None:
    model = PreActivation().to(memory_format=torch.channels_last)
    statistics = collect_statistics(model, images().to(memory_format=torch.channels_last))
    for layer in statistics.layers:
        for array in layer.values():
            assert array.dtype == np.float32
            assert array.flags.c_contiguous
            assert not array.flags.writeable


def test_float64_network_gives_float32_statistics() -> None:
    model = initialise(PreActivation(), 1)
    narrow = collect_statistics(model, images(), ["T1G_D", "T4_P"])
    wide = collect_statistics(model.double(), images().double(), ["T1G_D", "T4_P"])
    for one, other in zip(narrow.layers, wide.layers, strict=True):
        assert other["T1G_D"].dtype == np.float32
        np.testing.assert_allclose(one["T1G_D"], other["T1G_D"], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("terminals", [[name] for name in TERMINALS] + [["T1_N", "T3G_P", "T4G_D"]])
def test_subset_equals_the_same_terminals_of_all(terminals: list[str]) -> None:
    everything, _ = both_ways(ResNet, "rcb")
    some = collect_statistics(initialise(ResNet(), 3), images(), terminals, seed=7)
    assert some.terminals == tuple(name for name in TERMINALS if name in terminals)
    for part, whole in zip(some.layers, everything.layers, strict=True):
        for name in terminals:
            np.testing.assert_array_equal(part[name], whole[name], err_msg=name)


class Counting(PreActivation):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.calls_with_gradients = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.calls_with_gradients += torch.is_grad_enabled()
        return super().forward(x)


@pytest.mark.parametrize(
    ("terminals", "forward", "backward"),
    [
        (["T3"], 1, 0),
        (["T3G_N"], 1, 1),
        (["T1_D", "T3"], 1, 0),
        (["T1_N", "T2G_N"], 1, 1),
        (["T4_P"], 2, 0),
        (["T4G_P"], 2, 2),
        (["T1_P", "T3G_N"], 3, 1),
        (None, 3, 3),
    ],
)
def test_only_the_passes_that_terminals_need_are_run(
    terminals: list[str] | None, forward: int, backward: int
) -> None:
    model = Counting()
    collect_statistics(model, images(), terminals)
    assert (model.calls, model.calls_with_gradients) == (forward, backward)


def test_seed_decides_noise_and_perturbation_but_not_data() -> None:
    model = initialise(PreActivation(), 0)
    first, again, other = (collect_statistics(model, images(), seed=seed) for seed in (1, 1, 2))
    assert_same(first, again)
    assert np.array_equal(first.layers[0]["T1_D"], other.layers[0]["T1_D"])
    for terminal in ("T1_N", "T1_P", "T3G_N"):
        assert not np.array_equal(first.layers[0][terminal], other.layers[0][terminal])


def test_dropout_draws_the_same_in_every_pass() -> None:
    class Dropping(PreActivation):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(functional.dropout(x, 0.5, self.training))

    model = initialise(Dropping(), 0)
    together = collect_statistics(model, images(), ["T1_N", "T1_D"])
    alone = collect_statistics(model, images(), ["T1_N"])
    np.testing.assert_array_equal(together.layers[0]["T1_N"], alone.layers[0]["T1_N"])


class Dead(PreActivation):
    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        self.first(x)
        return classify(x + self.second(x.detach()), self.head)


def test_tensors_that_do_not_reach_the_output_have_gradient_zero() -> None:
    dead, cut = collect_statistics(initialise(Dead(), 0), images()).layers
    for name in ("T1G_D", "T2G_N", "T3G_D", "T4G_P", "T3G_P"):
        assert dead[name].shape == dead[name.replace("G", "") if "3" not in name else "T3"].shape
        assert not dead[name].any()
    assert dead["T1_D"].any()
    # the second layer begins behind a detach: the gradient reaches its own tensors, and ends there
    assert cut["T4G_D"].any()
    assert cut["T3G_D"].any()


def test_network_whose_output_is_constant_has_gradients_zero() -> None:
    class Constant(PreActivation):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).detach()

    for layer in collect_statistics(Constant(), images()).layers:
        assert not layer["T3G_D"].any()
        assert not layer["T1G_N"].any()


def test_weight_that_serves_two_layers_has_the_sum_of_their_gradients() -> None:
    class Shared(PreActivation):
        def __init__(self) -> None:
            super().__init__()
            self.second[1] = self.first[1]

        def tapped(self, x: Tensor) -> tuple[Tensor, list[dict[str, Tensor]]]:
            return PreActivation.tapped(self, x)

    model = initialise(Shared(), 4)
    first, second = collect_statistics(model, images(), ["T3G_D"]).layers
    expected = reference_statistics(model, images())[0]["T3G_D"].numpy()
    np.testing.assert_allclose(first["T3G_D"], expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_array_equal(first["T3G_D"], second["T3G_D"])


def test_in_place_relu_gives_what_the_other_gives() -> None:
    plain, inplace = PreActivation(), PreActivation(inplace=True)
    inplace.load_state_dict(initialise(plain, 6).state_dict())
    assert_same(collect_statistics(plain, images()), collect_statistics(inplace, images()))


def test_clamp_passes_its_gradient_at_zero_as_torch_does() -> None:
    class Clamped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 1)
            self.norm = nn.BatchNorm2d(2)

        def forward(self, x: Tensor) -> Tensor:
            return (self.norm(self.conv(self.activate(x))) * torch.arange(6.0)).mean((2, 3)) ** 2

        def activate(self, x: Tensor) -> Tensor:
            return x.clamp(min=0)

    class Activated(Clamped):
        def activate(self, x: Tensor) -> Tensor:
            return x.relu()

    inputs = torch.tensor([0.0, 1.0, -1.0, 2.0, 0.0, 3.0]).reshape(1, 1, 1, 6)
    zero = inputs.numpy() == 0
    model = initialise(Clamped(), 0)
    x = inputs.clone().requires_grad_()
    (expected,) = torch.autograd.grad(model(x).sum(), [x])
    (clamped,) = collect_statistics(model, inputs, ["T1G_D"]).layers
    (activated,) = collect_statistics(initialise(Activated(), 0), inputs, ["T1G_D"]).layers
    np.testing.assert_array_equal(clamped["T1G_D"], expected.numpy())
    assert clamped["T1G_D"][zero].all()
    assert not activated["T1G_D"][zero].any()


class Tuple(PreActivation):
    def __init__(self, order: str) -> None:
        super().__init__()
        self.order = order
        self.auxiliary = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x = self.stem(x)
        x = x + self.first(x)
        features = x.mean((2, 3))
        parts = {"f": features, "l": self.head(features), "a": self.auxiliary(features), "n": None}
        return tuple(parts[letter] for letter in self.order)


@pytest.mark.parametrize("order", ["fl", "lf", "la", "ln", "l"])
def test_logits_of_a_tuple_are_the_first_tensor_of_a_linear_layer(order: str) -> None:
    expected = collect_statistics(initialise(Tuple("l"), 0), images(), ["T4G_D"])
    found = collect_statistics(initialise(Tuple(order), 0), images(), ["T4G_D"])
    assert_same(found, expected)
    assert found.layers[0]["T4G_D"].any()


@pytest.mark.parametrize(
    ("order", "text"), [("ff", "a tuple of a tensor of torch.float32"), ("n", "NoneType")]
)
def test_output_without_clear_logits_is_refused(order: str, text: str) -> None:
    with pytest.raises(StatisticsError, match=text):
        collect_statistics(Tuple(order), images(), ["T1G_D"])


def test_output_that_is_a_dictionary_is_refused_where_gradients_are_wanted() -> None:
    class Named(PreActivation):
        def forward(self, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
            return {"logits": super().forward(x)}

    with pytest.raises(StatisticsError, match="it returned a dict"):
        collect_statistics(Named(), images(), ["T1G_D"])
    assert len(collect_statistics(Named(), images(), ["T1_D"])) == 2


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (torch.zeros(3, 8, 8), r"got torch.float32 of shape \(3, 8, 8\)"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "got torch.uint8"),
        (torch.zeros(0, 3, 8, 8), r"shape \(0, 3, 8, 8\)"),
        (torch.full((1, 3, 8, 8), float("nan")), "NaN or infinity"),
        (np.zeros((1, 3, 8, 8), np.float32), "got ndarray"),
    ],
)
def test_unusable_inputs_are_refused(inputs: Tensor, text: str) -> None:
    with pytest.raises(StatisticsError, match=text):
        collect_statistics(PreActivation(), inputs)


def test_unknown_terminal_and_structure_are_refused() -> None:
    with pytest.raises(StatisticsError, match="unknown terminal 'T5_D'; the terminals are T1_D, T1_N"):
        collect_statistics(PreActivation(), images(), ["T1_D", "T5_D"])
    with pytest.raises(StatisticsError, match="at least one terminal"):
        collect_statistics(PreActivation(), images(), [])
    with pytest.raises(StatisticsError, match="expected a structure of rcb, cbr; got 'bcr'"):
        collect_statistics(PreActivation(), images(), structure="bcr")


def test_network_that_takes_other_ways_for_other_inputs_is_refused() -> None:
    class Fickle(PreActivation):
        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls % 2:
                x = x + self.first(x)
            return classify(x + self.second(x), self.head)

    with pytest.raises(StatisticsError, match="input D passes 2 layers, input P 1"):
        collect_statistics(Fickle(), images(), ["T1_P"])


def test_modes_of_the_caller_change_nothing() -> None:
    model = initialise(PreActivation(), 0)
    expected = collect_statistics(model, images())
    with torch.no_grad():
        assert_same(collect_statistics(model, images()), expected)
    with torch.inference_mode():
        assert_same(collect_statistics(model, images()), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_same(collect_statistics(model, images()), expected)
