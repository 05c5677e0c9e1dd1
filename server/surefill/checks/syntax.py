"""The syntax verdict on a suggestion."""

from __future__ import annotations

from surefill.completion.suggestion import Verdict
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Range
from surefill.syntax.validity import parses_with


def check_syntax(snapshot: Snapshot, span: Range, text: str) -> Verdict:
    """Whether the document still parses with ``text`` in place of ``span``.

    Unchecked without a grammar for the language, and for a text that no parser can take in time.
    """
    if snapshot.language is None:
        return Verdict("unchecked", "no grammar for this language")
    if snapshot.tree is None:
        return Verdict("unchecked", "the document is too large or too irregular to parse")
    passed, reason = parses_with(snapshot, span, text)
    return Verdict("passed" if passed else "failed", reason)
