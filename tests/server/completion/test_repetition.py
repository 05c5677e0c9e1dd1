"""Echoes go, legitimate repetition stays: places of both kinds in several languages."""

import pytest

import echo_cases
import legitimate_repetitions
from surefill.completion.postprocess import Surroundings, postprocess
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position


def shown(language, marked, text):
    before, after = marked.split("§")
    snapshot = Document("file:///a", language_for(language, None), before + after).snapshot()
    lines = before.split("\n")
    cursor = Cursor.at(snapshot, Position(len(lines) - 1, len(lines[-1])))
    return postprocess(text, Surroundings.of(snapshot, cursor))


@pytest.mark.parametrize(("language", "document", "text", "left"), echo_cases.ALL)
def test_what_is_left_of_an_echo(language, document, text, left):
    assert shown(language, document, text) == left


@pytest.mark.parametrize(("language", "document", "text"), legitimate_repetitions.ALL)
def test_what_only_looks_like_an_echo_is_shown(language, document, text):
    assert shown(language, document, text) == text
