from pathlib import Path

import pytest

from eznas import spaces
from eznas.errors import SpaceError

MODULE = """
from torch import nn
from eznas.spaces import Space

class Tiny(Space):
    name = "tiny"
    resolution = 4
    def architectures(self):
        return ["1", "2"]
    def build(self, architecture, classes=10):
        width = int(architecture)
        return nn.Sequential(nn.Conv2d(3, width, 4), nn.Flatten(), nn.Linear(width, classes))

class Unfinished(Space):
    name = "unfinished"

class Nameless(Tiny):
    name = None

class Failing(Tiny):
    def __init__(self):
        raise RuntimeError("no such file")

a_number = 3
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_spaces.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return "own_spaces"


def test_names_lead_to_spaces_of_that_name() -> None:
    assert {"nats-tss", "nats-sss", "nds-darts", "nds-pnas-in", "micro-topology"} <= set(spaces.names())
    assert [spaces.get(name).name for name in spaces.names()] == spaces.names()


def test_own_space_is_found_by_its_import_path(own_module: str) -> None:
    space = spaces.get(f"{own_module}:Tiny")
    assert list(space.architectures()) == ["1", "2"]
    assert space.parameters("2", classes=5) == 2 * (3 * 16 + 1) + 5 * 3
    assert space.flops("2", classes=5) == 2 * (3 * 16 + 1) + 5 * 3
    assert space.flops("1", resolution=4) == space.flops("1")


def test_unknown_space_is_answered_with_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(SpaceError, match=r"micro-topology, micro-size, or .*; did you mean 'micro-size'\?"):
        spaces.get("Micro-Sise")


def test_name_like_none_gets_no_suggestion() -> None:
    with pytest.raises(SpaceError) as caught:
        spaces.get("z" * 10_000)
    assert "did you mean" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("Missing", "has no attribute 'Missing'"),
        ("", "has no attribute"),
        ("a_number", "must be a class derived from eznas.spaces.Space, got 3"),
        ("nn", "must be a class derived"),
        ("Unfinished", "does not define architectures, build"),
        ("Nameless", "does not define name"),
        ("Failing", "RuntimeError: no such file"),
    ],
)
def test_import_path_that_leads_to_no_space_is_refused(own_module: str, attribute: str, reason: str) -> None:
    with pytest.raises(SpaceError, match=reason):
        spaces.get(f"{own_module}:{attribute}")


@pytest.mark.parametrize("path", ["no_such_package.module:Space", ":Space", ".relative:Space", "a b:Space"])
def test_module_that_cannot_be_imported_is_refused(path: str) -> None:
    with pytest.raises(SpaceError, match=r"cannot import the space .*expected package.module:ClassName"):
        spaces.get(path)


def test_error_inside_the_own_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_spaces.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpaceError, match="ZeroDivisionError"):
        spaces.get("broken_spaces:Mine")
