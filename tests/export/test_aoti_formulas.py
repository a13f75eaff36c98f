"""The formulas that packages of aoti compute with, over tensors in place of what Inductor traces."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eznas.export import aoti_formulas

LARGEST = 3.4028234663852886e38

FUNCTIONS = {"exp": torch.exp, "log": torch.log, "sigmoid": torch.sigmoid}

ULPS = {"exp": 9.1, "log": 1.3, "sigmoid": 5.6}
"""As the module says."""

SPECIALS = {
    "exp": (0.0, -0.0, math.inf, -math.inf, math.nan, 88.72284, -104.0, -1e30, 1e30, LARGEST, -LARGEST),
    "log": (1.0, math.inf, math.nan, LARGEST, 1e-45, 2.0**-126),
    "sigmoid": (
        0.0,
        -0.0,
        math.inf,
        -math.inf,
        math.nan,
        -88.72283172607422,
        -88.72283935546875,
        -88.73,
        -200.0,
        87.5,
        1e30,
        LARGEST,
        -LARGEST,
    ),
}


class TensorOps:
    """The operations of Inductor that the formulas use."""

    lt, gt, where = torch.lt, torch.gt, torch.where
    add, sub, mul, truediv, abs = torch.add, torch.sub, torch.mul, torch.div, torch.abs
    bitwise_and, bitwise_left_shift = torch.bitwise_and, torch.bitwise_left_shift

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


def log_of_sigmoid_in_two_steps(numbers):
    squashed = torch.sigmoid(numbers)
    return torch.where(squashed <= 0, 0.0, torch.log(squashed))


def test_the_logarithm_of_a_sigmoid_is_off_by_no_more_than_both_in_a_row():
    numbers = torch.linspace(-88.72, 30.0, 400_001)
    right = torch.nn.functional.logsigmoid(numbers.double())
    got = computed("log_of_sigmoid", numbers)
    unit = torch.exp2(torch.floor(torch.log2(right.abs())) - 23)
    # 2**-24 of the sigmoid is lost where it is rounded, half of it once more.
    assert ((got - right).abs() <= 4.0 * unit + 2.0**-24).all()


def test_the_logarithm_of_a_sigmoid_is_zero_where_it_is_in_two_steps():
    numbers = torch.cat([torch.linspace(-100.0, 16.6, 50_001), torch.linspace(16.7, 200.0, 50_001)])
    got = computed("log_of_sigmoid", numbers)
    assert torch.equal(got == 0, log_of_sigmoid_in_two_steps(numbers) == 0)
    assert not torch.signbit(got[got == 0]).any()


def test_the_logarithm_of_a_sigmoid_of_special_numbers_is_that_in_two_steps():
    numbers = torch.tensor(SPECIALS["sigmoid"])
    right = log_of_sigmoid_in_two_steps(numbers)
    torch.testing.assert_close(
        computed("log_of_sigmoid", numbers), right, rtol=1e-6, atol=0.0, equal_nan=True
    )


@given(number=st.floats(width=32))
def test_the_logarithm_of_a_sigmoid_of_any_number_is_that_in_two_steps(number):
    numbers = torch.tensor([number])
    right = log_of_sigmoid_in_two_steps(numbers)
    torch.testing.assert_close(
        computed("log_of_sigmoid", numbers), right, rtol=1e-6, atol=2.0**-23, equal_nan=True
    )
