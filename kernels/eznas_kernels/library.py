"""Every kernel that instructions can name, and its address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eznas_kernels import (
    broadcasting,
    determinants,
    eigenvalues,
    mapped_sums,
    maps,
    matrix_products,
    reductions,
    rescaling,
)
from eznas_kernels.calling import address_of

KERNELS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **maps.UNARY,
        **maps.BINARY,
        **{f"{name}_scalar": kernel for name, kernel in maps.ARRAY_SCALAR.items()},
        **{f"scalar_{name}": kernel for name, kernel in maps.SCALAR_ARRAY.items()},
        "fill": maps.fill,
        **maps.PARTS,
        "sum_of_values": reductions.sum_of_values,
        "sum_of_absolutes": reductions.sum_of_absolutes,
        "sum_of_squares": reductions.sum_of_squares,
        "sum_of_distances": reductions.sum_of_distances,
        **{f"sum_of_{name}": kernel for name, kernel in mapped_sums.UNARY.items()},
        **{f"sum_of_{name}": kernel for name, kernel in mapped_sums.BINARY.items()},
        **{f"sum_of_{name}_scalar": kernel for name, kernel in mapped_sums.ARRAY_SCALAR.items()},
        **{f"sum_of_scalar_{name}": kernel for name, kernel in mapped_sums.SCALAR_ARRAY.items()},
        **mapped_sums.PARTS,
        **{f"sum_of_{name}_differences": kernel for name, kernel in mapped_sums.DIFFERENCES.items()},
        "normalize": rescaling.normalize,
        **reductions.ROW_FOLDS,
        **rescaling.SHAPED,
        **broadcasting.SHAPED,
        **determinants.DETERMINANTS,
        **matrix_products.MATRIX_PRODUCTS,
        **eigenvalues.EIGENVALUE_RATIOS,
    }
)
"""Kernels by the names that plans give them."""

NUMBER_OF_KERNEL: Mapping[str, int] = MappingProxyType({name: i for i, name in enumerate(KERNELS)})
"""The number of each kernel in `ADDRESSES`."""

ADDRESSES: NDArray[np.int64] = np.array([address_of(kernel) for kernel in KERNELS.values()], np.int64)
"""The address of each kernel's machine code in this process."""
