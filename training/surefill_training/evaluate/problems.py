"""Problems with tests, from a file in the format of HumanEval or of HumanEval-infilling.

Knows the format and what makes a line of it unusable; executes nothing. The file is the user's:
none comes with Surefill. Formats: https://github.com/openai/human-eval and
https://github.com/openai/human-eval-infilling
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from surefill_training.errors import ProblemsError

_GZIP = b"\x1f\x8b"
_FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
_CHECK = re.compile(r"^def check\(", re.MULTILINE)


@dataclass(frozen=True)
class Problem:
    """Code with a hole between ``prompt`` and ``suffix``, and a test of the whole."""

    task_id: str
    prompt: str
    suffix: str
    """Empty where the hole is at the end: the body of a function."""
    entry_point: str
    canonical_solution: str
    test: str
    """Defines ``check``, which raises AssertionError for a function that is not right."""

    @property
    def behind(self) -> str:
        """What an editor shows behind the cursor, to the line's end and below.

        Where whole lines are missing, the cursor stands in a line that somebody has opened: the
        line's end is no part of the hole.
        """
        whole = self.canonical_solution.endswith("\n") or not self.suffix
        return "\n" + self.suffix if whole else self.suffix

    def program(self, completion: str, sign: str) -> str:
        """The program that tests ``completion``; it prints ``sign`` when the test is passed."""
        solution = self.prompt + completion + self.behind
        return f"{solution}\n{self.test}\ncheck({self.entry_point})\nprint({sign!r})\n"


@dataclass(frozen=True)
class ProblemSet:
    """All problems of a file, and the SHA-256 of its content, uncompressed."""

    name: str
    sha256: str
    problems: tuple[Problem, ...]


def load_problems(path: Path) -> ProblemSet:
    """Read JSON lines, compressed by gzip or not.

    Raises ProblemsError for a file that cannot be read, and for the first line that is not a
    problem, with its number.
    """
    data = _content(path)
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ProblemsError(f"{path} is not UTF-8 ({error.reason}).", "Convert it.") from error
    found: dict[str, Problem] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        problem = _problem(line, where)
        if problem.task_id in found:
            raise ProblemsError(
                f"{where}: there is a problem {problem.task_id} already.", "Remove one of them."
            )
        found[problem.task_id] = problem
    if not found:
        raise ProblemsError(f"{path} has no problems.", "Give a file in the format of HumanEval.")
    return ProblemSet(path.name, hashlib.sha256(data).hexdigest(), tuple(found.values()))


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProblemsError(
            f"{path} cannot be read ({error.strerror}).", "Give a file in the format of HumanEval."
        ) from error
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ProblemsError(
            f"{path} is a damaged gzip file ({error}).", "Download it again."
        ) from error


def _problem(line: str, where: str) -> Problem:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise ProblemsError(
            f"{where} is not JSON ({error}).", "There has to be one JSON object on each line."
        ) from error
    if not isinstance(raw, dict):
        raise ProblemsError(f"{where} is not a JSON object.", f"Its fields are {_list(_FIELDS)}.")
    fields = {name: _field(raw, name, where) for name in _FIELDS}
    suffix = _field(raw, "suffix", where) if "suffix" in raw else ""
    if not fields["entry_point"].isidentifier():
        raise ProblemsError(
            f"{where}: the entry point {fields['entry_point']!r} is no name of a function.",
            "Give the name of the function that the test checks.",
        )
    if not _CHECK.search(fields["test"]):
        raise ProblemsError(
            f"{where}: the test does not define the function check.",
            "It has to be a text with `def check(candidate):` and assertions in it.",
        )
    return Problem(suffix=suffix, **fields)


def _field(raw: Mapping[str, object], name: str, where: str) -> str:
    value = raw.get(name)
    if name not in raw:
        raise ProblemsError(f"{where} has no field {name}.", f"It needs {_list(_FIELDS)}.")
    if not isinstance(value, str):
        raise ProblemsError(f"{where}: the field {name} is not a text.", "Put it in quotes.")
    return value


def _list(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
