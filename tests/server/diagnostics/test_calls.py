"""Calls that were found to be right stay so as long as nothing changes that says so."""

import pytest

from surefill.diagnostics.calls import KnownCalls, keyword_calls
from surefill.revision import ALONE, ProjectRevision
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for

TEXT = """from shop import Store

class Mine(Store): ...

def one(store: Mine):
    store.put(size=1)

def two():
    print(end="")
"""


def calls_of(text):
    snapshot = Document("file:///a.py", language_for("python", None), text).snapshot()
    return snapshot, keyword_calls(snapshot)


@pytest.fixture
def known():
    known = KnownCalls()
    snapshot, calls = calls_of(TEXT)
    version = known.at(snapshot, ALONE)
    assert [call.text for call in calls] == ["store.put(size=1)", 'print(end="")']
    for call in calls:
        assert not version.holds(snapshot, call)
        version.add(snapshot, call)
    return known


def held(known, text, revision=ALONE):
    snapshot, calls = calls_of(text)
    version = known.at(snapshot, revision)
    return [version.holds(snapshot, call) for call in calls]


def test_what_was_right_is_known_in_the_same_version(known):
    assert held(known, TEXT) == [True, True]


def test_in_another_project_nothing_is_known(known):
    assert held(known, TEXT, ProjectRevision(files=1)) == [False, False]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("size=1", "size=2", [False, True]),
        ("    print", "    x = 1\n    print", [True, False]),
        ("    store.put", "    store = other()\n    store.put", [False, True]),
        ("class Mine(Store)", "class Mine", [False, False]),
        ("store: Mine", "store: Store", [False, False]),
        ("from shop", "from shops", [False, False]),
    ],
)
def test_a_change_matters_where_it_may(known, before, after, expected):
    assert held(known, TEXT.replace(before, after)) == expected
