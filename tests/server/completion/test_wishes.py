"""What a model would call: the rules it is guided by, and a real model under them."""

import pytest

from small_bundle import SMALL
from surefill.completion.loading import load_model
from surefill.completion.wishes import OneOf, Wishes, arguments_stop
from surefill.engine.interface import Cancellation
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position

PYTHON = language_for("python", None)
NAMES = frozenset({"open", "open_all", "close"})


def test_a_name_of_the_list_and_nothing_else_may_be_written():
    rules = OneOf("x = p.", 6, NAMES)
    assert (rules.names("").typed, rules.names("").names) == ("", NAMES)
    assert rules.names("ope").typed == "ope"
    assert rules.names("open(") is None
    assert rules.allows("ope") and rules.allows("open") and rules.allows("open(")
    assert not rules.allows("ope(") and not rules.allows("opens") and not rules.allows("(")


def test_what_stands_there_already_is_written_anew():
    rules = OneOf("x = ", 6, NAMES)
    assert rules.names("") is None and rules.names("p") is None
    assert rules.names("p.").typed == ""
    assert rules.names("p.op").typed == "op"
    assert rules.allows("p.") and not rules.allows("p.no")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("a, b)", 5),
        ("a, f(b), [c])", 13),
        ("a)\nb", 2),
        ("a,\n", 2),
        ("a, f(b)", None),
        ("')'", None),
        ("", None),
    ],
)
def test_arguments_end_with_their_bracket_or_their_line(text, length):
    assert arguments_stop(PYTHON)(text) == length


@pytest.fixture(scope="module")
def model():
    loaded = load_model(SMALL)
    yield loaded
    loaded.engine.close()


def wishes(model, text, cancel=None):
    snapshot = Document("file:///a.py", PYTHON, text).snapshot()
    position = Position(text.count("\n"), len(text) - text.rfind("\n") - 1)

    def ask(job):
        return job(model.engine, model.context)

    return Wishes(ask, snapshot, position, None, cancel or Cancellation()), position


SEEN = (
    "import json\n\ndef load(path):\n    with open(path) as file:\n        return json.load(file)\n"
)


def test_a_real_model_ranks_names_that_it_would_write_once(model):
    names = frozenset({"load", "loads", "dump", "dumps", "detect_encoding"})
    asked, position = wishes(model, f"{SEEN}\ndef again(path):\n    return json.")
    found = list(asked.names(position.character, names))
    assert {"load", "loads", "dump", "dumps"} <= set(found) <= names
    assert len(found) == len(set(found))
    assert "detect_encoding" not in found[:4]


def test_only_names_that_begin_as_is_typed_are_found(model):
    names = frozenset({"load", "loads", "dump"})
    asked, position = wishes(model, f"{SEEN}\ndef again(path):\n    return json.lo")
    found = list(asked.names(position.character - 2, names))
    assert set(found) == {"load", "loads"}


def test_a_real_model_writes_arguments(model):
    asked, _ = wishes(model, f"{SEEN}\ndef again(path):\n    return load(")
    written = asked.arguments(None)
    assert written.text.startswith("path")
    assert "\n" not in written.text
    assert 0 < written.confidence <= 1


def test_a_cancelled_question_is_not_asked(model):
    cancelled = Cancellation()
    cancelled.cancel()
    asked, _ = wishes(model, "json.", cancelled)
    assert list(asked.names(5, NAMES)) == []
    assert asked.arguments(None) is None
