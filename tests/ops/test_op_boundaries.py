"""What the definitions say at boundaries: the values that decide whether a program is valid."""

from __future__ import annotations

import math

import pytest
import torch

from eznas.ops import OPS

NAN, INF = math.nan, math.inf
TINY = 2.0**-149


def _values(op: str, *arguments: object) -> object:
    return OPS[op].eager(*(torch.tensor(a, dtype=torch.float32) for a in arguments)).tolist()


def _same(got: object, expected: object) -> bool:
    """Equality in which NaN equals NaN and zeros of unlike sign differ."""
    return repr(got) == repr(expected)


@pytest.mark.parametrize(
    ("op", "arguments", "expected"),
    [
        ("log", [[0.0, -0.0, -2.0, -INF, 1.0]], [0.0] * 5),
        ("log", [[NAN, INF]], [NAN, INF]),
        ("abs_log", [[0.0, -0.0, -1.0, -INF]], [0.0, 0.0, 0.0, INF]),
        ("abs_log", [[NAN]], [NAN]),
        ("abs", [[-TINY, -0.0, NAN]], [TINY, 0.0, NAN]),
        ("relu", [[-1.0, -0.0, NAN, INF, -INF]], [0.0, -0.0, NAN, INF, 0.0]),
        ("sign", [[TINY, -TINY, 0.0, -0.0, NAN, -INF]], [1.0, -1.0, 0.0, 0.0, 0.0, -1.0]),
        ("heaviside", [[TINY, -TINY, 0.0, -0.0, NAN, INF]], [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
        ("greater_than_zero", [[TINY, 0.0, NAN]], [1.0, 0.0, 0.0]),
        ("less_than_zero", [[-TINY, -0.0, NAN]], [1.0, 0.0, 0.0]),
        ("reciprocal", [[0.0, -0.0, INF, -INF, NAN]], [INF, -INF, 0.0, -0.0, NAN]),
        ("equal", [[NAN, INF, 0.0], [NAN, INF, -0.0]], [0.0, 1.0, 1.0]),
        ("less", [[NAN, 1.0], [1.0, NAN]], [0.0, 0.0]),
        ("greater", [[NAN, 1.0], [1.0, NAN]], [0.0, 0.0]),
        ("exp", [[-INF, INF, 89.0, NAN]], [0.0, INF, INF, NAN]),
        ("sigmoid", [[-INF, INF, 0.0, NAN]], [0.0, 1.0, 0.5, NAN]),
        ("ones_like", [[NAN, INF]], [1.0, 1.0]),
        ("zeros_like", [[NAN, INF]], [0.0, 0.0]),
        ("softmax", [[INF, 1.0]], [NAN, NAN]),
        ("softmax", [[-INF, 0.0]], [0.0, 1.0]),
        ("softmax", [5.0], 1.0),
        ("normalize", [[7.0]], [0.0]),
        ("normalize", [INF], 0.0),
        ("normalize", [[0.1] * 7], [0.0] * 7),
        ("normalize", [[1.0, INF, 2.0]], [0.0] * 3),
        ("frobenius_norm", [[3.0, -4.0]], 5.0),
        ("frobenius_norm", [2.0**100], INF),
        ("mean", [[INF, -INF]], NAN),
        ("l1_norm", [[1.0, -INF]], INF),
        ("hamming_distance", [[1.0, -1.0, NAN, 0.0], 1.0], 3.0),
        ("kl_divergence", [[5.0, 2.0], [0.0, 1.0]], -1.0),
        ("kl_divergence", [2.0, 1.0], -2.0),
        ("kl_divergence", [INF, 0.0], NAN),
        ("kl_divergence", [0.0, -1.0], NAN),
        ("cosine_similarity", [[[0.0, 0.0]], [[1.0, 1.0]]], 0.0),
        ("cosine_similarity", [[-3.0, 2.0, 0.0], [1.0]], 0.0),
        ("numel", [[[1.0, 2.0, 3.0]]], [3.0]),
        ("numel", [1.0], [1.0]),
        ("det", [[[NAN, 1.0], [0.0, 0.0]]], NAN),
        ("det", [[[[INF, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]]]], [NAN, 6.0]),
        ("det", [[[2.0**100, 0.0], [0.0, 2.0**100]]], INF),
        ("logdet", [[[0.0, 0.0], [0.0, 1.0]]], -INF),
        ("logdet", [[[0.0, 1.0], [1.0, 0.0]]], 0.0),
        ("logdet", [[[INF, 0.0], [0.0, 1.0]]], 0.0),
        ("logdet", [[[NAN, 0.0], [0.0, 1.0]]], 0.0),
        ("eig_ratio", [[[0.0, 0.0], [0.0, 0.0]]], NAN),
        ("eig_ratio", [[3.0]], 1.0),
        ("eig_ratio", [[[1.0, 0.0], [0.0, 2.0]]], 0.25),
        ("sym_eig_ratio", [[[1.0, 0.0], [0.0, 2.0]]], 4.0),
        ("sym_eig_ratio", [[[1.0, 0.0], [0.0, 0.0]]], INF),
        ("matmul", [[[0.0, 1.0]], [[INF], [1.0]]], [[NAN]]),
    ],
)
def test_at_boundaries(op: str, arguments: list[object], expected: object) -> None:
    assert _same(_values(op, *arguments), expected)


@pytest.mark.parametrize("op", ["eig_ratio", "sym_eig_ratio", "det", "logdet"])
@pytest.mark.parametrize("value", [NAN, INF, -INF], ids=str)
@pytest.mark.parametrize("side", [1, 2, 3, 8, 33, 128])
def test_a_matrix_that_is_not_finite_gives_nan_or_zero_and_never_ends_the_process(
    op: str, value: float, side: int
) -> None:
    matrix = torch.randn(side, side, generator=torch.Generator().manual_seed(side))
    matrix[side // 2, side // 3] = value
    result = OPS[op].eager(matrix)
    assert result.isnan() if op != "logdet" else result == 0


@pytest.mark.parametrize("op", ["eig_ratio", "sym_eig_ratio"])
def test_rows_whose_products_overflow_give_nan(op: str) -> None:
    assert OPS[op].eager(torch.full((3, 4), 2.0**70)).isnan()


def test_the_symmetrised_matrix_may_overflow_alone() -> None:
    assert OPS["sym_eig_ratio"].eager(torch.full((1, 1), 1.5 * 2.0**63)).isnan()
    assert OPS["eig_ratio"].eager(torch.full((1, 1), 1.5 * 2.0**63)) == 1


@pytest.mark.parametrize("op", ["eig_ratio", "sym_eig_ratio"])
def test_eigenvalues_that_do_not_converge_are_nan(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: torch.Tensor) -> torch.Tensor:
        raise torch.linalg.LinAlgError("the algorithm failed to converge")

    monkeypatch.setattr(torch.linalg, "eigvalsh", refuse)
    assert OPS[op].eager(torch.eye(3)).isnan()


@pytest.mark.parametrize(
    ("shape", "dimension"),
    [((3,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 3, 4, 5), 1), ((2, 3, 1, 2, 2), 1)],
)
def test_softmax_sums_to_one_over_torchs_old_implicit_dimension(
    shape: tuple[int, ...], dimension: int
) -> None:
    result = OPS["softmax"].eager(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(result.sum(dimension), torch.ones_like(result.sum(dimension)))


def test_normalize_uses_the_unbiased_deviation_over_all_elements() -> None:
    distances = OPS["normalize"].eager(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    expected = torch.tensor([[-1.5, -0.5], [0.5, 1.5]]) / math.sqrt(5 / 3)
    torch.testing.assert_close(distances, expected)


@pytest.mark.parametrize("op", ["mean", "l1_norm", "frobenius_norm"])
def test_sums_of_many_equal_numbers_are_exact_to_rounding(op: str) -> None:
    many = torch.full((600_000,), 0.1)
    expected = 0.1 * math.sqrt(600_000) if op == "frobenius_norm" else 0.1
    assert OPS[op].eager(many).item() == pytest.approx(expected, rel=1e-6)
