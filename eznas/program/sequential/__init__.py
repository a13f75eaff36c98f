"""Sequential programs: instructions of four integers over a memory, as in the paper's appendix."""

from eznas.program.sequential.instruction import MAX_LENGTH, Instruction
from eznas.program.sequential.memory import (
    DYNAMIC_ADDRESSES,
    SCALAR_ADDRESSES,
    STATIC_ADDRESSES,
    address_name,
    output_addresses,
)
from eznas.program.sequential.redundancy import Redundancy, measure_redundancy
from eznas.program.sequential.sequential_program import LARGEST_TREE, SequentialProgram

__all__ = [
    "DYNAMIC_ADDRESSES",
    "LARGEST_TREE",
    "MAX_LENGTH",
    "SCALAR_ADDRESSES",
    "STATIC_ADDRESSES",
    "Instruction",
    "Redundancy",
    "SequentialProgram",
    "address_name",
    "measure_redundancy",
    "output_addresses",
]
