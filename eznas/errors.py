"""The errors that eznas raises on purpose: one root, so that callers can catch them all at once."""


class EznasError(Exception):
    """Root of every error that eznas raises on purpose; its text says what was expected and what came."""


class ProgramSyntaxError(EznasError):
    """A program text that cannot be read: position, what was expected, what stands there."""


class ShapeError(EznasError):
    """Shapes that an operation refuses, as torch would refuse them."""


class PlanError(EznasError):
    """A plan that would read what is not there, or overwrite what is needed; a defect of eznas."""


class NoLayersError(EznasError):
    """A network without any layer of the wanted structure."""


class StatisticsError(EznasError):
    """Statistics that are missing, malformed or do not fit together."""


class StoreError(EznasError):
    """A statistics store that is truncated, altered, foreign, incomplete or cannot be written."""


class SpaceError(EznasError):
    """An unknown search space, or an architecture text that is not of the space."""


class TaskError(EznasError):
    """An unknown task, or a task table that cannot be read or written."""


class ConfigError(EznasError):
    """A configuration whose field is unknown, malformed or out of range."""


class RunError(EznasError):
    """A run folder that cannot be started, resumed or read."""


class ProcessError(EznasError):
    """A process that worked for this one and was ended from outside."""


class ProxyError(EznasError):
    """An unknown proxy, or a network, inputs or targets that a proxy cannot score."""


class ExportError(EznasError):
    """A program that a format cannot hold, an artefact that disagrees, or a file that is not an export."""
