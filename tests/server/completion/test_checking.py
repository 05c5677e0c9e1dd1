"""What a real type checker has against suggestions, and what it has not."""

import pytest

from surefill.completion.checking import OracleChecks
from surefill.completion.facts import Facts, Memory
from surefill.engine.interface import Cancellation
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range


@pytest.fixture
def check(service):
    """What is said of a text at "¦" of a document."""

    def check(document, text, *, unfinished=False):
        before, _, after = document.partition("¦")
        snapshot = Document("file:///main.py", language_for("python", None), before + after)
        at = Position(before.count("\n"), len(before) - before.rfind("\n") - 1)
        span = Range(at, at)
        snapshot = snapshot.snapshot()
        facts = Facts(service, Memory(), snapshot, span, seconds=60.0, cancel=Cancellation())
        return OracleChecks(facts, snapshot, span).check(text, unfinished=unfinished)

    return check


LONG = "# " + "-" * 70 + "\n"


@pytest.fixture(params=[0, 100], ids=["short", "long"])
def filler(request):
    """A long document is condensed before it is asked about."""
    return (
        LONG * request.param
        + """
class Store:
    def __init__(self) -> None:
        count = 1
        more = count
        self.size = more

    def name(self) -> str:
        first = "a"
        second = "b"
        return first + second


"""
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("size + 1", False),
        ("name().upper()", False),
        ("sise + 1", True),
        ("name() + 1", True),
        ("name(1)", True),
    ],
)
def test_a_text_is_judged_by_the_classes_of_its_document(check, filler, text, wrong):
    checked = check(filler + "def use(store: Store) -> None:\n    print(1)\n    store.¦\n", text)
    assert bool(checked.failure) == wrong
    if not wrong:
        assert checked.types.outcome == "passed"
        assert checked.apis.outcome == "passed"
        assert all(use.known for use in checked.uses)


def test_what_the_rest_of_the_function_makes_of_it_counts(check, filler):
    text = filler + "def use(store: Store) -> str:\n    found = store.¦\n    return found\n"
    assert "str" in check(text, "size").failure
    assert not check(text, "name()").failure


def test_a_header_is_judged_with_the_body_below(check):
    text = "import typing\n\ndef use(value: typing.¦\n    return value + 1\n"
    assert check(text, "Any").types.outcome == "passed"
    assert check(text, "Any) -> int:").types.outcome == "passed"
    assert check(text, "Ani) -> int:").failure


def test_what_was_wrong_and_could_not_be_seen_is_not_the_text_s_fault(check):
    text = "import sys\n\ndef use(a: int):\n    if sys.¦\n        raise a\n"
    checked = check(text, 'platform == "linux":')
    assert checked.types.outcome == "passed"


def test_a_name_alone_only_has_to_exist(check):
    text = "import shelf\n\nlength: int = shelf.¦\n"
    assert check(text, "find").failure
    assert not check(text, "find", unfinished=True).failure
    assert check(text, "finde", unfinished=True).failure
