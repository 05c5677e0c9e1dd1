"""The syntax verdict on a suggestion."""

from __future__ import annotations

from surefill.checks.python_syntax import python_refuses
from surefill.completion.suggestion import Verdict
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Range
from surefill.syntax.validity import parses_with


def check_syntax(snapshot: Snapshot, span: Range, text: str) -> Verdict:
    """Whether the document still parses with ``text`` in place of ``span``.

    Unchecked without a grammar for the language, and for a text that no parser can take in time.
    Python is asked about Python as well.
    """
    language = snapshot.language
    if language is None:
        return Verdict("unchecked", "no grammar for this language")
    if snapshot.tree is None:
        return Verdict("unchecked", "the document is too large or too irregular to parse")
    passed, reason = parses_with(snapshot, span, text)
    if passed and language.id == "python":
        start, end = sorted(map(snapshot.clamp, span))
        refusal = python_refuses(snapshot.prefix(start), text, snapshot.suffix(end), language)
        if refusal:
            return Verdict("failed", refusal)
    return Verdict("passed" if passed else "failed", reason)
