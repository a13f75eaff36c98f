"""The values that a pickle may hold, and what makes each of them: nothing else is called while one is read.

Python's unpickler calls what it finds with arguments, and sets states, as the pickle says. Its own classes
and NumPy's trust what they get: a hostile state can give a dtype a size that it has not, `bytearray(10**12)`
takes all memory. So what is found here are stand-ins that check their arguments and have no attributes to
set; `finished` puts the real arrays in their places at the end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from eznas.errors import TaskError
from eznas.suggestion import quoted

_NUMERIC: Final = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])|\?")
_MOST_DIMENSIONS: Final = 32
_BYTE_ORDERS: Final[dict[str, Literal["<", ">", "|", "="]]] = {"<": "<", ">": ">", "|": "|", "=": "="}


# Without slots: up to Python 3.11.2 a frozen dataclass with slots puts its own __setstate__ over ours.
@dataclass(frozen=True)
class Constructor:
    """What stands in a pickle for a class or function: it can be called, and has nothing to set."""

    name: str
    make: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        """The plain value.

        Raises:
            TaskError: The arguments are not those of a plain value.
        """
        try:
            return self.make(*arguments)
        except TypeError as error:
            raise TaskError(f"refused, {self.name} is called with unusual arguments: {error}") from error

    def __setstate__(self, state: object) -> None:
        raise TaskError(f"refused, it changes the state of {self.name}")


class _Dtype:
    """A numeric dtype that is being read."""

    __slots__ = ("value",)

    def __init__(self, text: object, align: object = False, copy: object = True) -> None:
        text = _text(text)
        if not _NUMERIC.fullmatch(text) or align not in (0, 1) or copy not in (0, 1):
            raise TaskError(f"refused, the dtype {quoted(text)}; expected booleans, integers or floats")
        self.value = np.dtype(text)

    def __setstate__(self, state: object) -> None:
        """Set the byte order; fields, sub-arrays, sizes and metadata must be absent, as in numeric dtypes."""
        if not isinstance(state, tuple) or len(state) < 2:
            raise TaskError("refused, a dtype in an unusual state")
        version, order, *others = state
        order = _text(order)
        if version not in (3, 4) or order not in _BYTE_ORDERS:
            raise TaskError(f"refused, a dtype of version {version!r} with the byte order {quoted(order)}")
        if others[:6] != [None, None, None, -1, -1, 0] or others[6:] not in ([], [None]):
            raise TaskError("refused, a dtype with fields, sub-arrays or metadata; expected a numeric one")
        self.value = self.value.newbyteorder(_BYTE_ORDERS[order])


class _Array:
    """A numeric array that is being read."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: NDArray[Any] | None = None

    def __setstate__(self, state: object) -> None:
        """Set shape, dtype and numbers, once."""
        if self.value is not None or not isinstance(state, tuple) or len(state) not in (4, 5):
            raise TaskError("refused, an array in an unusual state")
        shape, dtype, by_columns, raw = state[-4:]
        self.value = _array(raw, dtype, shape, "F" if by_columns else "C")


def _array(raw: object, dtype: object, shape: object, order: str) -> NDArray[Any]:
    """A writable array in native byte order over a copy of the bytes."""
    if not isinstance(dtype, _Dtype) or order not in ("C", "F"):
        raise TaskError("refused, an array of objects or in an unknown order; expected numbers")
    whole = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
    if not isinstance(shape, tuple) or not whole or len(shape) > _MOST_DIMENSIONS:
        raise TaskError("refused, an array whose shape is not of whole numbers")
    data = _bytes(raw)
    if len(data) != dtype.value.itemsize * math.prod(shape):
        raise TaskError(f"expected an array of shape {shape} and {dtype.value}, got {len(data)} bytes")
    values = np.frombuffer(data, dtype.value).reshape(shape, order="F" if order == "F" else "C")
    return values.astype(dtype.value.newbyteorder("="))


def _scalar(dtype: object, raw: object) -> Any:
    return _array(raw, dtype, (), "C")[()]


def _reconstruct(array_type: object, shape: object, code: object) -> _Array:
    if array_type is not _NDARRAY or shape != (0,) or code not in ("b", b"b"):
        raise TaskError("refused, an array of an unusual type")
    return _Array()


def _from_buffer(raw: object, dtype: object, shape: object, order: object) -> _Array:
    array = _Array()
    array.value = _array(raw, dtype, shape, _text(order))
    return array


def _encode(text: object, encoding: object) -> bytes:
    """Bytes, as Python 3 writes them in protocols that have none."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise TaskError("refused, an encoding other than latin1")
    return text.encode("latin1")


def _byte_array(content: object = b"", encoding: object = "latin-1") -> bytearray:
    return bytearray(_encode(content, encoding) if isinstance(content, str) else _bytes(content))


def _container(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(content: object = ()) -> Any:
        if not isinstance(content, (list, tuple, set, frozenset, dict)):
            raise TaskError(f"refused, a container made of {type(content).__name__}")
        return kind(content)

    return make


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin1")
    if not isinstance(value, str):
        raise TaskError(f"refused, {type(value).__name__} in place of a text")
    return value


def _bytes(value: object) -> bytes:
    if isinstance(value, str):  # byte strings of Python 2 that were read as latin1
        return value.encode("latin1")
    if not isinstance(value, (bytes, bytearray)):
        raise TaskError(f"refused, {type(value).__name__} in place of bytes")
    return bytes(value)


def _never(*_arguments: object) -> None:
    raise TaskError("refused, an array made in an unusual way")


_NDARRAY: Final = Constructor("numpy.ndarray", _never)
_BUILTINS: Final = ("builtins", "__builtin__")
_NUMPY: Final = ("numpy.core", "numpy._core")


def _constructors() -> dict[tuple[str, str], Constructor]:
    found: list[tuple[str, str, Callable[..., Any]]] = []
    found += [("numpy", "dtype", _Dtype), ("_codecs", "encode", _encode)]
    # An ordered dictionary has attributes that a pickle could set; a dictionary keeps its order too.
    found += [("collections", "OrderedDict", _container(dict))]
    for module in _BUILTINS:
        found += [(module, kind.__name__, _container(kind)) for kind in (dict, list, tuple, set, frozenset)]
        # Python 3 writes empty bytes as a call of their type, in protocols that have none.
        found += [(module, "bytearray", _byte_array), (module, "bytes", lambda: b"")]
    for module in _NUMPY:
        found += [
            (f"{module}.multiarray", "scalar", _scalar),
            (f"{module}.multiarray", "_reconstruct", _reconstruct),
            (f"{module}.numeric", "_frombuffer", _from_buffer),
        ]
    made = {(module, name): Constructor(f"{module}.{name}", make) for module, name, make in found}
    return made | {("numpy", "ndarray"): _NDARRAY}


CONSTRUCTORS: Final = _constructors()
"""What a pickle may ask for, by module and name as written by any version of Python and NumPy."""

_ATOMS: Final = (type(None), bool, int, float, complex, str, bytes, bytearray, np.bool_, np.number)
_KEYS: Final = (type(None), bool, int, float, str, bytes, np.bool_, np.number)


def finished(value: Any) -> Any:
    """The value with arrays and dtypes in the places of what stood for them.

    Raises:
        TaskError: Something in it is no plain value.
        RecursionError: It is nested too deeply, or a tuple holds itself.
    """
    return _finished(value, {})


def _finished(value: Any, containers: dict[int, Any]) -> Any:
    kind = type(value)
    if kind is float or kind is str or kind is int or isinstance(value, _ATOMS):
        return value
    if id(value) in containers:
        return containers[id(value)]
    if kind is dict:
        containers[id(value)] = value
        for key, item in value.items():
            # Texts and floats are nearly everything in a benchmark's pickle.
            if type(key) is not str:
                _check_key(key)
            if type(item) is not float:
                value[key] = _finished(item, containers)
        return value
    if kind is list:
        containers[id(value)] = value
        value[:] = [item if type(item) is float else _finished(item, containers) for item in value]
        return value
    if kind is tuple:
        made = tuple(_finished(item, containers) for item in value)
        containers[id(value)] = made
        return made
    if kind is set or kind is frozenset:
        for item in value:
            _check_key(item)
        return value
    if (kind is _Array and value.value is not None) or kind is _Dtype:
        return value.value
    raise TaskError(f"refused, it holds {kind.__name__} as a value; expected plain containers and numbers")


def _check_key(key: Any) -> None:
    if isinstance(key, (tuple, frozenset)):
        for part in key:
            _check_key(part)
    elif not isinstance(key, _KEYS):
        raise TaskError(f"refused, {type(key).__name__} as a key; expected texts and numbers")
