"""The ordinary programs that bundles are measured on: where they are, and how they are read.

They are written for this, of the kinds that people write every day, and are in no corpus and no
index. A folder of programs has one folder for each language, named by the language's id. Knows
files; neither places nor models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from surefill.syntax.languages import LANGUAGES, Language, language_for
from surefill_training.errors import ProgramsError

_IDS = tuple(language.id for language in LANGUAGES)


@dataclass(frozen=True)
class Program:
    """One whole file; ``language_id`` is that of the folder it lies in."""

    language_id: str
    name: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.language_id}/{self.name}"

    @property
    def language(self) -> Language | None:
        return language_for(self.language_id, None)


def shipped_folder() -> Path:
    """The folder of the programs that come with this package."""
    return Path(str(files("surefill_training") / "programs"))


def load_programs(
    folder: Path | None = None, languages: Sequence[str] | None = None
) -> list[Program]:
    """The programs of ``folder``, by language and name; None takes those that are shipped.

    Raises ProgramsError for a language without programs, for a folder without any, and for a file
    that is no text.
    """
    folder = shipped_folder() if folder is None else folder
    try:
        there = sorted(path.name for path in folder.iterdir() if path.name in _IDS)
    except OSError as error:
        raise ProgramsError(
            f"The programs at {folder} cannot be read ({error.strerror}).",
            "Give a folder that has one folder of programs for each language.",
        ) from error
    found = {name: _programs_in(folder / name, name) for name in there}
    found = {name: programs for name, programs in found.items() if programs}
    if not found:
        raise ProgramsError(
            f"There are no programs in {folder}.",
            "Give a folder that has one folder for each language, named by its id as in python/.",
        )
    for name in languages or ():
        if name not in found:
            raise ProgramsError(
                f"There are no programs in the language {name!r}.",
                f"Choose among {', '.join(found)}.",
            )
    return [program for name in dict.fromkeys(languages or found) for program in found[name]]


def _programs_in(folder: Path, language_id: str) -> list[Program]:
    """The files of a folder, also of a folder's folders, whose names are of the language."""
    programs = []
    for path in sorted(folder.rglob("*")):
        language = language_for(None, path.name)
        if not path.is_file() or language is None or language.id != language_id:
            continue
        name = path.relative_to(folder).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise ProgramsError(
                f"The program {path} cannot be read ({error}).", "Save it as UTF-8, or remove it."
            ) from error
        programs.append(Program(language_id, name, text))
    return programs
