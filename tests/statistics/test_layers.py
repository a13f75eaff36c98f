import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from eznas.errors import NoLayersError
from eznas.statistics import NetworkStatistics, collect_statistics
from eznas.terminals import Geometry

Forward = Callable[["Parts", Tensor], Tensor]


class Parts(nn.Module):
    """Modules to be used by a forward function that a test gives."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.inplace = nn.ReLU(inplace=True)
        self.norm_a = nn.BatchNorm2d(4)
        self.norm_b = nn.BatchNorm2d(4)
        self.conv_a = nn.Conv2d(4, 4, 3, padding=1)
        self.conv_b = nn.Conv2d(4, 4, 1)
        self.conv_c = nn.Conv2d(4, 4, 1, groups=2)
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(self, x)


def collect(
    forward: Forward, structure: str = "rcb", terminals: tuple[str, ...] = ("T1_D", "T3")
) -> NetworkStatistics:
    torch.manual_seed(1)
    return collect_statistics(Parts(forward), torch.randn(2, 4, 6, 6), terminals, structure)


def count(forward: Forward, structure: str = "rcb") -> int:
    try:
        return len(collect(forward, structure))
    except NoLayersError:
        return 0


@pytest.mark.parametrize(
    "activate",
    [
        pytest.param(lambda m, x: m.relu(x), id="module"),
        pytest.param(lambda m, x: m.inplace(x * 1), id="in-place module"),
        pytest.param(lambda _, x: functional.relu(x), id="functional relu"),
        pytest.param(lambda _, x: functional.relu(input=x), id="functional relu by keyword"),
        pytest.param(lambda _, x: torch.relu(x), id="torch.relu"),
        pytest.param(lambda _, x: x.relu(), id="Tensor.relu"),
        pytest.param(lambda _, x: (x * 1).relu_(), id="Tensor.relu_"),
        pytest.param(lambda _, x: x.clamp(min=0), id="clamp"),
        pytest.param(lambda _, x: (x * 1).clamp_(0.0), id="clamp_"),
        pytest.param(lambda _, x: torch.clamp_min(x, 0), id="clamp_min"),
        pytest.param(lambda _, x: functional.threshold(x, 0, 0), id="threshold"),
        pytest.param(lambda _, x: nn.Sequential(nn.ReLU(), nn.Identity())(x), id="identity"),
        pytest.param(lambda _, x: nn.Sequential(nn.ReLU(), nn.Dropout())(x), id="dropout"),
        pytest.param(lambda _, x: functional.dropout2d(functional.relu(x)), id="functional dropout"),
        pytest.param(
            lambda _, x: functional.dropout(functional.relu(x), inplace=True), id="in-place dropout"
        ),
        pytest.param(
            lambda _, x: functional.relu(x).to(memory_format=torch.channels_last), id="other memory format"
        ),
        pytest.param(lambda _, x: functional.relu(x)[:], id="view"),
        pytest.param(lambda _, x: functional.pad(functional.relu(x), (1, 1, 1, 1)), id="padding"),
    ],
)
def test_relu_is_found_however_it_is_written(activate: Callable[[Parts, Tensor], Tensor]) -> None:
    assert count(lambda m, x: m.norm_a(m.conv_a(activate(m, x)))) == 1


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(lambda x: x + 1, id="sum"),
        pytest.param(lambda x: functional.max_pool2d(x, 3, 1, 1), id="pooling"),
        pytest.param(lambda x: torch.cat([x[:, :2], x[:, 2:]], 1), id="concatenation"),
        pytest.param(lambda x: x.mul_(2), id="in-place product"),
        pytest.param(lambda x: torch.sigmoid(x), id="another activation"),
        pytest.param(lambda x: x.flip(2), id="flip"),
        pytest.param(lambda x: x.transpose(2, 3), id="transposed view"),
        pytest.param(lambda x: x[:1], id="part"),
    ],
)
def test_anything_between_relu_and_convolution_parts_them(between: Callable[[Tensor], Tensor]) -> None:
    assert count(lambda m, x: m.norm_a(m.conv_a(between(functional.relu(x))))) == 0
    assert count(lambda m, x: m.norm_a(between(m.conv_a(functional.relu(x))))) == 0


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(functional.gelu, id="gelu"),
        pytest.param(functional.relu6, id="relu6"),
        pytest.param(lambda x: x.clamp(0, 6), id="clamp at six"),
        pytest.param(lambda x: x.clamp(min=-1), id="clamp at minus one"),
        pytest.param(lambda x: x.clamp(min=torch.zeros(())), id="clamp at a tensor"),
        pytest.param(lambda x: functional.threshold(x, 1, 0), id="other threshold"),
        pytest.param(lambda x: functional.leaky_relu(x), id="leaky relu"),
    ],
)
def test_other_activations_are_not_taken_for_relu(other: Callable[[Tensor], Tensor]) -> None:
    assert count(lambda m, x: m.norm_a(m.conv_a(other(x)))) == 0
    assert count(lambda m, x: other(m.norm_a(m.conv_a(x))), "cbr") == 0


def test_two_convolutions_are_one_layer_with_the_first_ones_weight_and_input() -> None:
    names = ("T2_D", "T3", "T4_D")
    found = collect(lambda m, x: m.norm_a(m.conv_b(m.conv_a(functional.relu(x)))), terminals=names)
    (layer,) = found.layers
    assert layer["T3"].shape == (4, 4, 3, 3)
    assert layer["T2_D"].min() == 0
    assert abs(layer["T4_D"].mean()) < 1e-6


STEPS: dict[str, Callable[[Parts, Tensor], Tensor]] = {
    "R": lambda m, x: m.relu(x),
    "C": lambda m, x: m.conv_a(x),
    "c": lambda m, x: m.conv_c(x),
    "B": lambda m, x: m.norm_a(x),
    "i": lambda _, x: nn.Identity()(x),
    "d": lambda _, x: functional.dropout(x),
    "+": lambda _, x: x + 1,
}


@settings(max_examples=60)
@given(steps=st.text("RCcBid+", min_size=1, max_size=14))
def test_layers_of_a_chain_are_the_matches_of_a_pattern(steps: str) -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        for step in steps:
            x = STEPS[step](m, x)
        return x

    seen = re.sub("[id]", "", steps).upper()
    assert count(forward) == len(re.findall("RCC?B", seen))
    assert count(forward, "cbr") == len(re.findall("CBR", seen))


def test_three_convolutions_are_no_layer() -> None:
    assert count(lambda m, x: m.norm_a(m.conv_c(m.conv_b(m.conv_a(functional.relu(x)))))) == 0


def normalised(outputs: list[Tensor]) -> Tensor:
    return functional.batch_norm(torch.cat(outputs, 1), None, None, training=True)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(lambda read: read, id="the same"),
        pytest.param(lambda read: functional.pad(read[:, :, 1:, 1:], (0, 1, 0, 1)), id="padded slice"),
        pytest.param(lambda read: functional.pad(read, (0, 1, 0, 1))[:, :, 1:, 1:], id="slice of padded"),
        pytest.param(lambda read: functional.pad(read, (-1, 1, -1, 1)), id="padded to be shifted"),
        pytest.param(lambda read: read[:][:, :, :, :6], id="view"),
    ],
)
def test_convolutions_side_by_side_of_one_relu_are_one_layer(second: Callable[[Tensor], Tensor]) -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        read = functional.relu(x)
        return normalised([m.conv_c(read), m.conv_b(second(read)), m.conv_b(read)])

    (layer,) = collect(forward, terminals=("T2_D", "T3", "T4_D")).layers
    assert layer["T2_D"].shape == (2, 4, 6, 6)
    assert layer["T3"].shape == (4, 2, 1, 1)
    assert layer["T4_D"].shape == (2, 12, 6, 6)
    assert count(lambda m, x: functional.relu(forward(m, x)), "cbr") == 1


@pytest.mark.parametrize(
    "join",
    [
        pytest.param(lambda tensors: torch.concat(tensors, dim=-3), id="concat"),
        pytest.param(lambda tensors: torch.concatenate(tensors, 1), id="concatenate"),
        pytest.param(lambda tensors: torch.cat(tensors=tensors, dim=1), id="keywords"),
        pytest.param(lambda tensors: functional.dropout(torch.cat(tuple(tensors), 1)), id="dropout"),
    ],
)
def test_concatenation_is_found_however_it_is_written(join: Callable[[list[Tensor]], Tensor]) -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        read = functional.relu(x)
        return functional.batch_norm(join([m.conv_a(read), m.conv_b(read)]), None, None, training=True)

    assert count(forward) == 1


def two_relus(m: Parts, x: Tensor) -> Tensor:
    return normalised([m.conv_a(functional.relu(x)), m.conv_b(functional.relu(x))])


def slice_first(m: Parts, x: Tensor) -> Tensor:
    read = functional.relu(x)
    return normalised([m.conv_a(read[:, :, :3]), m.conv_b(read[:, :, :3])])


def relu_itself(m: Parts, x: Tensor) -> Tensor:
    read = functional.relu(x)
    return normalised([m.conv_a(read), read])


def along_the_batch(m: Parts, x: Tensor) -> Tensor:
    read = functional.relu(x)
    return m.norm_a(torch.cat([m.conv_a(read), m.conv_b(read)]))


def convolution_behind(m: Parts, x: Tensor) -> Tensor:
    read = functional.relu(x)
    both = torch.cat([m.conv_a(read), m.conv_b(read)], 1)
    return m.norm_a(functional.conv2d(both, torch.ones(4, 8, 1, 1)))


@pytest.mark.parametrize(
    "forward", [two_relus, slice_first, relu_itself, along_the_batch, convolution_behind]
)
def test_other_concatenations_part_convolution_and_batch_norm(forward: Forward) -> None:
    assert count(forward) == 0


def test_slice_that_was_written_over_is_no_longer_a_part_of_the_relu() -> None:
    def forward(m: Parts, x: Tensor, *, change: bool) -> Tensor:
        read = functional.relu(x)
        first = m.conv_c(read)
        part = functional.pad(read, (0, 1))[..., 1:]
        if change:
            part += 1
        return normalised([first, m.conv_c(part)])

    assert count(lambda m, x: forward(m, x, change=False)) == 1
    assert count(lambda m, x: forward(m, x, change=True)) == 0


def test_branches_of_one_relu_are_layers_of_their_own() -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        shared = functional.relu(x)
        return m.norm_a(m.conv_a(shared)) + m.norm_b(m.conv_c(shared))

    first, second = collect(forward).layers
    assert first["T3"].shape != second["T3"].shape
    assert (first["T1_D"] == second["T1_D"]).all()


def test_modules_that_are_called_often_make_a_layer_each_time() -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        for _ in range(3):
            x = m.norm_a(m.conv_a(m.relu(x)))
        return x

    assert count(forward) == 3
    assert count(forward, "cbr") == 2


def test_modules_that_are_not_called_make_no_layer() -> None:
    assert count(lambda m, x: m.norm_b(m.conv_b(m.relu(x)))) == 1


def test_order_is_that_of_the_data_not_of_the_registration() -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        return m.norm_b(m.conv_c(m.relu(m.norm_a(m.conv_a(m.relu(x))))))

    shapes = [layer["T3"].shape for layer in collect(forward).layers]
    assert shapes == [(4, 4, 3, 3), (4, 2, 1, 1)]


def test_relu_behind_the_batch_norm_belongs_to_a_layer_of_the_other_structure_only() -> None:
    assert count(lambda m, x: m.relu(m.norm_a(m.conv_a(x))), "rcb") == 0
    assert count(lambda m, x: m.relu(m.norm_a(m.conv_a(x))), "cbr") == 1
    assert count(lambda m, x: m.norm_a(m.conv_a(m.relu(x))), "cbr") == 0


def test_in_place_sum_between_batch_norm_and_relu_parts_them() -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        out = m.norm_a(m.conv_a(x))
        out += x
        return m.inplace(out)

    assert count(forward, "cbr") == 0


def test_tensor_that_was_written_over_later_keeps_the_value_that_was_read() -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        out = m.norm_b(m.conv_b(m.relu(m.norm_a(m.conv_a(m.inplace(x))))))
        x.fill_(7.0)
        return m.inplace(out)

    first, second = collect(forward, terminals=("T1_D", "T2_D", "T4_D")).layers
    assert first["T1_D"].min() < 0
    assert first["T2_D"].min() == 0
    assert first["T2_D"].max() < 7
    assert second["T4_D"].min() < 0


def test_part_of_a_tensor_is_not_taken_for_the_whole() -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        return m.norm_a(m.conv_a(m.relu(x))) + m.norm_b(m.conv_b(m.relu(x[:1])))

    whole, part = collect(forward).layers
    assert (whole["T1_D"].shape, part["T1_D"].shape) == ((2, 4, 6, 6), (1, 4, 6, 6))
    assert (whole["T1_D"][:1] == part["T1_D"]).all()


def test_padding_belongs_to_the_convolution() -> None:
    class Circular(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")
            self.norm = nn.BatchNorm2d(2)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.norm(self.conv(functional.relu(x)))
            return out

    statistics = collect_statistics(Circular(), torch.randn(2, 2, 5, 5))
    assert statistics.geometries == (Geometry((2, 2, 5, 5), (2, 2, 5, 5), (2, 2, 3, 3), (2, 2, 5, 5)),)
    assert statistics.layers[0]["T2G_D"].shape == (2, 2, 5, 5)


def test_backward_hooks_of_the_user_do_not_hide_layers() -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        read = m.relu(x)
        return m.norm_a(m.conv_a(read)) + read

    names, images = ("T1_D", "T1G_D", "T2G_D", "T4G_D"), torch.randn(2, 4, 6, 6)
    model = Parts(forward)
    (expected,) = collect_statistics(model, images, names).layers
    seen: set[str] = set()
    for module in (model.relu, model.conv_a, model.norm_a):
        module.register_full_backward_hook(lambda module, *_: seen.add(type(module).__name__))
    (found,) = collect_statistics(model, images, names).layers
    assert "Conv2d" in seen
    for name in names:
        assert (found[name] == expected[name]).all(), name


@pytest.mark.parametrize(
    ("forward", "text"),
    [
        (
            lambda m, x: functional.gelu(m.conv_b(functional.gelu(m.conv_a(functional.gelu(x))))),
            "expected at least one ReLU-Conv-BatchNorm layer; "
            "found 2 convolutions, 0 batch norms, 0 ReLU, 3 GELU",
        ),
        (
            lambda m, x: functional.layer_norm(m.conv_a(functional.relu(x)), (6, 6)),
            "found 1 convolution, 0 batch norms, 1 ReLU, 1 LayerNorm",
        ),
        (
            lambda m, x: m.norm_a(m.conv_a(functional.max_pool2d(functional.relu(x), 2))),
            "1 batch norm, 1 ReLU, but none that read one another's output in this order",
        ),
        (
            lambda _, x: functional.conv1d(x[..., 0], torch.zeros(4, 4, 1)),
            "found 0 convolutions, 0 batch norms, 0 ReLU, 1 1-D convolution",
        ),
    ],
)
def test_network_without_layers_is_refused_with_what_was_found(forward: Forward, text: str) -> None:
    with pytest.raises(NoLayersError) as caught:
        collect(forward)
    assert text in str(caught.value)


def test_error_of_the_other_structure_names_it() -> None:
    with pytest.raises(NoLayersError, match="expected at least one Conv-BatchNorm-ReLU layer"):
        collect(lambda m, x: m.conv_a(x), "cbr")
