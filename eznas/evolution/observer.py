"""What a run tells whoever watches it; the library itself prints nothing."""

from __future__ import annotations

from eznas.evolution.records import GenerationRecord


class Observer:
    """Ignores everything; derive from it to show what you want to see."""

    def compiling(self, done: int, total: int) -> None:
        """So many modules of kernels are compiled; nothing is told where all were compiled before."""

    def collecting(self, task: str, done: int, total: int) -> None:
        """The statistics of so many networks of a task are stored."""

    def announcing(self, message: str) -> None:
        """Something worth a line: disk that will be used, a run that is picked up."""

    def generation_done(self, record: GenerationRecord, total: int) -> None:
        """A generation is measured and written, of so many in all."""

    def testing(self, task: str, done: int, total: int) -> None:
        """So many held-out networks of a task are scored."""
