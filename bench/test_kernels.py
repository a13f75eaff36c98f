"""Each kernel against torch on one thread, on the elements of a tensor of shape (1, 16, 32, 32)."""

import numpy as np
import pytest
import torch

from eznas_kernels import maps, reductions

ELEMENTS = 16384

UNARY = {
    "log": torch.log,
    "abs": torch.abs,
    "square": torch.square,
    "exp": torch.exp,
    "relu": lambda a, out: torch.clamp_min(a, 0.0, out=out),
    "sign": torch.sign,
    "reciprocal": torch.reciprocal,
    "sigmoid": torch.sigmoid,
    "abs_log": lambda a, out: torch.log(torch.abs(a), out=out),
    "greater_than_zero": lambda a, out: torch.gt(a, 0, out=out),
    "less_than_zero": lambda a, out: torch.lt(a, 0, out=out),
}
BINARY = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "less": torch.lt,
    "greater": torch.gt,
    "equal": torch.eq,
}
FOLDS = {
    reductions.sum_of_values: lambda a: torch.sum(a, dtype=torch.float64),
    reductions.sum_of_absolutes: lambda a: torch.sum(torch.abs(a), dtype=torch.float64),
    reductions.sum_of_squares: lambda a: torch.sum(torch.square(a), dtype=torch.float64),
    reductions.mean_and_variance: lambda a: torch.var_mean(a)[::-1],
}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def positive(seed):
    """Numbers that every operation takes on its common path: torch's log of negative numbers is slow."""
    return np.random.default_rng(seed).uniform(0.1, 3.0, ELEMENTS).astype(np.float32)


def mixed(seed):
    return np.random.default_rng(seed).normal(size=ELEMENTS).astype(np.float32)


def time(benchmark, function, *arguments, **named):
    """Time many calls a round, and keep the nanoseconds of the fastest round for one element."""
    benchmark.pedantic(function, arguments, named, rounds=200, iterations=20, warmup_rounds=2)
    if benchmark.stats is not None:
        benchmark.extra_info["ns_per_element"] = round(benchmark.stats.stats.min * 1e9 / ELEMENTS, 4)


def compare(benchmark, by, kernel, peer, *sources):
    """Time a kernel, or what torch has for it, both writing into memory that exists already."""
    ours, theirs = np.empty_like(sources[0]), torch.empty(ELEMENTS)
    tensors = [torch.from_numpy(source) if isinstance(source, np.ndarray) else source for source in sources]
    kernel(*sources, ours)
    peer(*tensors, out=theirs)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-6, atol=1e-7)
    if by == "kernel":
        time(benchmark, kernel, *sources, ours)
    else:
        time(benchmark, peer, *tensors, out=theirs)


BY = pytest.mark.parametrize("by", ["kernel", "torch"])


@BY
@pytest.mark.parametrize("op", UNARY)
def test_of_one_array(benchmark, op, by):
    source = positive(0) if op == "log" else mixed(0)
    compare(benchmark, by, maps.UNARY[op], UNARY[op], source)


@BY
@pytest.mark.parametrize("op", BINARY)
def test_of_two_arrays(benchmark, op, by):
    compare(benchmark, by, maps.BINARY[op], BINARY[op], mixed(0), mixed(1))


@BY
@pytest.mark.parametrize("op", BINARY)
def test_of_an_array_and_a_number(benchmark, op, by):
    compare(benchmark, by, maps.ARRAY_SCALAR[op], BINARY[op], mixed(0), 0.5)


@BY
@pytest.mark.parametrize("kernel", FOLDS, ids=lambda kernel: kernel.py_func.__name__)
def test_of_folds(benchmark, kernel, by):
    source = mixed(0)
    tensor = torch.from_numpy(source)
    np.testing.assert_allclose(kernel(source), FOLDS[kernel](tensor), rtol=1e-4)
    if by == "kernel":
        time(benchmark, kernel, source)
    else:
        time(benchmark, FOLDS[kernel], tensor)


@BY
def test_of_differing_steps(benchmark, by):
    def peer(a, b):
        return torch.count_nonzero(torch.ne(torch.gt(a, 0), torch.gt(b, 0)))

    first, second = mixed(0), mixed(1)
    tensors = torch.from_numpy(first), torch.from_numpy(second)
    assert reductions.count_of_differing_steps(first, second) == peer(*tensors)
    if by == "kernel":
        time(benchmark, reductions.count_of_differing_steps, first, second)
    else:
        time(benchmark, peer, *tensors)
