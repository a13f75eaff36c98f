import bz2
import codecs
import contextlib
import io
import os
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest
import shared_data
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eznas.errors import TaskError
from eznas.tasks import unpickling
from eznas.tasks.plain_values import CONSTRUCTORS
from eznas.tasks.unpickling import load_plain, load_plain_sequence

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
NUMERIC = st.sampled_from(["?", "i1", "u1", "<i4", ">i4", "i8", "u8", "f2", ">f4", "f8"])
ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
PLAIN = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(ATOMS | st.tuples(ATOMS, ATOMS), inner)
        | st.sets(ATOMS)
        | st.frozensets(ATOMS)
    ),
    max_leaves=12,
)


def load(content: bytes, encoding="ASCII", **options):
    return load_plain(io.BytesIO(content), "some.pickle", encoding=encoding, **options)


def same(first, second):
    if isinstance(second, np.ndarray):
        assert type(first) is np.ndarray
        assert first.flags.writeable
        np.testing.assert_array_equal(first, second)
        assert first.dtype.newbyteorder("=") == second.dtype.newbyteorder("=")
    else:
        assert first == second
        assert type(first) is type(second)


@given(value=PLAIN, protocol=st.sampled_from(PROTOCOLS))
@settings(max_examples=100, deadline=None)
def test_plain_values_are_read_as_pickle_reads_them(value, protocol):
    same(load(pickle.dumps(value, protocol)), value)


@given(
    value=NUMERIC.flatmap(lambda kind: arrays.arrays(np.dtype(kind), arrays.array_shapes(min_side=0))),
    protocol=st.sampled_from(PROTOCOLS),
    order=st.sampled_from("CF"),
)
@settings(deadline=None)
def test_numeric_arrays_are_read_in_any_order_of_bytes_and_axes(value, protocol, order):
    value = np.asarray(value, order=order)
    found = load(pickle.dumps({"first": value, "second": (value, [value])}, protocol))
    for each in (found["first"], found["second"][0], found["second"][1][0]):
        same(each, value)
    assert found["first"] is found["second"][0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_scalars_dtypes_and_ordered_dictionaries_are_read(protocol):
    values = [np.float64(0.1), np.float32(2), np.int64(-3), np.bool_(True), np.dtype(">f4"), bytearray(b"x")]
    found = load(pickle.dumps(OrderedDict(z=values, a=1), protocol))
    assert found["z"] == values
    assert [type(each) for each in found["z"]] == [type(each) for each in values]
    assert type(found) is dict
    assert list(found) == ["z", "a"]


def test_both_spellings_of_numpys_modules_are_known():
    content = pickle.dumps(np.arange(3.0), 2)
    assert b"numpy._core.multiarray" in content
    older = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    same(load(older), np.arange(3.0))


# As Python 2 wrote the batches of CIFAR: texts are byte strings.
PYTHON_2 = (
    b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
    b"U\x01b\x87Rq\x05(K\x01K\x02K\x03\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ"
    b"\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x06\x00\x01\x02\xfd\xfe\xfftbU\x06labels]q\x08(K\x07K\x08eu."
)


@pytest.mark.parametrize(("encoding", "kind"), [("latin1", str), ("bytes", bytes)])
def test_batches_of_python_2_are_read(encoding, kind):
    found = load(PYTHON_2, encoding)
    data, labels = (kind(key, "latin1") if kind is bytes else key for key in ("data", "labels"))
    same(found[data], np.array([[0, 1, 2], [253, 254, 255]], dtype=np.uint8))
    assert found[labels] == [7, 8]


def test_a_list_may_hold_itself():
    value: list[object] = [1]
    value.append(value)
    found = load(pickle.dumps(value))
    assert found[1] is found


@pytest.mark.parametrize("folder", ["NATS-tss-v1_0-3ffb9-simple", "NATS-sss-v1_0-50262-simple"])
def test_genuine_release_files_are_read_as_pickle_reads_them(folder):
    path = shared_data.shared_data(f"nats_bench_release/{folder}/000011.pickle.pbz2")
    with bz2.open(path) as file:
        found = load_plain(file, path.name)
    assert list(found.values()) == shared_data.release_states(folder, 11)


class Runs:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


class Plain:
    pass


def array_of(*state, made_of=(np.ndarray, (0,), b"b")):
    return Runs(np._core.multiarray._reconstruct, *made_of, state=state or None)


def dtype_of(*state):
    return Runs(np.dtype, "f8", False, True, state=state)


SCALAR = np._core.multiarray.scalar
F8 = np.dtype("f8")
EIGHT = b"12345678"
HOSTILE = {
    "os.system": (Runs(os.system, "true"), "posix.system"),
    "eval": (Runs(eval, "1"), ".eval'"),
    "getattr": (Runs(getattr, [], "append"), ".getattr'"),
    "open": (Runs(open, "/nowhere"), ".open'"),
    "a class of the reader": (Plain(), "asks for"),
    "too large a bytearray": (Runs(bytearray, 10**12), "int in place of bytes"),
    "too large bytes": (Runs(bytes, 10**12), "builtin"),
    "a list of a text": (Runs(list, "ab"), "made of str"),
    "an unknown codec": (Runs(codecs.encode, "x", "rot13"), "latin1"),
    "an array of objects": (np.array([print], dtype=object), ""),
    "an array of records": (np.zeros(2, dtype=[("a", "f8")]), "the dtype 'V8'"),
    "an array of texts": (np.array(["a"]), "the dtype 'U1'"),
    "an array of dates": (np.zeros(2, "M8[s]"), "the dtype 'M8'"),
    "a dtype of records": (np.dtype([("a", "f8")]), "the dtype 'V8'"),
    "a dtype of objects": (np.dtype("O"), "the dtype 'O8'"),
    "a dtype with a sub-array": (np.dtype(("f8", (2,))), "the dtype 'V16'"),
    "a dtype from a list": (Runs(np.dtype, [("a", "O")]), "list in place of a text"),
    "a dtype with a size": (dtype_of(3, "<", None, None, None, 999, 1, 0), "a numeric one"),
    "a dtype with flags": (dtype_of(3, "<", None, None, None, -1, -1, 63), "a numeric one"),
    "a dtype with fields": (dtype_of(3, "<", None, ("a",), {}, -1, -1, 0), "a numeric one"),
    "a dtype with metadata": (dtype_of(4, "<", None, None, None, -1, -1, 0, {"a": 1}), "a numeric one"),
    "a dtype of an unknown order": (dtype_of(3, "?", None, None, None, -1, -1, 0), "byte order '?'"),
    "a dtype without a state": (dtype_of(3), "unusual state"),
    "a scalar of too few bytes": (Runs(SCALAR, F8, b"1234"), "got 4 bytes"),
    "a scalar of an object": (Runs(SCALAR, np.dtype("O"), EIGHT), "the dtype 'O8'"),
    "a scalar without a dtype": (Runs(SCALAR, 8, EIGHT), "expected numbers"),
    "an array of too few bytes": (array_of(1, (5,), F8, False, EIGHT), "got 8 bytes"),
    "an array of negative shape": (array_of(1, (-1, -1), F8, False, EIGHT), "whole numbers"),
    "an array of a huge shape": (array_of(1, (2**62, 4), F8, False, b"x"), "got 1 bytes"),
    "an array of many dimensions": (array_of(1, (1,) * 99, F8, False, EIGHT), "whole numbers"),
    "an array of a list": (array_of(1, (1,), F8, False, [1.0]), "list in place of bytes"),
    "an array of another class": (array_of(made_of=(np.matrix, (0,), b"b")), "numpy"),
    "a large empty array": (array_of(made_of=(np.ndarray, (10**12,), b"b")), "unusual type"),
    "an array without a state": (array_of(), "holds _Array"),
    "an array by its class": (Runs(np.ndarray, (10**12,)), "unusual way"),
    "a class as a value": ([OrderedDict], "holds Constructor"),
    "a dtype as a key": ({F8: 1}, "as a key"),
}


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused_in_one_line_that_names_it(name, protocol):
    value, message = HOSTILE[name]
    with pytest.raises(TaskError, match=r"^some\.pickle: ") as error:
        load(pickle.dumps({"deep": [value]}, protocol))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_pickle_that_would_write_a_file_writes_none(tmp_path):
    marker = tmp_path / "marker"
    content = pickle.dumps(Runs(os.system, f"touch {marker}"))
    with pytest.raises(TaskError, match="'posix.system'"):
        load(content)
    assert not marker.exists()
    pickle.loads(content)
    assert marker.exists()


def by_hand(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def found_class(module: str, name: str) -> bytes:
    return b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)) + b"\x93"


ORDERED = found_class("collections", "OrderedDict")
BYTES = found_class("numpy", "dtype") + b"\x8c\x02u1\x85R"
OPCODES = {
    "a persistent id": (b"cposix\nsystem\n", b"Q"),
    "a persistent id as text": (b"Psystem\n",),
    "the extension registry": (b"\x82\x01",),
    "the extension registry, two bytes": (b"\x83\x01\x00",),
    "the extension registry, four bytes": (b"\x84\x01\x00\x00\x00",),
    "an instance": (b"(iposix\nsystem\n",),
    "an instance of too many arguments": (b"(K\x01K\x02icollections\nOrderedDict\n",),
    "an object": (b"(", found_class("posix", "system"), b"o"),
    "a new object": (ORDERED, b")\x81"),
    "a new object by keywords": (ORDERED, b")}\x92"),
    "a buffer from outside": (b"\x97",),
    "a byte that is no opcode": (b"\xff",),
    "a chain of attributes": (found_class("collections", "OrderedDict.__init__.__globals__"),),
    "a state set on a class": (ORDERED, b"}\x8c\x01aK\x01sb"),
    "slots set on a class": (found_class("numpy", "ndarray"), b"N}\x8c\x04makeK\x01s\x86b"),
    "a state set on a list": (b"]}\x8c\x06appendK\x01sb",),
    "a state set on an ordered dictionary": (ORDERED, b")R}\x8c\x05itemsK\x01sb"),
    "an array set twice": (
        found_class("numpy._core.multiarray", "_reconstruct"), found_class("numpy", "ndarray"),
        b"K\x00\x85C\x01b\x87R(K\x01)", BYTES, b"\x89C\x01xtb",
        b"(K\x01)", BYTES, b"\x89C\x01xtb",
    ),
    "a huge memory slot": (b"Nr\xff\xff\xff\xff",),
    "a huge memory slot as text": (b"Np99999999999\n",),
    "a huge memory slot behind zeros": (b"Np" + b"0" * 40 + b"99999999999\n",),
    "a negative memory slot": (b"Np-1\n",),
    "a memory slot that is empty": (b"h\x07",),
    "an operation on an empty stack": (b"R",),
    "a number of too many digits": (b"L" + b"9" * 5000 + b"L\n",),
    "a tuple that holds itself": (b"](K\x01h\x00t\x94a0h\x01",),
    "deep nesting": (b"]" * 100_000 + b"a" * 99_999,),
    "many tuples in a key": (b"}N" + b"\x85" * 150_000 + b"Ns",),
}  # fmt: skip


@pytest.mark.parametrize("name", OPCODES)
def test_hostile_opcodes_are_refused(name):
    with pytest.raises(TaskError, match="some.pickle") as error:
        load(by_hand(*OPCODES[name]))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [b"\x8e" + struct.pack("<Q", 2**62), b"B" + struct.pack("<I", 2**32 - 1)])
def test_lengths_are_not_believed(size):
    with pytest.raises(TaskError, match="truncated"):
        load(b"\x80\x05" + size + b"abc.")


def test_the_registry_of_classes_is_left_as_it_was_by_a_pickle_that_sets_states():
    before = {key: (each.name, each.make) for key, each in CONSTRUCTORS.items()}
    for name in ("a state set on a class", "slots set on a class"):
        with pytest.raises(TaskError, match="state"):
            load(by_hand(*OPCODES[name]))
    assert {key: (each.name, each.make) for key, each in CONSTRUCTORS.items()} == before


@given(cut=st.integers(0, 200), value=st.just({"a": [1.5, np.arange(4), (np.float32(1), "text")]}))
@settings(deadline=None)
def test_truncated_pickles_give_one_line(cut, value):
    content = pickle.dumps(value)
    with pytest.raises(TaskError, match=r"^[^\n]*some\.pickle[^\n]*$"):
        load(content[: min(cut, len(content) - 1)])


def read_or_refused(content: bytes) -> None:
    """Either plain values, or an error of one line."""
    with contextlib.suppress(TaskError):
        load(content)
        return
    with pytest.raises(TaskError, match=r"^[^\n]*some\.pickle[^\n]*$"):
        load(content)


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_foreign_bytes_give_one_line_or_plain_values(content):
    read_or_refused(content)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_altered_pickles_give_one_line_or_plain_values(data):
    content = bytearray(pickle.dumps({("a", 1): [np.float64(0.1), np.arange(3)], "b": {1, 2}}, 2))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read_or_refused(bytes(content))


@given(content=st.binary(max_size=60) | PLAIN.map(pickle.dumps), cut=st.integers(0, 300))
@settings(max_examples=150, deadline=None)
def test_opcodes_checked_in_runs_end_where_those_checked_one_by_one_do(content, cut):
    def end():
        try:
            return unpickling._checked_end(content[: max(0, len(content) - cut)], 0, "x")
        except TaskError:
            return None  # of two faults, one beyond a cut, either may be told

    in_runs = end()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpickling, "_end_of_run", lambda _data, position: position)
        assert end() == in_runs


def test_what_comes_after_the_end_is_refused():
    with pytest.raises(TaskError, match="goes on for 3 bytes"):
        load(pickle.dumps(1) + b"abc")


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_read():
    bomb = io.BytesIO(bz2.compress(bytes(10**7)))
    with bz2.open(bomb) as file, pytest.raises(TaskError, match="larger than 1,000 bytes"):
        load_plain(file, "bomb", most_bytes=1000)


def test_a_broken_archive_gives_one_line():
    with (
        bz2.open(io.BytesIO(bz2.compress(pickle.dumps(1))[:-4])) as file,
        pytest.raises(TaskError, match="read x"),
    ):
        load_plain(file, "x")
    with bz2.open(io.BytesIO(b"BZh9nonsense")) as file, pytest.raises(TaskError, match="cannot read x"):
        load_plain(file, "x")


def test_several_pickles_are_read_one_after_the_other():
    content = b"".join(pickle.dumps(value, 2) for value in (1, {"a": np.arange(2.0)}, [3]))
    first, second, third = load_plain_sequence(io.BytesIO(content), "x")
    assert (first, third) == (1, [3])
    same(second["a"], np.arange(2.0))
