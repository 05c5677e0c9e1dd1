"""The servers that we know, and what is particular about each: how it is started and set up.

``ty`` and ``pyrefly`` for Python; any other language server by its command.
"""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surefill.oracle.environment import Environment


@dataclass(frozen=True)
class Dialect:
    """In which ways a server's answers differ from what the protocol makes one expect."""

    most_items: int | None = None
    """A completion list of this length was cut."""
    python: bool = False
    """It speaks of Python: None, keyword arguments, modules."""
    lists_modules: bool = True
    """It lists modules where none of a module's name has been typed yet."""
    adds_open_keywords: bool = False
    """``**kw: Unpack[T]`` is shown as T's keys and ``**kw: object`` behind them."""
    names_every_parameter: bool = False
    """A parameter that is shown without an annotation has no name."""
    list_tells_type: bool = False
    """Lists of members are equal only where the types are, and show what each member is."""
    only_in_folders: bool = False
    """It says nothing about files outside the workspace's folders."""
    optional: re.Pattern[str] | None = None
    """What it says of a receiver that may be None."""


@dataclass(frozen=True)
class EngineSpec:
    """How one server is started and set up."""

    name: str
    command: tuple[str, ...]
    dialect: Dialect = Dialect()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    """The answer to ``workspace/configuration``, by section."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables on top of ours."""
    advice: str = ""
    """What to do when it is not there."""
    note: str = ""
    """What the user should know of the environment that it looks at."""
    note_advice: str = ""


_INSIDE = r"\[(?:[^`\[\]]|\[(?:[^`\[\]]|\[[^`\[\]]*\])*\])*\]"
"""A type's own arguments, in which None means something else."""
_NONE_IN_UNION = re.compile(
    rf"`(?:[^`\[\]]|{_INSIDE})*\bNone\b[^`]*` has no attribute"
    r"|on `None` in union"
    r"|`NoneType` has no attribute"
)


def ty(environment: Environment) -> EngineSpec:
    """Astral's ``ty``, which comes with Surefill."""
    options: dict[str, Any] = {
        "diagnosticMode": "openFilesOnly",
        "completions": {"autoImport": False},
    }
    variables = {}
    if environment.asked_for or not environment.virtual:
        options["configuration"] = {"environment": {"python": str(environment.python)}}
    else:  # weaker than what the project's own configuration says
        variables["VIRTUAL_ENV"] = str(environment.folder)
    return EngineSpec(
        "ty",
        (_program("ty"), "server"),
        Dialect(
            most_items=1000,
            python=True,
            adds_open_keywords=True,
            list_tells_type=True,
            only_in_folders=True,
            optional=_NONE_IN_UNION,
        ),
        {"ty": options},
        variables,
        "Install it with: pip install ty",
        environment.note,
        environment.advice,
    )


def pyrefly(environment: Environment) -> EngineSpec:
    """Meta's ``pyrefly``. It runs the environment's interpreter to learn of its folders."""
    options = {"displayTypeErrors": "force-on"}
    return EngineSpec(
        "pyrefly",
        (_program("pyrefly"), "lsp", "--indexing-mode", "none"),
        Dialect(
            python=True,
            lists_modules=False,
            names_every_parameter=True,
            optional=_NONE_IN_UNION,
        ),
        {"python": {"pythonPath": str(environment.python), "pyrefly": options}},
        {"VIRTUAL_ENV": str(environment.folder)} if environment.virtual else {},
        "Install it with: pip install pyrefly",
        environment.note,
        environment.advice,
    )


_EXECUTABLE = ("", ".exe", ".bat", ".cmd") if os.name == "nt" else ("",)

PYTHON_ENGINES: Mapping[str, Callable[[Environment], EngineSpec]] = {"ty": ty, "pyrefly": pyrefly}

_POSSIBLY_NOTHING = re.compile(r"possibly '(?:null|undefined|null' or 'undefined)'")


def foreign(command: Sequence[str]) -> EngineSpec:
    """The language server that a setting names by its command."""
    return EngineSpec(
        Path(command[0]).stem,
        (_program(command[0]), *command[1:]),
        Dialect(optional=_POSSIBLY_NOTHING),
        advice="Correct surefill.oracle.servers, or install the server.",
    )


def _program(name: str) -> str:
    """Where ``name`` is: beside our interpreter, else on the PATH; where it would be if nowhere."""
    if os.path.dirname(name):  # noqa: PTH120 - a Path would lose a leading "./"
        return str(Path(name).expanduser())
    folders = (sysconfig.get_path("scripts"), *os.get_exec_path())
    return find_program(name, folders, _EXECUTABLE) or str(Path(folders[0], name))


def find_program(name: str, folders: Iterable[str], suffixes: Sequence[str]) -> str | None:
    """The first program of this name in ``folders``; relative ones do not count.

    Unlike ``shutil.which``, which on Windows looks into the working directory before all others:
    that may be a workspace that nobody trusts.
    """
    for folder in filter(os.path.isabs, folders):
        for suffix in suffixes:
            path = Path(folder, name + suffix)
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    return None
