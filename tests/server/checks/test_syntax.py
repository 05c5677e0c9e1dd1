"""The syntax verdict is passed, failed or honestly unchecked."""

from surefill.checks.syntax import check_syntax
from surefill.syntax import parsing as module
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range

AT = Range(Position(0, 4), Position(0, 4))


def test_verdicts_carry_their_reason():
    snapshot = Document("file:///a", language_for("python", None), "x = \n").snapshot()
    passed, failed = check_syntax(snapshot, AT, "1"), check_syntax(snapshot, AT, "1)")
    assert (passed.outcome, passed.reason) == ("passed", "no syntax error")
    assert (failed.outcome, failed.reason) == ("failed", "syntax error near line 1")


def test_without_a_grammar_nothing_is_claimed():
    snapshot = Document("file:///a", None, "x = \n").snapshot()
    assert check_syntax(snapshot, AT, ")").outcome == "unchecked"


def test_a_text_beyond_the_parser_is_unchecked(monkeypatch):
    monkeypatch.setattr(module, "MAX_PARSED_BYTES", 2)
    snapshot = Document("file:///a", language_for("python", None), "x = \n").snapshot()
    assert check_syntax(snapshot, AT, "1").outcome == "unchecked"
