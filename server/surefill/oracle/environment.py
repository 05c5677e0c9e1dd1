"""Which Python environment the user's code runs in, found without running anything of it.

In this order: the editor's setting, ``VIRTUAL_ENV``, a ``.venv`` in a workspace folder, and the
interpreter that runs Surefill, which is worth a note.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SETTING = "surefill.oracle.python"
_VERSION = re.compile(r"^version(?:_info)?\s*=\s*(\d+\.\d+(?:\.\d+)?)", re.MULTILINE)


@dataclass(frozen=True)
class Environment:
    """An interpreter, and the environment that it belongs to."""

    python: Path
    """The interpreter; it may be missing from a damaged environment."""
    asked_for: bool = False
    """The user's setting names it."""
    note: str = ""
    """Why this one, where that may surprise."""
    advice: str = ""

    @property
    def folder(self) -> Path:
        """The environment's folder: above ``bin`` or ``Scripts``."""
        return self.python.parent.parent

    @property
    def virtual(self) -> bool:
        """Whether it is a virtual environment."""
        return (self.folder / "pyvenv.cfg").is_file()

    @property
    def version(self) -> str:
        """Python's version, as far as it can be told without asking it; else empty."""
        if self.python == Path(sys.executable):
            return ".".join(map(str, sys.version_info[:3]))
        try:
            found = _VERSION.search((self.folder / "pyvenv.cfg").read_text("utf-8", "replace"))
        except OSError:
            return ""
        return found[1] if found else ""


def resolve_environment(
    setting: str, folders: Sequence[Path], variables: Mapping[str, str]
) -> Environment:
    """The environment for a workspace. ``variables`` are the process's environment variables.

    One process serves all folders: the first that has a ``.venv`` decides.
    """
    note = advice = ""
    if setting:
        named = _named(setting, folders)
        python = _interpreter(named)
        if python is not None:
            return Environment(python, asked_for=True)
        wrong = "does not exist" if not named.exists() else "is no Python environment"
        note = f"{SETTING}: {named} {wrong}."
        advice = (
            "Name an interpreter or the folder of a virtual environment, or leave the setting "
            "empty."
        )
    candidates = [Path(variables["VIRTUAL_ENV"])] if variables.get("VIRTUAL_ENV") else []
    candidates += [folder / ".venv" for folder in folders]
    for candidate in candidates:
        python = _interpreter(candidate)
        if python is not None:
            used = f" Using {candidate}." if note else ""
            return Environment(python, note=note + used, advice=advice)
    own = Path(sys.executable)
    if note:
        return Environment(own, note=f"{note} Using {own}, which runs Surefill.", advice=advice)
    return Environment(
        own,
        note=f"No Python environment was found: types are those of {own}, which runs Surefill.",
        advice=f"Make a .venv in the workspace, or name an interpreter in {SETTING}.",
    )


def _named(setting: str, folders: Sequence[Path]) -> Path:
    path = Path(setting).expanduser()
    return folders[0] / path if folders and not path.is_absolute() else path


def _interpreter(path: Path) -> Path | None:
    """The interpreter that ``path`` is or whose environment it is. Links are not followed: an
    environment's interpreter is a link to another one's.
    """
    try:
        if path.is_file():
            return path.absolute() if "python" in path.name or "pypy" in path.name else None
        for name in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
            if (path / name).is_file():
                return (path / name).absolute()
    except OSError:
        pass
    return None
