"""The formulas that packages of aoti compute with, over tensors in place of what Inductor traces."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eznas.export import aoti_formulas

LARGEST = 3.4028234663852886e38

FUNCTIONS = {"exp": torch.exp, "log": torch.log, "sigmoid": torch.sigmoid}

ULPS = {"exp": 9.1, "log": 5.3, "sigmoid": 5.6}
"""As the module says."""

SPECIALS = {
    "exp": (0.0, -0.0, math.inf, -math.inf, math.nan, 88.72284, -104.0, -1e30, 1e30, LARGEST, -LARGEST),
    "log": (1.0, math.inf, math.nan, LARGEST, 1e-45, 2.0**-126),
    "sigmoid": (0.0, -0.0, math.inf, -math.inf, math.nan, -88.73, -200.0, 87.5, 1e30, LARGEST, -LARGEST),
}


class TensorOps:
    """The operations of Inductor that the formulas use."""

    lt, gt, where = torch.lt, torch.gt, torch.where
    add, sub, mul, truediv = torch.add, torch.sub, torch.mul, torch.div
    bitwise_left_shift, bitwise_right_shift = torch.bitwise_left_shift, torch.bitwise_right_shift

    @staticmethod
    def constant(value, dtype):
        return torch.tensor(value, dtype=dtype)

    @staticmethod
    def fma(a, b, c):
        return (a.double() * b.double() + c.double()).float()

    @staticmethod
    def to_dtype(a, dtype, src_dtype):
        assert a.dtype == src_dtype
        return a.to(dtype)

    @staticmethod
    def to_dtype_bitcast(a, dtype, src_dtype):
        assert a.dtype == src_dtype
        return a.view(dtype)


def computed(name, numbers):
    return getattr(aoti_formulas, name)(TensorOps, numbers)


def units_off(name, numbers):
    """How many units in the last place of the right number a result is off, or of the smallest normal one."""
    right, got = FUNCTIONS[name](numbers.double()), computed(name, numbers).double()
    unit = torch.exp2(torch.floor(torch.log2(right.abs().clamp_min(2.0**-126))) - 23)
    return ((got - right).abs() / unit).max()


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("exp", torch.linspace(-103.9, 88.72, 400_001)),
        ("exp", torch.linspace(-1.0, 1.0, 100_001)),
        ("sigmoid", torch.linspace(-88.72, 90.0, 400_001)),
        ("log", torch.exp(torch.linspace(-103.0, 88.7, 400_001))),
        ("log", torch.linspace(0.5, 2.0, 400_001)),
    ],
)
def test_a_formula_is_off_by_few_units_in_the_last_place(name, numbers):
    assert units_off(name, numbers) <= ULPS[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_formula_gives_what_torch_gives_of_special_numbers(name):
    numbers = torch.tensor(SPECIALS[name])
    right = FUNCTIONS[name](numbers)
    torch.testing.assert_close(computed(name, numbers), right, rtol=1e-6, atol=0.0, equal_nan=True)


@pytest.mark.parametrize("name", FUNCTIONS)
@given(number=st.floats(width=32))
def test_a_formula_agrees_with_torch_on_any_number(name, number):
    if name == "log" and number <= 0:
        return
    numbers = torch.tensor([number])
    right = FUNCTIONS[name](numbers)
    torch.testing.assert_close(computed(name, numbers), right, rtol=1e-6, atol=1e-44, equal_nan=True)
