"""What the model may write, as a real type checker knows it."""

from concurrent.futures import Future
from pathlib import Path

import pytest

from surefill.completion.facts import Facts, Memory
from surefill.completion.rules import ExistingNames
from surefill.engine.interface import Cancellation
from surefill.oracle.service import OracleService
from surefill.revision import ALONE, ProjectRevision
from surefill.settings import OracleSettings
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range

PATIENCE = 60.0


@pytest.fixture
def rules(service):
    """Rules at "¦" of a text, of which the model writes the last ``lead`` characters anew."""

    def make(text, lead="", *, seconds=PATIENCE, language="python", asked=service):
        before, _, after = text.partition("¦")
        known = language_for(language, None)
        snapshot = Document("file:///main.py", known, before + after).snapshot()
        line = before.count("\n")
        position = Position(line, len(before) - before.rfind("\n") - 1)
        facts = Facts(
            asked,
            Memory(),
            snapshot,
            Range(position, position),
            seconds=seconds,
            cancel=Cancellation(),
        )
        return ExistingNames(facts, snapshot, position, lead)

    return make


SHELF = "import shelf\n"


def test_behind_a_dot_stand_the_members_of_what_is_before_it(rules):
    names = rules(SHELF + "shelf.¦\n").names("")
    assert names.typed == ""
    assert {"post", "read", "Frame"} <= names.names
    assert "pots" not in names.names


def test_a_name_that_the_user_has_begun_is_written_anew(rules):
    found = rules(SHELF + "shelf.po¦\n", "po")
    assert found.names("").typed == ""
    assert found.names("po").typed == "po"
    assert found.names("post(") is None
    assert found.allows("post(")
    assert not found.allows("pop(")


def test_a_whole_name_of_the_users_is_not_judged(rules):
    found = rules(SHELF + "shelf.nothing¦\n")
    assert found.names("") is None
    assert found.allows("(1)")
    assert rules(SHELF + "shelf.nothing¦\n", "nothing").allows("nothing(1)")


def test_tokens_may_reach_over_the_end_of_a_name(rules):
    found = rules(SHELF + "x = ¦\n")
    assert found.names("") is None
    assert found.allows("shelf.post(")
    assert found.allows("shelf.po")
    assert not found.allows("shelf.pots(")
    assert found.withheld["pots"].endswith("has no pots")


def test_keyword_arguments_are_those_of_the_call(rules):
    found = rules(SHELF + 'shelf.post("u", ¦)\n')
    assert found.allows("timeout=")
    assert found.allows("jsn")
    assert not found.allows("jsn=")
    assert rules(SHELF + "shelf.anything(1, 2, ¦)\n").allows("whatever=")


def test_imports_are_those_that_can_be_resolved(rules):
    found = rules("from shelf import ¦\n")
    assert "post" in found.names("").names
    assert found.allows("post, Fra")
    assert not found.allows("post, Fram,")
    assert not rules("import ¦\n").allows("reqests\n")


def test_where_any_name_may_stand_only_invented_calls_are_refused(rules):
    found = rules(SHELF + "shelf.Frame().¦\nother.area()\n")
    assert found.names("") is None
    assert found.allows("price")
    assert found.allows("groupby(")
    assert found.allows("area(")  # it stands elsewhere in the document
    assert not found.allows("group_by(")


@pytest.mark.parametrize(
    "text", ["def f(x):\n    x.¦\n", "undefined.¦\n", "'text with shelf.¦'\n", "# shelf.¦\n"]
)
def test_where_nothing_is_known_anything_may_be_written(rules, text):
    found = rules(text)
    assert found.names("") is None
    assert found.allows("whatever(")


def test_names_of_the_unsaved_document_count(rules):
    text = "class Shop:\n    def price(self): ...\n\nShop().¦\n"
    assert "price" in rules(text).names("").names


def test_without_time_or_checker_nothing_is_refused(rules):
    for found in (
        rules(SHELF + "shelf.¦\n", seconds=0.0),
        rules(SHELF + "shelf.¦\n", asked=OracleService()),
    ):
        assert found.names("") is None
        assert found.allows("pots(")


class Silent(OracleService):
    """A checker that never answers."""

    def __init__(self):
        super().__init__()
        self.asked = 0

    def answers_for(self, language):
        return True

    def submit(self, language, question):
        self.asked += 1
        return Future()


def test_time_is_limited_for_all_questions_together(rules):
    silent = Silent()
    found = rules("import os\nx = ¦\n", seconds=0.2, asked=silent)
    assert all(found.allows(f"os.name{number}(") for number in range(100))
    assert 1 <= silent.asked < 20


def test_alternatives_may_be_read_in_any_order(rules):
    found = rules(SHELF + "x = ¦\n")
    assert found.names("shelf.") is not None
    assert found.names("other") is None
    assert found.names("shelf.po").typed == "po"
    assert not found.allows("shelf.pots(")


def test_the_memory_answers_the_same_question_without_the_checker(service):
    text = "import shelf\nshelf."
    snapshot = Document("file:///main.py", language_for("python", None), text).snapshot()
    at = Position(1, 6)
    memory = Memory()

    def facts(seconds, revision=ALONE):
        return Facts(
            service,
            memory,
            snapshot,
            Range(at, at),
            seconds=seconds,
            cancel=Cancellation(),
            revision=revision,
        )

    known = facts(PATIENCE).members("shelf.", 6)
    assert known
    assert facts(0.0).members("shelf.", 6) is known
    assert facts(0.0).members("shelf.po", 6) is known
    assert not facts(0.0).members("shelf2.po", 7)
    another = ProjectRevision(files=1)
    assert not facts(0.0, another).members("shelf.", 6)
    assert facts(0.0).members("shelf.", 6) is known


def test_facts_say_when_there_was_no_time_for_an_answer(service):
    snapshot = Document("file:///main.py", language_for("python", None), "import shelf\nshelf.")
    at = Position(1, 6)

    def facts(seconds):
        return Facts(
            service,
            Memory(),
            snapshot.snapshot(),
            Range(at, at),
            seconds=seconds,
            cancel=Cancellation(),
        )

    hurried, patient = facts(0.0), facts(PATIENCE)
    assert not hurried.members("shelf.", 6)
    assert hurried.late
    assert not patient.signature("shelf.", 6)  # there is no call, whoever waits
    assert not patient.late


def test_in_an_open_bracket_stand_the_members_of_the_receiver(rules):
    text = SHELF + "class Shop:\n    def a(self, name: str):\n        x = print(1, name.¦\n\n"
    names = rules(text + "    def b(self): ...\n").names("").names
    assert "replace" in names
    assert "b" not in names


def test_what_may_stand_at_the_cursor_is_asked_ahead(rules):
    found = rules(SHELF + "shelf.¦\n")
    found.anticipate()
    assert "post" in found.names("").names
    rules("x = ¦\n").anticipate()


def test_a_closed_service_knows_nothing(tmp_path: Path):
    service = OracleService()
    service.configure(OracleSettings(), [tmp_path])
    assert service.answers_for("python")
    assert not service.answers_for("go")
    service.close(10)
    assert not service.answers_for("python")
    service.tell("python", lambda oracle: oracle.open("file:///a.py", ""))
    service.configure(OracleSettings(), [tmp_path])
    service.close(10)
