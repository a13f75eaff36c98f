"""What the tests of both NATS-Bench spaces share."""

import torch
from shared_data import release_states
from torch import nn

from eznas import collect_statistics
from eznas.spaces import Space
from eznas.statistics import initialise

DATA_SETS = {
    "cifar10-valid": (10, 32),
    "cifar10": (10, 32),
    "cifar100": (100, 32),
    "ImageNet16-120": (120, 16),
}
"""Classes and resolution of each data set of the release."""

RELEASED = (0, 11, 284)


def assert_costs_are_those_of_the_release(space: Space, folder: str, index: int) -> None:
    """Parameters and multiply-adds, to the unit, on every data set of a release file."""
    architecture = space.architectures()[index]
    seen = set()
    for state in release_states(folder, index):
        assert state["arch_index"] == index
        assert state["arch_str"] == architecture
        for (data_set, _seed), result in state["all_results"].items():
            seen.add((data_set, round(result["params"] * 1e6), round(result["flop"] * 1e6)))
    assert {data_set for data_set, _, _ in seen} == set(DATA_SETS)
    for data_set, parameters, flops in seen:
        classes, resolution = DATA_SETS[data_set]
        assert space.parameters(architecture, classes) == parameters, data_set
        assert space.flops(architecture, classes, resolution) == flops, data_set


def assert_layers_are_the_rectified_convolutions(space: Space, architecture: str, count: int) -> None:
    """Collection finds each ReLU-Conv-BatchNorm of cells and residual blocks once, and nothing else."""
    network = initialise(space.build(architecture), seed=3)
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    layers = collect_statistics(network, images, ["T3", "T1G_D"]).layers
    found = sorted(layer["T3"].tobytes() for layer in layers)
    assert found == sorted(weight.detach().numpy().tobytes() for weight in _rectified_weights(network))
    assert len(found) == len(set(found)) == count


def _rectified_weights(network: nn.Module) -> list[torch.Tensor]:
    """The weight of every convolution that stands between a ReLU and a batch norm."""
    kinds = [nn.ReLU, nn.Conv2d, nn.BatchNorm2d]
    blocks = [list(module.children()) for module in network.modules() if isinstance(module, nn.Sequential)]
    return [block[1].weight for block in blocks if [type(part) for part in block] == kinds]
