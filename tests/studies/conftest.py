from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Statistics that all runs of these tests share."""
    return tmp_path_factory.mktemp("stores")
