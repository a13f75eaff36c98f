"""The language of the machine: what an instruction is, and which operands it has."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

FLOAT_BYTES: Final = 4

TILE: Final = 16384
"""Numbers in a tile: 64 KiB, of which half a dozen stay in a second-level cache.

A call costs about as much as reading 1,000 numbers from there, and memory is read slower where a tile begins.
Populations took 1 to 3 % longer with half as many, 5 to 14 % with an eighth (AVX2).
"""


class Column(IntEnum):
    """What the numbers of an instruction mean."""

    FORM = 0
    KERNEL = 1
    """The index of the kernel's address."""
    DESTINATION = 2
    """The slot that is written; the index of the first total for forms that sum."""
    FIRST = 3
    SECOND = 4
    THIRD = 5
    """The slots that are read; FIRST is a total for forms that finish one, THIRD one for TOTAL_PRODUCT."""
    SIZE = 6
    """The number of a size: the numbers in the whole result, or in the tensors that are folded."""
    EXTRA = 7
    """The number of a size: how often each number of a sum counts, or of how many zeros and ones it was.

    For shaped and fused forms the row of the table of sizes.
    """


class Form(IntEnum):
    """Which operands an instruction has, and so how its kernel is called."""

    FUSED = 0
    """A kernel that was made for several elementwise operations at once, on any number of operands."""
    UNARY = 1
    BINARY = 2
    WITH_SCALAR = 3
    """An array and a number; which comes first is the kernel's business."""
    NORMALIZE = 4
    """An array, the number to subtract, and the number to divide by."""
    FILL = 5
    SUM = 6
    """Add the kernel's result to a total."""
    SUM_OF_TWO = 7
    SUM_WITH_SCALAR = 8
    MOMENTS = 9
    """Three totals: the shift, the sum of the distances from it, and the sum of their squares."""
    TOTAL_PRODUCT = 10
    """A total: another one times a number of at most 1 in magnitude; for other numbers a third total."""
    TOTAL_QUOTIENT = 11
    """A total: another one over a number; 0 for NaN."""
    FINISH_MEAN = 12
    FINISH_ROOT = 13
    FINISH_TOTAL = 14
    FINISH_RATIO = 15
    """The total, rounded, over SIZE, which may be negative."""
    FINISH_DIFFERENCE = 16
    """As FINISH_RATIO, of the first total less the second."""
    FINISH_MULTIPLE = 17
    """As FINISH_RATIO, of a number times the total of zeros and ones."""
    FINISH_MOMENTS = 18
    """The mean into the destination, the unbiased deviation into the slot after it."""
    SHAPED_UNARY = 19
    """A kernel that is told shapes; it runs on whole tensors."""
    SHAPED_BINARY = 20


class SizeColumn(IntEnum):
    """What the numbers of a row of the table of sizes mean; the kernel's own sizes follow.

    For a fused form these are the slots that it reads.
    """

    FIRST_SIZE = 0
    SECOND_SIZE = 1
    COUNT = 2
    """How many sizes the kernel gets."""
    SIZES = 3
