"""All errors that Surefill raises on purpose, in one small tree.

Each carries one sentence that says what is wrong and, where there is one, a remedy. Errors of
foreign libraries are translated at the edge of the room that calls them (``raise ... from``).
"""


class SurefillError(Exception):
    """Base of all expected errors; ``str()`` is a message fit for a user."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy


class InputError(SurefillError):
    """What the user gave cannot be used: a file, a position, an argument."""


class SettingsError(SurefillError):
    """A setting has a value that cannot be used."""


class LanguageError(SurefillError):
    """A language is unknown or its grammar cannot be loaded."""


class BundleError(SurefillError):
    """A bundle is missing, damaged, foreign, or of a schema this version does not know."""


class EngineError(SurefillError):
    """The model could not be loaded or run."""


class RuntimeMissingError(EngineError):
    """Neither onnxruntime nor onnxruntime-gpu is installed."""


class SandboxError(SurefillError):
    """There is no sandbox to execute a program in, so it was not executed."""


class OracleError(SurefillError):
    """A type checker could not be started."""
