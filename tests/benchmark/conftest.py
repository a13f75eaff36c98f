import pytest

from eznas.benchmark.networks import NetworkSettings, bench_networks

SMALL = NetworkSettings("micro-topology", 2)


@pytest.fixture(scope="session")
def stores(tmp_path_factory):
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="session")
def networks(stores):
    """Two small networks."""
    return bench_networks(SMALL, stores)
