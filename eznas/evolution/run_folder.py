"""The folder of a run: what is written where, and how a run that was ended is picked up again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from eznas.errors import RunError
from eznas.evolution.clock import RunSeconds
from eznas.evolution.config import EvolutionConfig, checked_config, read_toml
from eznas.evolution.records import Checkpoint, GenerationRecord, MeasuredProgram
from eznas.files import LOCK_FILE, locked, write_whole


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and reading and writing of a run.

    The order of writing makes a kill harmless: the lines of a generation first, then the checkpoint that
    names it. Lines beyond the checkpoint are dropped when the run goes on.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """The resolved configuration; it can be given to `eznas evolve --config`."""
        return self.path / "config.toml"

    @property
    def generations_file(self) -> Path:
        """One line of JSON a generation."""
        return self.path / "generations.jsonl"

    @property
    def programs_file(self) -> Path:
        """One line of JSON for each program of each generation."""
        return self.path / "programs.jsonl"

    @property
    def checkpoint_file(self) -> Path:
        """The state after the last whole generation."""
        return self.path / "checkpoint.json"

    @property
    def result_file(self) -> Path:
        """The outcome, once the run has come to its end."""
        return self.path / "result.json"

    @property
    def seconds_file(self) -> Path:
        """Where the time of the whole run went, once it has come to its end."""
        return self.path / "seconds.json"

    @property
    def scores(self) -> Path:
        """The folder of the scores on held-out networks, a CSV a task."""
        return self.path / "held_out"

    @property
    def score_journal(self) -> Path:
        """The folder that keeps each score of the held-out test as it comes."""
        return self.scores / "journal"

    @property
    def figures(self) -> Path:
        """The folder of the figures."""
        return self.path / "figures"

    def start(self, config: EvolutionConfig) -> None:
        """Make the folder of a new run.

        Raises:
            RunError: The folder is not empty, or cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(entry.name != LOCK_FILE for entry in self.path.iterdir()):
                raise RunError(
                    f"{self.path} is not empty; choose a new folder, or --resume if it holds a run"
                )
            text = tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))
            write_whole(self.config_file, text.encode())
        except OSError as error:
            raise RunError(f"cannot start a run in {self.path}: {error.strerror or error}") from error

    def config(self) -> EvolutionConfig:
        """The configuration that the run was started with.

        Raises:
            RunError: The folder holds no run.
            ConfigError: The configuration was altered to something invalid.
        """
        if not self.config_file.exists():
            raise RunError(f"{self.path} holds no run: {self.config_file.name} is missing")
        return checked_config(read_toml(self.config_file))

    def checkpoint(self) -> Checkpoint | None:
        """The state after the last whole generation, or None before the first one."""
        if not self.checkpoint_file.exists():
            return None
        return Checkpoint.from_json(_read(self.checkpoint_file))

    def programs(self) -> list[MeasuredProgram]:
        """The measured programs of all whole generations, in order."""
        return [MeasuredProgram.from_json(line) for line in _whole_lines(self.programs_file)]

    def generations(self) -> list[GenerationRecord]:
        """The records of all whole generations, in order."""
        return [GenerationRecord.from_json(line) for line in _whole_lines(self.generations_file)]

    def seconds(self) -> RunSeconds | None:
        """Where the time of the whole run went, or None where that was not written down."""
        if not self.seconds_file.exists():
            return None
        return RunSeconds.from_json(_read(self.seconds_file))

    def append(
        self, record: GenerationRecord, programs: Sequence[MeasuredProgram], checkpoint: Checkpoint
    ) -> None:
        """Write one generation, then the checkpoint that makes it count.

        Raises:
            RunError: The folder cannot be written or the disk is full; the run can be resumed from the
                generation before.
        """
        try:
            _append_lines(self.programs_file, [program.to_json() for program in programs])
            _append_lines(self.generations_file, [record.to_json()])
            write_whole(self.checkpoint_file, checkpoint.to_json().encode())
        except OSError as error:
            raise RunError(
                f"cannot write generation {record.generation} to {self.path}: {error.strerror or error}; "
                f"once that is mended, go on with --resume"
            ) from error

    def drop_after(self, generation: int) -> None:
        """Drop the lines of generations after this one, which a killed run may have left half written.

        Raises:
            RunError: A line is not as written, or the folder cannot be written.
        """
        programs = [program for program in self.programs() if program.generation <= generation]
        records = [record for record in self.generations() if record.generation <= generation]
        try:
            _keep_lines(self.programs_file, [program.to_json() for program in programs])
            _keep_lines(self.generations_file, [record.to_json() for record in records])
        except OSError as error:
            raise RunError(f"cannot write to {self.path}: {error.strerror or error}") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the run; the lock ends with the process, however it ends.

        Raises:
            RunError: Another process works on this run, or the folder cannot be written.
        """
        refusal = RunError(f"another process is working on the run in {self.path}")
        with ExitStack() as stack:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.path, refusal))
            except OSError as error:
                raise RunError(f"cannot write to {self.path}: {error.strerror or error}") from error
            yield


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"cannot read {file}: {error}") from error


def _whole_lines(file: Path) -> list[str]:
    """The lines of a file but for a last one without its end, which a kill leaves."""
    if not file.exists():
        return []
    return _read(file).split("\n")[:-1]


def _append_lines(file: Path, lines: Sequence[str]) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in lines)
        out.flush()
        os.fsync(out.fileno())


def _keep_lines(file: Path, lines: Sequence[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if file.exists() and _read(file) != text:
        write_whole(file, text.encode())
