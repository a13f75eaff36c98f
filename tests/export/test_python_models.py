"""The layer finder and collection of exported Python files, on networks."""

import numpy as np
import pytest
import torch
from sample_networks import ConvFirst, PreActivation, ResNet, classify
from torch import Tensor, nn
from torch.nn import functional

import eznas
from eznas import spaces
from eznas.export.description import Description
from eznas.export.loading import loaded_module
from eznas.export.python_format import make_python
from eznas.statistics import Structure, collect_statistics
from eznas.terminals import TERMINALS


class FunctionalRelu(nn.Module):
    """Pre-activation layers written with functions, a padding and a clamp, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3)
        self.first = nn.Conv2d(6, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 8, 1)
        self.other = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x)
        x = self.norm(self.first(functional.pad(functional.relu(x), (1, 1, 1, 1))))
        features = self.other(self.second(functional.dropout(x.clamp(min=0), 0.3)))
        return features, self.head(features.mean((2, 3)))


class SideBySide(nn.Module):
    """Two convolutions of one ReLU's output, concatenated: the FactorizedReduce of DARTS."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = (nn.Conv2d(3, 4, 1, stride=2) for _ in range(2))
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu_(x)
        x = self.norm(
            torch.cat([self.one(x), self.two(functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:])], dim=1)
        )
        return classify(x, self.head)


class Block(nn.Module):
    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.skip = nn.Sequential()
        if stride != 1 or channels != width:
            self.skip = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + self.skip(x))


class ResNet18(nn.Module):
    """ResNet-18 (He et al. 2016), for small images."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        blocks, channels = [], 64
        for width in (64, 128, 256, 512):
            stride = 1 if width == 64 else 2
            blocks += [Block(channels, width, stride), Block(width, width, 1)]
            channels = width
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(512, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(functional.relu(self.bn1(self.conv1(x))))
        return self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


def every_terminal() -> eznas.Program:
    text = "mean(T1_D)"
    for name in list(TERMINALS)[1:]:
        text = f"add({text}, mean({name}))"
    return eznas.Program.parse(text)


@pytest.fixture(scope="module", params=list(Structure))
def exported(request, tmp_path_factory):
    """The structure, and a file that collects all statistics."""
    path = tmp_path_factory.mktemp("python") / "proxy.py"
    make_python(Description(every_terminal(), request.param), path)
    return request.param, loaded_module(path)


def assert_same_layers(module, structure: Structure, model: nn.Module, images: Tensor) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    expected = collect_statistics(model, images, structure=structure, seed=4)
    found = module.collect(model, images, seed=4)
    assert len(found) == len(expected)
    for got, layer in zip(found, expected.layers, strict=True):
        for name in TERMINALS:
            np.testing.assert_array_equal(got[name].numpy(), layer[name], err_msg=name)
    assert all((tensor == before[name]).all() for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("network", [PreActivation, ResNet, ConvFirst, FunctionalRelu, SideBySide])
def test_the_same_layers_and_statistics_are_found_as_by_eznas(exported, network):
    structure, module = exported
    model = eznas.initialise(network(), 3)
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    try:
        collect_statistics(model, images, structure=structure)
    except eznas.EznasError:
        with pytest.raises(ValueError, match="no layer found"):
            module.collect(model, images)
    else:
        assert_same_layers(module, structure, model, images)


@pytest.mark.parametrize("name", ["nats-tss", "nats-sss", "nds-enas", "micro-topology", "micro-size"])
def test_the_networks_of_spaces_have_the_same_layers(exported, name):
    if name not in spaces.names():
        pytest.skip(f"no space {name}")
    structure, module = exported
    space = spaces.get(name)
    channels = 1 if name.startswith("micro") else 3
    model = eznas.initialise(space.build(space.sample(1, seed=2)[0]), 1)
    assert_same_layers(module, structure, model, torch.randn(1, channels, 32, 32))


def test_weights_are_drawn_as_by_eznas(exported):
    _, module = exported
    one, other = eznas.initialise(ResNet(), 9), module.initialise(ResNet(), 9)
    assert all((a == b).all() for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("name", eznas.NAMED_PROGRAMS)
@pytest.mark.parametrize("network", [ResNet18, FunctionalRelu])
def test_networks_of_plain_torch_get_the_scores_of_eznas(name, network, tmp_path):
    program = eznas.NAMED_PROGRAMS[name]
    path = tmp_path / "proxy.py"
    make_python(Description(program), path)
    proxy = loaded_module(path)
    model = proxy.initialise(network(), seed=1)
    images = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    expected = eznas.score_model(program, model, images, seed=3)
    assert proxy.score(model, images, seed=3) == pytest.approx(expected, rel=1e-4)


def test_a_number_that_is_not_finite_is_no_score(tmp_path):
    path = tmp_path / "proxy.py"
    make_python(Description(eznas.Program.parse("log(reciprocal(zeros_like(T3)))")), path)
    with pytest.raises(ValueError, match="no score on this network: it gives inf for layer 0"):
        loaded_module(path).score(PreActivation(), torch.randn(2, 3, 8, 8))
