"""Which files of the project a document imports: its import lines, resolved on disk.

Reads import lines as text, because while typing they rarely parse. Knows the module rules of
Python, JavaScript and TypeScript, C and C++, and Rust as far as they lead to files nearby; what is
installed elsewhere is never found. Looks at the disk, so not for the event loop.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from surefill.syntax.document import Snapshot, with_newlines
from surefill.syntax.scopes import import_lines

_MOST_IMPORTS = 48
_MOST_FOLDERS_UP = 8
"""How far above the document a module's folder is looked for."""

_LONGEST_LINE = 400
_BLANKS = re.compile(r"[ \t]+")
_PYTHON = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<dots>\.*)(?P<module>[ \t]*[\w.]*)[ \t]+import[ \t]+"
    r"(?P<names>\([^)]*|[^\n#;]*)"
    r"|import[ \t]+(?P<modules>[\w.][\w., \t]*))",
    re.MULTILINE,
)
_ECMASCRIPT = re.compile(
    r"""(?:\bfrom|\bimport|\brequire[ \t]*\()[ \t]*["'](\.{1,2}/[^"'\n]{1,200})["']"""
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]{1,200})"', re.MULTILINE)
_RUST_MOD = re.compile(r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?mod[ \t]+(\w+)[ \t]*;", re.MULTILINE)
_ECMASCRIPT_ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")


@dataclass(frozen=True)
class Places:
    """Where files may lie: the document's own, and the workspace folder that holds it, if any."""

    document: Path
    folder: Path

    @classmethod
    def of(cls, document: Path, folders: Iterable[Path]) -> Places:
        """The innermost of ``folders`` around ``document``, or else the document's own folder."""
        return cls(document, innermost(document, folders) or document.parent)

    def above(self) -> Iterator[Path]:
        """Folders from the document's own up to the workspace folder, and its ``src``."""
        folder = self.document.parent
        for _ in range(_MOST_FOLDERS_UP):
            yield folder
            if folder in (self.folder, folder.parent):
                break
            folder = folder.parent
        else:
            yield self.folder
        yield self.folder / "src"


def innermost(path: Path, folders: Iterable[Path]) -> Path | None:
    """The folder nearest to ``path`` of those that hold it; None where none does."""
    around = [folder for folder in folders if path.is_relative_to(folder)]
    return max(around, key=lambda each: len(each.parts), default=None)


def local_modules(snapshot: Snapshot, document: Path, folders: Iterable[Path]) -> list[Path]:
    """Files that ``document`` imports, in the order of its imports, without duplicates.

    Relative imports are followed within the workspace folder that holds the document, or within
    its own folder where it is in none. The result names regular files or links to them.
    """
    language = snapshot.language
    if language is None or language.id not in _CANDIDATES:
        return []
    text = _import_text(snapshot)
    places = Places.of(document, folders)
    found: dict[Path, None] = {}
    for number, choices in enumerate(_CANDIDATES[language.id](text, places)):
        if number >= _MOST_IMPORTS:
            break
        file = next((each for each in choices if _is_ours(each, places)), None)
        if file is not None:
            found[Path(os.path.normpath(file))] = None
    return list(found)


def _import_text(snapshot: Snapshot) -> str:
    """The import lines, of a length and with blanks on which no pattern takes long."""
    first, last = import_lines(snapshot)
    lines = (line for line in snapshot.lines[first:last] if len(line) <= _LONGEST_LINE)
    return with_newlines("".join(_BLANKS.sub(" ", line) for line in lines))


def _is_ours(path: Path, places: Places) -> bool:
    """Whether there is such a file and it lies in the project, wherever a link may lead."""
    try:
        if not path.is_file():
            return False
        real = path.resolve()
    except (OSError, ValueError, RuntimeError):  # names too long, NUL characters, circular links
        return False
    return real != places.document.resolve() and real.is_relative_to(places.folder.resolve())


def _python(text: str, places: Places) -> Iterator[list[Path]]:
    above = list(places.above())
    parents = places.document.parents
    for statement in _PYTHON.finditer(text):
        if (whole := statement["modules"]) is not None:
            for dotted in whole.split(","):
                modules = _modules(above, dotted.split(" as ")[0])
                yield [file for each in modules for file in _python_files(each)]
            continue
        dots = len(statement["dots"])
        bases = [parents[min(dots, len(parents)) - 1]] if dots else above
        modules = _modules(bases, statement["module"])
        for name in _imported_names(statement["names"]):
            yield [file for each in modules for file in _python_files(each / name)]
        yield [file for each in modules for file in _python_files(each)]


def _modules(bases: Iterable[Path], dotted: str) -> list[Path]:
    """Where the module ``dotted`` may lie, without ending: only below packages that are there."""
    parts = [part for part in dotted.strip().split(".") if part]
    if len(parts) < 2:
        return [base.joinpath(*parts) for base in bases]
    return [base.joinpath(*parts) for base in bases if _is_folder(base / parts[0])]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # names too long, NUL characters
        return False


def _python_files(module: Path) -> tuple[Path, ...]:
    if not module.name:
        return ()
    return module.with_name(f"{module.name}.py"), module / "__init__.py"


def _imported_names(names: str) -> list[str]:
    words = (each.split(" as ")[0].strip() for each in names.strip("( \t\n").split(","))
    return [word for word in words if word.isidentifier()]


def _ecmascript(text: str, places: Places) -> Iterator[list[Path]]:
    for match in _ECMASCRIPT.finditer(text):
        path = places.document.parent / match.group(1)
        # TypeScript's own modules are imported under the names of what is made of them.
        stem = path.with_suffix("") if path.suffix in (".js", ".jsx", ".mjs", ".cjs") else path
        if not stem.name:
            continue
        choices = [path] if path.suffix in _ECMASCRIPT_ENDINGS else []
        choices += [stem.with_name(stem.name + ending) for ending in _ECMASCRIPT_ENDINGS]
        yield [*choices, *(path / f"index{ending}" for ending in _ECMASCRIPT_ENDINGS)]


def _include(text: str, places: Places) -> Iterator[list[Path]]:
    for match in _INCLUDE.finditer(text):
        bases = [*places.above(), places.folder / "include"]
        yield [base / match.group(1) for base in bases]


def _rust(text: str, places: Places) -> Iterator[list[Path]]:
    document = places.document
    own = document.parent
    if document.stem not in ("mod", "lib", "main"):
        own = own / document.stem
    for match in _RUST_MOD.finditer(text):
        name = match.group(1)
        yield [own / f"{name}.rs", own / name / "mod.rs"]


_CANDIDATES = {
    "python": _python,
    "javascript": _ecmascript,
    "typescript": _ecmascript,
    "typescriptreact": _ecmascript,
    "c": _include,
    "cpp": _include,
    "rust": _rust,
}
"""For each language: for every import the files it may mean, the likeliest first."""
