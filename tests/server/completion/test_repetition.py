"""Echoes go, legitimate repetition stays: places of both kinds in several languages."""

import pytest

from repetition_cases.branches import BRANCHES
from repetition_cases.definitions import DEFINITIONS
from repetition_cases.lines_near import LINES_NEAR
from repetition_cases.loops import LOOPS
from repetition_cases.redefinitions import REDEFINITIONS
from repetition_cases.rows import ROWS
from repetition_cases.statements import STATEMENTS
from repetition_cases.unreachable import UNREACHABLE
from repetition_cases.words_before import WORDS_BEFORE
from surefill.completion.postprocess import Surroundings, postprocess
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position

ECHOES = [*LOOPS, *LINES_NEAR, *WORDS_BEFORE, *REDEFINITIONS, *UNREACHABLE]
LEGITIMATE = [*ROWS, *BRANCHES, *DEFINITIONS, *STATEMENTS]


def shown(language, marked, text):
    before, after = marked.split("§")
    snapshot = Document("file:///a", language_for(language, None), before + after).snapshot()
    lines = before.split("\n")
    cursor = Cursor.at(snapshot, Position(len(lines) - 1, len(lines[-1])))
    return postprocess(text, Surroundings.of(snapshot, cursor))


@pytest.mark.parametrize(("language", "document", "text", "left"), ECHOES)
def test_an_echo_is_cut(language, document, text, left):
    assert shown(language, document, text) == left


@pytest.mark.parametrize(("language", "document", "text"), LEGITIMATE)
def test_what_only_looks_like_an_echo_is_shown(language, document, text):
    assert shown(language, document, text) == text
