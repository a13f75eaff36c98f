"""Each kernel against torch on one thread, on a tensor of shape (1, 16, 32, 32) where no other is named."""

from math import prod

import numpy as np
import pytest
import torch
from torch.nn import functional

from eznas_kernels import broadcasting, mapped_sums, maps, reductions, rescaling

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


def time(benchmark, function, *arguments, elements=ELEMENTS, **named):
    """Time many calls a round, and keep the nanoseconds of the fastest round for one element."""
    benchmark.pedantic(function, arguments, named, rounds=200, iterations=20, warmup_rounds=2)
    if benchmark.stats is not None:
        benchmark.extra_info["ns_per_element"] = round(benchmark.stats.stats.min * 1e9 / elements, 4)


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
    assert mapped_sums.count_of_differing_steps(first, second) == peer(*tensors)
    if by == "kernel":
        time(benchmark, mapped_sums.count_of_differing_steps, first, second)
    else:
        time(benchmark, peer, *tensors)


@BY
def test_of_distances_and_their_squares(benchmark, by):
    source = mixed(0)
    tensor = torch.from_numpy(source)
    total, squares = reductions.sum_of_distances(source, 0.0)
    variance = (squares - total * total / ELEMENTS) / (ELEMENTS - 1)
    np.testing.assert_allclose((variance, total / ELEMENTS), torch.var_mean(tensor), rtol=1e-4)
    if by == "kernel":
        time(benchmark, reductions.sum_of_distances, source, 0.0)
    else:
        time(benchmark, torch.var_mean, tensor)


@BY
@pytest.mark.parametrize("shape", [(1, 16384), (16, 144), (64, 576)], ids=str)
def test_of_cosines(benchmark, shape, by):
    first, second = (positive(seed).repeat(3)[: prod(shape)].reshape(shape) for seed in (0, 1))
    tensors = torch.from_numpy(first), torch.from_numpy(second)
    ours = np.empty(1, np.float32)
    arguments = first.ravel(), second.ravel(), np.array([*shape, *shape]), ours

    def peer(a, b):
        return torch.sum(functional.cosine_similarity(a, b, dim=1))

    reductions.cosine_similarity(*arguments)
    np.testing.assert_allclose(ours[0], peer(*tensors), rtol=1e-5)
    if by == "kernel":
        time(benchmark, reductions.cosine_similarity, *arguments, elements=first.size)
    else:
        time(benchmark, peer, *tensors, elements=first.size)


@BY
def test_of_normalize(benchmark, by):
    def peer(a, mean, deviation):
        return torch.nan_to_num((a - mean) / deviation, nan=0.0, posinf=torch.inf, neginf=-torch.inf)

    source, ours = mixed(0), np.empty(ELEMENTS, np.float32)
    arguments = np.float32(0.1), np.float32(2.5)
    rescaling.normalize(source, *arguments, ours)
    np.testing.assert_allclose(ours, peer(torch.from_numpy(source), *arguments), rtol=1e-6)
    if by == "kernel":
        time(benchmark, rescaling.normalize, source, *arguments, ours)
    else:
        time(benchmark, peer, torch.from_numpy(source), *arguments)


SOFTMAX = [
    (1, 16, 1024),
    (1, 32, 256),
    (1, 64, 64),
    (16, 16, 9),
    (64, 64, 9),
    (16, 16, 1),
    (64, 64, 1),
    (1, 16, 1),
]


@BY
@pytest.mark.parametrize("shape", SOFTMAX, ids=str)
def test_of_softmax(benchmark, shape, by):
    source = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    theirs, ours = torch.empty(shape), np.empty(source.size, np.float32)
    arguments = source.ravel(), np.array(shape), ours
    rescaling.softmax(*arguments)
    torch.softmax(torch.from_numpy(source), 1, out=theirs)
    np.testing.assert_allclose(ours.reshape(shape), theirs, rtol=1e-5)
    if by == "kernel":
        time(benchmark, rescaling.softmax, *arguments, elements=source.size)
    else:
        time(benchmark, torch.softmax, torch.from_numpy(source), 1, out=theirs, elements=source.size)


BROADCAST = [
    *(((1, 1, 1, 1), (1, 16, 32, 32)), ((16, 16, 1, 1), (16, 16, 32, 32)), ((1, 1, 32, 32), (1, 16, 32, 32))),
    *(((1, 1, 1, 32), (1, 16, 32, 32)), ((16, 1, 3, 3), (16, 16, 3, 3)), ((1, 1, 3, 1), (64, 64, 3, 3))),
]


@BY
@pytest.mark.parametrize(("own", "shape"), BROADCAST, ids=str)
def test_of_broadcasting(benchmark, own, shape, by):
    source = np.random.default_rng(0).normal(size=own).astype(np.float32)
    tensor = torch.from_numpy(source).expand(shape)
    theirs, ours = torch.empty(shape), np.empty(prod(shape), np.float32)
    sizes = np.array([*shape, *tensor.stride()])
    sizes[4:][np.array(own) == 1] = 0
    broadcasting.expand(source.ravel(), sizes, ours)
    theirs.copy_(tensor)
    np.testing.assert_array_equal(ours.reshape(shape), theirs)
    if by == "kernel":
        time(benchmark, broadcasting.expand, source.ravel(), sizes, ours, elements=ours.size)
    else:
        time(benchmark, theirs.copy_, tensor, elements=ours.size)
