import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eznas.cli import main


@dataclass
class Result:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys, monkeypatch, stores):
    """Run a command in this process, in a wide window that is no terminal."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("EZNAS_STORES", str(stores))

    def command(*arguments: str | Path) -> Result:
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        code = exit_.value.code
        assert isinstance(code, int)
        return Result(code, captured.out, captured.err)

    return command


@pytest.fixture(scope="session")
def stores(tmp_path_factory):
    return tmp_path_factory.mktemp("stores")
