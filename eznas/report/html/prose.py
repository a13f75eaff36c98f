"""The sentences of the page, with the figures of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from eznas.evolution import EvolutionConfig
from eznas.report.html.programs import birth_text
from eznas.report.html.story import RunStory


def status(story: RunStory) -> str:
    """How far the run has come."""
    done, planned = len(story.generations), story.config.generations
    if story.finished:
        return f"Finished: {done} generations and the test on held-out networks."
    if done == planned:
        return f"Not finished: all {planned} generations are there, the test on held-out networks is not."
    return f"Not finished: {done} of {planned} generations are there, no test on held-out networks yet."


def paragraphs(story: RunStory) -> Iterator[str]:
    """What was evolved and found."""
    yield _settings_text(story.config)
    if story.generations:
        rates = [record.validity_rate for record in story.generations]
        yield (
            f"Of the programs made for a generation {min(rates):.0%} to {max(rates):.0%} were valid. "
            f"{len(story.programs):,} programs were measured, {len(story.known):,} distinct formulas."
        )
    if story.outcome is not None:
        known = story.born(story.outcome.best.program)
        origin = "" if known is None else f" It was born in {birth_text(known)}."
        yield (
            "The best program is the fittest candidate on all stored networks, chosen without a look at the "
            f"held-out ones.{origin}"
        )
    elif story.known:
        yield (
            "The run has not come to its end: what is called the fittest was measured on drawn networks "
            "only, and nothing was tested."
        )


def _settings_text(config: EvolutionConfig) -> str:
    kind = "expression trees" if config.representation == "tree" else "lists of instructions"
    # A task may be a folder; its last name says enough here, and the whole path stands in the configuration.
    names = [Path(task).name for task in config.tasks]
    drawn = min(config.tasks_per_generation, len(names))
    tasks = "1 task" if drawn == 1 else f"each of {drawn} tasks"
    number = "mean" if config.to_scalar == "mean" else "L2 norm"
    return (
        f"The run evolved {kind} on {_listed(names)}, with seed {config.seed}. Of each task "
        f"{config.stored_networks} untrained networks are stored. Every generation holds {config.population} "
        "programs, half of them children of earlier ones and half new random ones; all are measured on "
        f"{config.networks_per_task} networks of {tasks}, drawn anew each time. What a program makes of a "
        f"layer becomes a number by its {number}; layers are {config.structure.upper()}, with a "
        f"mini-batch of {config.batch_size}."
    )


def time_text(story: RunStory) -> str:
    """How long the run took."""
    took = f"{seconds_text(story.everything)} of wall-clock time"
    if story.seconds is None:
        return f"The generations took {took}; what else was done was not written down."
    return (
        f"The run took {took}. Where it was interrupted, that is the time of its generations and of "
        "everything else in the process that ended it."
    )


def memo_text(story: RunStory) -> str:
    """How much was kept from earlier generations, over the whole run."""
    hits = sum(record.memo_hits for record in story.generations)
    asked = hits + sum(record.memo_misses for record in story.generations)
    kept = sum(record.subtree_hits for record in story.generations)
    needed = kept + sum(record.subtree_misses for record in story.generations)
    size = story.generations[-1].memo_bytes / 1e6
    return (
        f"Of {asked:,} scores of programs on networks {hits:,} ({hits / max(1, asked):.0%}) were known from "
        f"earlier generations; of {needed:,} numbers of subtrees that the others need, {kept:,} "
        f"({kept / max(1, needed):.0%}). What was kept took {size:.1f} MB in the end."
    )


def limits(story: RunStory) -> Iterator[str]:
    """What the figures of this run cannot say, with its own numbers."""
    config = story.config
    luck = ""
    if story.outcome is not None and story.known:
        luck = (
            f" Here the highest is {story.known[0].fitness:.3f}; the best program has "
            f"{story.outcome.best.fitness:.3f} on all {config.stored_networks} stored networks of each task."
        )
    yield (
        f"Fitness is measured on {config.networks_per_task} networks of each drawn task at a time, so that "
        f"the highest fitness ever met is partly luck.{luck}"
    )
    for comparison in story.outcome.comparisons if story.outcome is not None else ():
        tau = comparison.ranked[0].tau
        yield (
            f"{comparison.task}: {len(comparison.architectures)} held-out networks leave the Kendall tau of "
            f"the best program open between {tau.low:+.3f} and {tau.high:+.3f} (95 % bootstrap interval over "
            "these networks)."
        )
    yield (
        "The intervals hold for the networks of one task, one seed of weights and one mini-batch; they say "
        "nothing about other tasks, and nothing about what another seed of evolution would find."
    )
    yield (
        "Several candidates and named programs are compared on the same networks; the best of many looks "
        "better than it is."
    )
    yield "Energy and carbon are estimates from time and assumptions; nothing was measured at the socket."


def seconds_text(seconds: float) -> str:
    """In the units that a person would use: `26.9 s`, `4 min 12 s`, `3 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 90:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
