"""Hypothesis strategies for sequential programs; well-formed, but their shapes may not fit."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from eznas.ops import OPS
from eznas.program import SequentialProgram
from eznas.program.sequential import STATIC_ADDRESSES, Instruction, output_addresses
from eznas.terminals import TERMINALS


@st.composite
def sequential_programs(
    draw: st.DrawFn,
    max_length: int = 12,
    terminals: Sequence[str] = tuple(TERMINALS),
    operations: Sequence[str] = tuple(OPS),
    outputs: int = 3,
) -> SequentialProgram:
    """Any well-formed program over the given names, which writes to the first few addresses of each kind.

    Few addresses, so that instructions overwrite what others wrote, and read it before and after.
    """
    statics = [address for address in STATIC_ADDRESSES if list(TERMINALS)[address] in terminals]
    instructions: list[Instruction] = []
    for _ in range(draw(st.integers(1, max_length))):
        op = OPS[draw(st.sampled_from(operations))]
        written = sorted({instruction.output for instruction in instructions})
        address = st.sampled_from(statics)
        if written:
            address = st.one_of(st.sampled_from(written), st.sampled_from(written), address)
        output = draw(st.sampled_from(output_addresses(op.name)[:outputs]))
        instructions.append(Instruction.of(output, op, [draw(address) for _ in range(op.arity)]))
    return SequentialProgram(tuple(instructions))


def doublings(count: int, last: str = "mean") -> SequentialProgram:
    """A program of a few instructions whose tree has two to the power of `count` terminals."""
    instructions = ["d0 = abs(T3)", *["d0 = add(d0, d0)"] * count, f"s0 = {last}(d0)"]
    return SequentialProgram.parse("; ".join(instructions))
