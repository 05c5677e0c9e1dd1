"""Syntax problems of a document, from its tree."""

from __future__ import annotations

from surefill.diagnostics.problem import Problem
from surefill.diagnostics.python import python_problems
from surefill.diagnostics.trees import tree_problems
from surefill.syntax.document import Snapshot

MOST_PROBLEMS = 50
"""Who has more problems than these in one document sees none of them any more."""
_CLEAN_BYTES = 400_000
"""In a larger document without an error in its tree the indentation is not looked at."""


def syntax_problems(snapshot: Snapshot, most: int = MOST_PROBLEMS) -> list[Problem]:
    """What is wrong, one problem for each cause, in the order of the text.

    Nothing for a language without a grammar and for a text that cannot be parsed in time. Takes up
    to a second for a big document: not for the event loop.
    """
    tree, language = snapshot.tree, snapshot.language
    if tree is None or language is None:
        return []
    judged = language.blocks == "indent" and len(snapshot.source) <= _CLEAN_BYTES
    if not tree.root_node.has_error and not judged:
        return []
    if language.id == "python":
        return python_problems(snapshot, tree, language, most)
    return tree_problems(snapshot, tree, language, most)
