"""How much of sequential programs is dead code, and how much of the rest is computed twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eznas.ops import OPS
from eznas.program.sequential.sequential_program import SequentialProgram
from eznas.program.steps import Steps


@dataclass(frozen=True, slots=True)
class Redundancy:
    """Counts over some programs."""

    programs: int
    instructions: int
    live: int
    """Instructions that a result depends on."""
    operations: int
    """Of these the different ones; the others compute again what their program has computed before."""
    sharing: int
    """Programs that use a result of theirs more than once, so that their trees repeat a subtree."""
    formulas: int
    """Different formulas, up to the order of commutative arguments."""

    @property
    def dead_share(self) -> float:
        """The share of instructions that no result depends on."""
        return 1 - self.live / self.instructions

    @property
    def repeated_share(self) -> float:
        """The share of live instructions that compute again what was computed before."""
        return 1 - self.operations / self.live

    @property
    def mean_length(self) -> float:
        """Instructions of a program."""
        return self.instructions / self.programs

    @property
    def mean_live(self) -> float:
        """Live instructions of a program."""
        return self.live / self.programs

    @property
    def sharing_share(self) -> float:
        """The share of programs that use a result more than once."""
        return self.sharing / self.programs

    @property
    def formula_share(self) -> float:
        """Different formulas for each program."""
        return self.formulas / self.programs


def measure_redundancy(programs: Sequence[SequentialProgram]) -> Redundancy:
    """Count live instructions, repetitions and different formulas; at least one program."""
    steps = [program.steps() for program in programs]
    return Redundancy(
        programs=len(programs),
        instructions=sum(program.length for program in programs),
        live=sum(sum(program.live) for program in programs),
        operations=sum(step.name in OPS for of_program in steps for step in of_program),
        sharing=sum(map(_uses_a_result_twice, steps)),
        formulas=len({program.hash for program in programs}),
    )


def _uses_a_result_twice(steps: Steps) -> bool:
    read = [argument for step in steps for argument in step.arguments if steps[argument].name in OPS]
    return len(set(read)) < len(read)
