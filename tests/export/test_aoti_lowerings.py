import pytest
import torch

pytest.importorskip("torch._inductor.lowering")

from torch._inductor.lowering import lowerings

from eznas.export.aoti_lowerings import own_lowerings


def test_own_lowerings_are_there_until_the_block_ends() -> None:
    before = dict(lowerings)
    with own_lowerings():
        changed = {key for key, lowering in lowerings.items() if before.get(key) is not lowering}
        assert {torch.ops.aten.exp, torch.ops.aten.log.default, torch.ops.aten._linalg_det} <= changed
    assert lowerings == before


def test_an_error_within_takes_them_away_too() -> None:
    before = dict(lowerings)
    with pytest.raises(RuntimeError, match="within"), own_lowerings():
        raise RuntimeError("within")
    assert lowerings == before
