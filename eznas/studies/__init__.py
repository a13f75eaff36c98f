"""Studies: the same evolution with one setting varied, and one test of all that it finds."""

from eznas.studies.config import StudyConfig, get, names
from eznas.studies.outcome import StudyOutcome, study_figure, study_record, study_table, write_study
from eznas.studies.run import StudyObserver, run_study
from eznas.studies.runs import StudyRun, planned_runs

__all__ = [
    "StudyConfig",
    "StudyObserver",
    "StudyOutcome",
    "StudyRun",
    "get",
    "names",
    "planned_runs",
    "run_study",
    "study_figure",
    "study_record",
    "study_table",
    "write_study",
]
