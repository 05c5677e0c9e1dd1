"""Code that can never run, because it stands after ``return`` and the like in the same block."""

from __future__ import annotations

import re

from surefill.completion.written import Written, begins_with_closer, is_comment
from surefill.syntax.brackets import scan
from surefill.syntax.languages import Language

_JUMPS = {
    "python": r"return|raise|break|continue",
    "javascript": r"return|throw|break|continue",
    "typescript": r"return|throw|break|continue",
    "typescriptreact": r"return|throw|break|continue",
    "go": r"return|break|continue|goto",
    "java": r"return|throw|break|continue",
    "rust": r"return|break|continue",
    "c": r"return|break|continue|goto",
    "cpp": r"return|throw|break|continue|goto",
    "bash": r"return|exit|break|continue",
}
"""What ends a block. Not of languages that put a condition after it, as Ruby and Perl do."""

_REACHED_OTHERWISE = re.compile(
    r"\s*(case\b|default\b|else\b|elif\b|elsif\b|except\b|finally\b|catch\b|then\b|;;"
    r"|yield\b"  # after a return it makes a function a generator
    r"|(async\s+)?function\b"  # hoisted
    r"|#|@|\w+:(?!:)\s*(//.*)?$)"  # of a preprocessor, an attribute, a label
)


def first_unreachable(written: Written) -> int | None:
    """Index of the first suggested line that is never reached; None where all are."""
    language = written.language
    if language is None or language.id not in _JUMPS:
        return None
    for at in written.suggested:
        if at == written.first and written.prefix.strip():
            continue  # the user began that line
        if is_comment(written.lines[at], language) or _goes_on_elsewhere(written.lines[at]):
            continue
        if _ended_before(written, at, language):
            return at
    return None


def _goes_on_elsewhere(line: str) -> bool:
    return begins_with_closer(line) or _REACHED_OTHERWISE.match(line) is not None


def _ended_before(written: Written, at: int, language: Language) -> bool:
    """Whether the statement before line ``at`` in its block leaves the block for good."""
    for index in written.siblings_above(at):
        line = written.lines[index]
        if is_comment(line, language) or begins_with_closer(line):
            continue
        if not re.match(rf"\s*({_JUMPS[language.id]})\b(?!\s*[=.(\[]\s*=)", line):
            return False
        state = scan("\n".join(written.lines[index:at]), language)
        whole = not (state.open or state.stray or state.string)
        attributed = index > 0 and written.lines[index - 1].lstrip().startswith("#[")
        return whole and not attributed and not _continues(written.lines[at - 1])
    return False


def _continues(line: str) -> bool:
    """Whether a line needs the next one: it ends with an operator or a backslash."""
    return re.search(r"(\\|[-+*/%&|^<>=?.,({\[]|\b(and|or|not|in|is|if|else))$", line) is not None
