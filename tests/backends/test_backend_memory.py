"""What the eager backend reads and holds: aligned copies of the statistics, let go as soon as possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from living_tensors import LivingTensors
from numpy.typing import NDArray

from eznas.backends import ToScalar, get_backend
from eznas.compile import build_graph
from eznas.ops import OPS
from eznas.program import Program
from eznas.statistics import NetworkStatistics
from eznas.terminals import Geometry


def _at_offset(array: NDArray[np.float32], offset: int) -> NDArray[np.float32]:
    """The same numbers in memory that begins this many bytes after a multiple of 64."""
    memory = np.empty(array.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    moved: NDArray[np.float32] = memory[start : start + array.nbytes].view(np.float32).reshape(array.shape)
    moved[...] = array
    return moved


@pytest.mark.parametrize("text", ["eig_ratio(T3)", "sym_eig_ratio(T3)", "mean(matmul(T3, T3))", "mean(T3)"])
def test_where_the_statistics_lie_in_memory_does_not_change_a_bit(text: str) -> None:
    graph = build_graph([Program.parse(text)])
    for seed in range(10):
        array = np.random.default_rng(seed).standard_normal((2, 7 + seed, 7 + seed), np.float32)
        scalars = set()
        for offset in (0, 4, 16, 32):
            moved = _at_offset(array, offset)
            network = NetworkStatistics.from_layers([{"T3": moved}])
            assert network.layers[0]["T3"].ctypes.data % 64 == offset
            scalars.add(get_backend("eager").layer_scalars(graph, network, ToScalar.MEAN).tobytes())
        assert len(scalars) == 1


def test_the_statistics_are_not_changed() -> None:
    array = np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4)
    before = array.copy()
    texts = [f"mean({name}(T3{', T3' * (op.arity - 1)}))" for name, op in OPS.items()]
    graph = build_graph([Program.parse(text) for text in texts])
    network = NetworkStatistics.from_layers([{"T3": array}])
    get_backend("eager").layer_scalars(graph, network, ToScalar.MEAN)
    np.testing.assert_array_equal(array, before)


def test_a_tensor_is_let_go_after_its_last_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = LivingTensors()
    absolute = OPS["abs"]
    monkeypatch.setattr(
        "eznas.backends.eager.OPS", {**OPS, "abs": _Replaced(absolute.arity, tensors.absolute)}
    )
    chains = ["abs(" * 30 + f"{terminal}{')' * 30}" for terminal in ("T1_D", "T2_D", "T3")]
    graph = build_graph([Program.parse(text) for text in chains])
    network = NetworkStatistics.from_layers(
        [{name: np.ones((2, 2), np.float32) for name in ("T1_D", "T2_D", "T3")}] * 2
    )
    get_backend("eager").layer_scalars(graph, network, ToScalar.MEAN)
    assert tensors.most == 2


class _Replaced:
    def __init__(self, arity: int, eager: object) -> None:
        self.arity = arity
        self.eager = eager


def test_only_the_terminals_that_are_read_are_loaded() -> None:
    loaded: list[str] = []

    class Watched(Mapping[str, NDArray[np.float32]]):
        def __getitem__(self, name: str) -> NDArray[np.float32]:
            loaded.append(name)
            return np.ones((2, 2), np.float32)

        def __iter__(self) -> Iterator[str]:
            return iter(("T1_D", "T3"))

        def __len__(self) -> int:
            return 2

    network = NetworkStatistics((Watched(),), (Geometry(t1=(2, 2), t3=(2, 2)),), ("T1_D", "T3"))
    graph = build_graph([Program.parse("mean(add(T3, T3))"), Program.parse("T3")])
    get_backend("eager").layer_scalars(graph, network, ToScalar.MEAN)
    assert loaded == ["T3"]
