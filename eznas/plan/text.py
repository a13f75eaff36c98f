"""A plan as lines of text, for people who want to know what is run."""

from __future__ import annotations

from eznas.plan.calls import Call, Place
from eznas.plan.plan import Plan
from eznas_kernels.instructions import FLOAT_BYTES, TILE, Form


def plan_lines(plan: Plan) -> list[str]:
    """The sections of a plan and their calls, a line each, and the memory that it takes.

    Sizes are those of the first geometry.
    """
    lines = []
    for section in plan.sections:
        if section.size:
            tiles = -(-section.size[0] // TILE)
            lines.append(f"tensors of {section.size[0]:,} numbers, in {tiles} tile{'s' * (tiles > 1)}")
        else:
            lines.append("single steps")
        lines += [f"  {_call_line(plan, call)}" for call in section.calls]
    kib = plan.memory.size * FLOAT_BYTES / 1024
    calls = len(plan.calls)
    lines.append(f"{calls} call{'s' * (calls != 1)}, {kib:,.1f} KiB of scratch memory")
    return lines


def _call_line(plan: Plan, call: Call) -> str:
    operands = [_operand(plan, value) for value in call.operands]
    if call.repeat is not None:
        operands.append(f"{call.repeat[0]:,} times")
    if call.sizes:
        operands.append("sizes " + "x".join(str(numbers[0]) for numbers in call.sizes))
    what = call.kernel or f"{call.form.name.lower().removeprefix('finish_').removeprefix('total_')} from"
    if call.form in (Form.FINISH_MEAN, Form.FINISH_RATIO):
        operands.append(f"divisor {call.size[0]:,}")
    return f"{_operand(plan, call.result)} = {what}({', '.join(operands)}){_home(plan, call.result)}"


def _operand(plan: Plan, value: int) -> str:
    found = plan.values[value]
    if found.constant is not None:
        return f"{found.constant[0]:g}"
    if found.place is Place.TERMINAL:
        return found.label
    return f"%{value}"


def _home(plan: Plan, value: int) -> str:
    found, memory = plan.values[value], plan.memory
    if found.place is Place.TOTAL:
        return "  [total]"
    if found.place is Place.NUMBER:
        return "  [number]"
    return (
        f"  [tile at {memory.offsets[value]:,}]"
        if memory.is_tile[value]
        else (f"  [whole, {found.size[0]:,} at {memory.offsets[value]:,}]")
    )
