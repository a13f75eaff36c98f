"""Each kernel of matrices against torch on one thread, on the tensors of a NAS-Bench-201 network at 32x32."""

import numpy as np
import pytest
import torch

from eznas_kernels.determinants import DETERMINANTS
from eznas_kernels.eigenvalues import EIGENVALUE_RATIOS
from eznas_kernels.matrix_products import matrix_product

MATRICES = ((16, 32), (32, 16), (64, 8), (256, 3), (1024, 3), (4096, 3), (4096, 1))
"""Numbers and orders of the square matrices of activations, then of weights."""

WEIGHTS = ((16, 144), (32, 288), (64, 576), (16, 16), (32, 32), (64, 64))
ONE_ROW = (1, 16384)

DETERMINANT_PEERS = {"det": torch.linalg.det, "logdet": torch.logdet}


def peer_of_ratio(op):
    def ratio(tensor):
        gram = tensor @ tensor.mT
        values = torch.linalg.eigvalsh(gram if op == "eig_ratio" else gram + gram.mT)
        return values[0] / values[-1] if op == "eig_ratio" else values[-1] / values[0]

    return ratio


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def normal(*shape):
    return torch.from_numpy(np.random.default_rng(shape).normal(size=shape).astype(np.float32))


def flat(tensor):
    return tensor.numpy().ravel()


def sizes(*numbers):
    array = np.array(numbers, np.int64)
    array.flags.writeable = False
    return array


def time(benchmark, by, kernel, peer):
    """Time many calls a round; the fastest round counts."""
    call = kernel if by == "kernel" else peer
    benchmark.pedantic(call, rounds=100, iterations=10, warmup_rounds=2)


BY = pytest.mark.parametrize("by", ["kernel", "torch"])


@BY
@pytest.mark.parametrize(("batch", "order"), MATRICES)
@pytest.mark.parametrize("op", DETERMINANTS)
def test_of_determinants(benchmark, op, batch, order, by):
    tensor = normal(batch, order, order)
    source, numbers, destination = flat(tensor), sizes(order), np.empty(batch, np.float32)
    peer = DETERMINANT_PEERS[op]
    DETERMINANTS[op](source, numbers, destination)
    expected = peer(tensor.double()).nan_to_num(nan=0.0, neginf=-np.inf).numpy()
    error = np.abs(destination - expected)
    relative = np.linalg.cond(tensor.double().numpy()) * order * 1e-7
    assert (
        error <= relative * (np.abs(expected) if op == "det" else 1) + 1e-6 * np.abs(expected) + 1e-6
    ).all()
    time(benchmark, by, lambda: DETERMINANTS[op](source, numbers, destination), lambda: peer(tensor))


@BY
@pytest.mark.parametrize("shared", [False, True], ids=["", "one second matrix"])
@pytest.mark.parametrize(("batch", "order"), MATRICES)
def test_of_products(benchmark, batch, order, shared, by):
    first, second = normal(batch, order, order), normal(1 if shared else batch, order, order)
    sources = flat(first), flat(second)
    numbers = sizes(order, order, order, order * order, 0 if shared else order * order)
    destination, out = np.empty(batch * order * order, np.float32), torch.empty(batch, order, order)
    matrix_product(*sources, numbers, destination)
    np.testing.assert_allclose(destination, flat(first @ second), rtol=1e-4, atol=1e-5)
    time(
        benchmark,
        by,
        lambda: matrix_product(*sources, numbers, destination),
        lambda: torch.matmul(first, second, out=out),
    )


@BY
@pytest.mark.parametrize("shape", [*WEIGHTS, ONE_ROW])
@pytest.mark.parametrize("op", EIGENVALUE_RATIOS)
def test_of_eigenvalue_ratios(benchmark, op, shape, by):
    tensor = normal(*shape)
    source, numbers, destination = flat(tensor), sizes(shape[0]), np.empty(1, np.float32)
    peer = peer_of_ratio(op)
    EIGENVALUE_RATIOS[op](source, numbers, destination)
    np.testing.assert_allclose(destination[0], peer(tensor.double()).item(), rtol=1e-5)
    time(benchmark, by, lambda: EIGENVALUE_RATIOS[op](source, numbers, destination), lambda: peer(tensor))
