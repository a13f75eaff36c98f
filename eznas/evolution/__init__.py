"""Evolution of programs: Algorithm 1 of the paper in a resumable run folder."""

from eznas.evolution.clock import Phase, RunSeconds
from eznas.evolution.config import EvolutionConfig, Preset, make_config
from eznas.evolution.observer import Observer
from eznas.evolution.outcome import Candidate, Outcome
from eznas.evolution.records import GenerationRecord
from eznas.evolution.run import evolve, new_run_folder, resume
from eznas.evolution.run_folder import RunFolder

__all__ = [
    "Candidate",
    "EvolutionConfig",
    "GenerationRecord",
    "Observer",
    "Outcome",
    "Phase",
    "Preset",
    "RunFolder",
    "RunSeconds",
    "evolve",
    "make_config",
    "new_run_folder",
    "resume",
]
