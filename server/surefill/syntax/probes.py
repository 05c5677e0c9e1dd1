"""Continuations that complete what a text leaves open on purpose.

A suggestion may end with a block's first line, inside the user's own unclosed bracket or in a
string of several lines. Such a text is unfinished and not wrong; to tell the two apart it is parsed
together with the smallest continuation from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from surefill.syntax.brackets import PAIRS, Lexical, scan
from surefill.syntax.languages import INDENTED_HEADER, Language

_SHELL_ENDS = (
    (re.compile(r"\bcase\b.*\bin\s*$"), "\n*) {probe};;\nesac"),
    (re.compile(r"(\bthen|\belse)\s*$"), "\n{probe}\nfi"),
    (re.compile(r"\bdo\s*$"), "\n{probe}\ndone"),
    (re.compile(r"\{\s*$"), "\n{probe}\n"),
)


def continuations(
    before: Lexical, line_prefix: str, text: str, rest: str, language: Language
) -> Iterator[str]:
    """What may follow ``text`` to complete it, likeliest first; nothing if it must stand alone.

    ``before`` is the state before ``text``, ``line_prefix`` what stands before it on its line, and
    ``rest`` what stands behind it. Each is what then stands behind ``text``, ``rest`` included,
    because a header whose bracket the editor has closed goes on behind that bracket.
    """
    if rest.strip(" \t)]}>\"'`;,:"):
        return
    if before.string or before.in_comment:
        after = scan(text, language, string=before.string)
        if before.in_comment and language.block_comment:
            yield language.block_comment[1] + rest
        elif after.string and before.string in language.multiline:
            yield before.string + rest
            yield before.string + before.closers + rest
        return
    closers = _closers(line_prefix, text, rest, language)
    if closers is None:
        return
    last_line = (line_prefix + text).rsplit("\n", 1)[-1]
    if language.blocks == "indent":
        yield from _indented(closers + rest, last_line, language.probe)
    elif language.id == "bash":
        for pattern, end in _SHELL_ENDS:
            if pattern.search(last_line):
                yield end.format(probe=language.probe) + closers + rest
    else:
        yield from _braced(closers + rest, last_line, language, rest)


def _closers(line_prefix: str, text: str, rest: str, language: Language) -> str | None:
    """Closers for what is open on this line; None where the text may not leave it open.

    What the user opened may stay open. What the text opens may do so only at its very end, as a
    block or a call over several lines does.
    """
    whole = scan(line_prefix + text, language)
    if whole.string or whole.in_comment:
        return None
    own = sum(1 for _, offset in whole.open if offset >= len(line_prefix))
    if own and not text.rstrip().endswith((*PAIRS, ",")):
        return None
    supplied = [closer for closer, _ in scan(rest, language).stray]
    closers = whole.closers
    for closer in reversed(supplied):  # the rest of the line closes the outermost of them
        closers = closers.removesuffix(closer)
    return closers


def _indented(behind: str, last_line: str, probe: str) -> Iterator[str]:
    indent = last_line[: len(last_line) - len(last_line.lstrip())]
    word = last_line.strip()
    colon = "" if (word + behind).rstrip().endswith(":") else ":"
    if behind:
        yield behind
    if word.startswith("@"):
        yield f"{behind}\n{indent}def f(): {probe}"
    elif word.startswith("try"):
        yield f"{behind}\n{indent} {probe}\n{indent}finally: {probe}"
    elif word.startswith("match"):
        yield f"{behind}{colon}\n{indent} case _: {probe}"
    elif INDENTED_HEADER.match(last_line):
        yield f"{behind}{colon} {probe}"
        if colon:
            yield f"{behind}{colon}"


def _braced(behind: str, last_line: str, language: Language, rest: str) -> Iterator[str]:
    word = last_line.strip()
    if behind:
        yield behind
    if language.terminator:
        yield behind + language.terminator
    if re.search(r"\btry\b", word):
        yield behind + (" catch (...) {}" if language.id == "cpp" else " finally {}")
    elif re.match(r"do\b", word):
        yield behind + " while (0);"
    elif word.startswith("#if"):
        yield behind + "\n#endif\n"
    elif language.id == "sql" and word.endswith("("):
        yield "a int" + behind
        yield "select 1" + behind
    if word.startswith("@"):
        yield behind + " int f;"
        yield behind + " f() {}"
    if re.match(r"(\w.*\)\s*$|(else|for|while|if)\b)", word + rest) and language.blocks == "braces":
        yield behind + " {}"
