"""Which programs a run puts forward at its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eznas.evolution.clock import Clock
from eznas.evolution.config import EvolutionConfig
from eznas.evolution.evolution import Evolution, by_fitness, fittest
from eznas.evolution.outcome import Candidate
from eznas.evolution.records import MeasuredProgram
from eznas.program import AnyProgram, canonical_form


def choose_candidates(
    programs: Sequence[MeasuredProgram],
    evolution: Evolution,
    config: EvolutionConfig,
    clock: Clock | None = None,
) -> list[Candidate]:
    """The paper's candidates and the steadiest program, the fittest on all stored networks first.

    The fittest of the last generation and the two fittest ever met are the paper's (section 4). A fitness is
    measured on few drawn networks, so that the highest ever met is partly luck; therefore the `finalists`
    fittest programs ever met are measured again on all stored networks, and the best of them stands too.
    The time that it takes is added to the clock.
    """
    last = [program for program in programs if program.generation == config.generations - 1]
    ever = _distinct(measured.program for measured in by_fitness(programs))
    finalists = ever[: config.finalists]
    again = evolution.fitness_on_all(finalists, clock)
    steadiest = max(zip(finalists, again, strict=True), key=lambda pair: pair[1].value)[0]
    roles: dict[AnyProgram, list[str]] = {}
    for role, program in (
        ("best on all stored", steadiest),
        ("best of last generation", canonical_form(fittest(last).program)),
        ("fittest ever", ever[0]),
        ("second fittest ever", ever[min(1, len(ever) - 1)]),
    ):
        roles.setdefault(program, []).append(role)
    candidates = [
        Candidate(tuple(names), program, fitness.value, fitness.orientation)
        for (program, names), fitness in zip(
            roles.items(), evolution.fitness_on_all(list(roles), clock), strict=True
        )
    ]
    return sorted(candidates, key=lambda candidate: -candidate.fitness)


def _distinct(programs: Iterable[AnyProgram]) -> list[AnyProgram]:
    """Canonical forms, each once, in the order of the first."""
    return list(dict.fromkeys(map(canonical_form, programs)))
