"""Proxies on the networks of the spaces, and against accuracies that others measured."""

import csv
import gzip
import math
import random

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau
from shared_data import shared_data

from eznas import proxies, spaces
from eznas.statistics import initialise

IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
TARGETS = torch.tensor([0, 1, 0, 9])
NETWORKS = {
    "nats-tss": "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|",
    "nats-sss": "8:16:8:8:24",
}


@pytest.mark.parametrize("space", NETWORKS)
@pytest.mark.parametrize("name", proxies.names())
def test_networks_of_the_spaces_are_scored(space: str, name: str) -> None:
    model = initialise(spaces.get(space).build(NETWORKS[space]), seed=0)
    assert math.isfinite(proxies.get(name)(model, IMAGES, TARGETS))


@pytest.mark.parametrize("name", proxies.names())
def test_cell_with_an_empty_node_is_scored(name: str) -> None:
    # Nothing reaches node 1, from which a convolution starts.
    cell = "|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
    model = initialise(spaces.get("nats-tss").build(cell), seed=0)
    assert math.isfinite(proxies.get(name)(model, IMAGES, TARGETS))


def test_synflow_and_naswot_rank_real_networks() -> None:
    with gzip.open(shared_data("nats_tss_200ep_test.csv.gz"), "rt") as table:
        rows = random.Random(0).sample(list(csv.DictReader(table)), 20)
    sample = np.load(shared_data("cifar10_sample.npz"))
    images = torch.from_numpy(sample["images"][:8]).float()
    images = (images - images.mean((0, 2, 3), keepdim=True)) / images.std((0, 2, 3), keepdim=True)
    # Every other pixel: a quarter of the work, and the ranking holds.
    images = images[:, :, ::2, ::2]
    accuracies = [float(row["cifar10_test"]) for row in rows]
    networks = [initialise(spaces.get("nats-tss").build(row["arch"]), seed=0) for row in rows]
    for name in ("synflow", "naswot"):
        proxy = proxies.get(name)
        scores = [proxy.orientation * proxy(network, images) for network in networks]
        assert kendalltau(scores, accuracies).statistic > 0.3, name
