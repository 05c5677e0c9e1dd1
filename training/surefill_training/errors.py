"""The errors that the training package raises on purpose: one sentence, and a remedy."""

from surefill.errors import SurefillError


class TrainingError(SurefillError):
    """Base of all expected errors in training."""


class CorpusError(TrainingError):
    """The corpus cannot be built or read."""


class CheckpointError(TrainingError):
    """A checkpoint cannot be written, read, or does not fit this run."""


class ExportError(TrainingError):
    """A model cannot be exported or bundled."""


class PackingError(TrainingError):
    """Something cannot be packed into parts, or its parts cannot be put together."""


class ReleaseError(TrainingError):
    """A bundle cannot be installed as the default."""


class ProblemsError(TrainingError):
    """A file of problems with tests cannot be used."""


class ProgramsError(TrainingError):
    """A folder of programs cannot be measured on."""
