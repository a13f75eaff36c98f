import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_samples import Destination, awkward, ordinary, placed, places, units_in_the_last_place
from naive import NAIVE
from strategies import NOT_FINITE_AND_ZEROS, arrays

from eznas_kernels import elementwise, maps
from eznas_kernels.wide_vectors import WIDTH

TRANSCENDENTAL = ("log", "abs_log", "exp", "sigmoid")
# Where the sigmoid's exponential overflows, it is 0, as in torch; the oracle goes on to the subnormals.
SIGMOID_FLOOR = 3e-39
NUMBERS = (*NOT_FINITE_AND_ZEROS, 1.0, -2.5, 2.0**-149)


def assert_agrees(op, found, expected):
    if op in TRANSCENDENTAL:
        floored = (op == "sigmoid") & (found == 0) & (expected < SIGMOID_FLOOR)
        assert units_in_the_last_place(found, expected)[~floored].max(initial=0.0) < 3
        return
    with np.errstate(all="ignore"):
        rounded = expected.astype(np.float32)
    np.testing.assert_array_equal(found, rounded)
    number = ~np.isnan(rounded)
    np.testing.assert_array_equal(np.signbit(found)[number], np.signbit(rounded)[number])


def test_every_elementwise_operation_has_a_kernel():
    of_two = {"add", "sub", "mul", "less", "greater", "equal"}
    assert set(maps.BINARY) == set(maps.ARRAY_SCALAR) == set(maps.SCALAR_ARRAY) == of_two
    assert set(maps.UNARY) == {
        *("log", "abs_log", "abs", "square", "exp", "relu", "sign", "heaviside", "reciprocal", "sigmoid"),
        *("greater_than_zero", "less_than_zero"),
    }


@pytest.mark.parametrize("values", [awkward, ordinary])
@pytest.mark.parametrize("op", maps.UNARY)
def test_unary_kernels_agree_with_the_oracle(op, values):
    for size, start in places():
        source, destination = placed(values(size, 0), start), Destination(size, start)
        maps.UNARY[op](source, destination.array)
        assert_agrees(op, destination.array, NAIVE[op](source))
        destination.assert_surroundings_untouched()


def by_few(kernel, values):
    """What a kernel makes of numbers that it takes one after the other, since they fill no wide vector."""
    results = np.empty_like(values)
    for start in range(0, values.size, WIDTH - 1):
        part = slice(start, start + WIDTH - 1)
        kernel(values[part], results[part])
    return results


def spread_over_bits(op):
    """Numbers of all magnitudes that the operation's quick form takes."""
    values = np.arange(0, 2**32, 65521, dtype=np.uint32).view(np.float32)
    size = np.abs(values)
    if op in ("exp", "sigmoid"):
        return values[size <= 87]
    values = values[(size >= 2.0**-126) & (size < np.inf)]
    return np.concatenate([values[values > 0] if op == "information" else values, np.float32([0.0, -0.0])])


@pytest.mark.parametrize("op", elementwise.QUICK)
def test_numbers_have_the_same_bits_in_wide_vectors_and_by_themselves(op):
    kernel = {**maps.UNARY, **maps.PARTS}[op]
    values = spread_over_bits(op)
    results = np.empty_like(values)
    kernel(values, results)
    np.testing.assert_array_equal(results.view(np.int32), by_few(kernel, values).view(np.int32))


@pytest.mark.parametrize("place", [0, WIDTH, maps.BLOCK - 1, maps.BLOCK, 3 * maps.BLOCK + 40])
@pytest.mark.parametrize("number", [*NOT_FINITE_AND_ZEROS, -np.nan, 2.0**-149, -(2.0**-149), -1.0, -100.0])
@pytest.mark.parametrize("op", elementwise.QUICK)
def test_numbers_around_one_that_strains_a_quick_form_have_the_same_bits(op, number, place):
    kernel = {**maps.UNARY, **maps.PARTS}[op]
    values = np.abs(ordinary(3 * maps.BLOCK + 50, 0))
    values[place] = number
    results = np.empty_like(values)
    kernel(values, results)
    expected = by_few(kernel, values)
    np.testing.assert_array_equal(results, expected)
    is_number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(results)[is_number], np.signbit(expected)[is_number])


@pytest.mark.parametrize("op", ["exp", "sigmoid"])
def test_kernels_of_signs_are_zero_where_the_operation_is(op):
    lowest = np.float32(-105.0).view(np.int32)
    negative = np.arange(np.float32(-88.0).view(np.int32), lowest, dtype=np.int32).view(np.float32)
    values = np.concatenate([negative, np.float32([-np.inf, -1e30, 0.0, 1.0, 1e30, np.inf, np.nan])])
    sign, value = np.empty_like(values), np.empty_like(values)
    maps.PARTS[f"{op}_sign"](values, sign)
    maps.UNARY[op](values, value)
    np.testing.assert_array_equal(np.sign(sign), np.sign(value))


@pytest.mark.parametrize("op", ["exp", "sigmoid"])
def test_kernels_of_minus_one_zero_and_one_give_the_bits_of_the_operation(op):
    for size, start in places():
        source = placed(np.random.default_rng(size).choice(np.float32([-1.0, -0.0, 0.0, 1.0]), size), start)
        found, expected = Destination(size, start), np.empty(size, np.float32)
        maps.PARTS[f"{op}_of_sign"](source, found.array)
        maps.UNARY[op](source, expected)
        np.testing.assert_array_equal(found.array, expected)
        found.assert_surroundings_untouched()


@pytest.mark.parametrize("values", [awkward, ordinary])
@pytest.mark.parametrize("op", ["log", "abs_log"])
def test_kernels_of_signs_have_those_of_the_oracle(op, values):
    for size, start in places():
        source, destination = placed(values(size, 0), start), Destination(size, start)
        source[::3] = np.nextafter(
            np.float32(1.0), np.float32([0.0, 1.0, 2.0])[np.arange(len(source[::3])) % 3]
        )
        maps.PARTS[f"{op}_sign"](source, destination.array)
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(np.sign(destination.array), np.sign(NAIVE[op](source)))
        destination.assert_surroundings_untouched()


@pytest.mark.parametrize("values", [awkward, ordinary])
@pytest.mark.parametrize("op", maps.BINARY)
def test_binary_kernels_agree_with_the_oracle(op, values):
    for size, start in places():
        first, second = placed(values(size, 0), start), placed(values(size, 1), 3 - start)
        second[::3] = first[::3]
        destination = Destination(size, start)
        maps.BINARY[op](first, second, destination.array)
        assert_agrees(op, destination.array, NAIVE[op](first, second))
        destination.assert_surroundings_untouched()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("op", maps.BINARY)
def test_kernels_of_an_array_and_a_number_agree_with_the_oracle(op, number):
    for size, start in places():
        source = placed(awkward(size, 0), start)
        for kernel, arguments in (
            (maps.ARRAY_SCALAR[op], (source, number)),
            (maps.SCALAR_ARRAY[op], (number, source)),
        ):
            destination = Destination(size, start)
            kernel(source, np.float32(number), destination.array)
            assert_agrees(op, destination.array, np.broadcast_to(NAIVE[op](*arguments), size))
            destination.assert_surroundings_untouched()


@pytest.mark.parametrize("number", NUMBERS)
def test_fill_writes_the_number_everywhere(number):
    for size, start in places():
        destination = Destination(size, start)
        maps.fill(np.float32(number), destination.array)
        np.testing.assert_array_equal(destination.array, np.full(size, number, np.float32))
        destination.assert_surroundings_untouched()


@settings(max_examples=50)
@given(data=st.data(), size=st.integers(0, 40))
def test_unary_kernels_agree_with_the_oracle_on_drawn_arrays(data, size):
    source = data.draw(arrays((size,), np.float32))
    destination = np.empty_like(source)
    for op, kernel in maps.UNARY.items():
        kernel(source, destination)
        assert_agrees(op, destination, NAIVE[op](source))


@pytest.mark.parametrize("value", [np.nan, -0.0])
def test_relu_keeps_nan_and_the_sign_of_zero(value):
    source = np.full(9, value, np.float32)
    destination = np.empty_like(source)
    maps.relu(source, destination)
    np.testing.assert_array_equal(destination.view(np.int32), source.view(np.int32))


@pytest.mark.parametrize("op", ["log", "abs_log"])
def test_log_keeps_nan_and_counts_zero_as_one(op):
    destination = np.empty(3, np.float32)
    maps.UNARY[op](np.float32([np.nan, 0.0, -0.0]), destination)
    np.testing.assert_array_equal(destination, np.float32([np.nan, 0.0, 0.0]))


def test_read_only_sources_are_taken():
    source = np.ones(9, np.float32)
    source.flags.writeable = False
    destination = np.empty_like(source)
    maps.add(source, source, destination)
    np.testing.assert_array_equal(destination, 2.0)


def test_compiled_code_can_call_kernels():
    @numba.njit
    def exponential_of_sum(first, second, between, destination):
        maps.add(first, second, between)
        maps.exp(between, destination)

    source = np.float32([0.0, 1.0, 2.0])
    between, destination = np.empty_like(source), np.empty_like(source)
    exponential_of_sum(source, source, between, destination)
    np.testing.assert_allclose(destination, np.exp(2 * source), rtol=1e-6)


def test_read_only_destinations_are_refused():
    destination = np.zeros(9, np.float32)
    destination.flags.writeable = False
    with pytest.raises(TypeError, match="No matching definition"):
        maps.square(np.ones(9, np.float32), destination)


@pytest.mark.parametrize("source", [np.ones(9), np.ones(18, np.float32)[::2], np.ones((3, 3), np.float32)])
def test_other_types_strides_and_dimensions_are_refused(source):
    with pytest.raises(TypeError, match="No matching definition"):
        maps.square(source, np.empty(9, np.float32))


@pytest.mark.parametrize(("first", "second", "destination"), [(9, 9, 8), (9, 8, 9), (8, 9, 9)])
def test_sizes_that_differ_are_refused(first, second, destination):
    written = np.zeros(destination, np.float32)
    with pytest.raises(ValueError, match="equal sizes"):
        maps.add(np.ones(first, np.float32), np.ones(second, np.float32), written)
    np.testing.assert_array_equal(written, 0.0)
