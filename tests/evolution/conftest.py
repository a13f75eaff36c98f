from pathlib import Path

import pytest
from evolution_settings import TINY

from eznas.evolution import EvolutionConfig, make_config


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Statistics that all runs of these tests share."""
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="session")
def tiny() -> EvolutionConfig:
    """A run of seconds on the embedded tasks."""
    return make_config(overrides=TINY)
