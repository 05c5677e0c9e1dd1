"""What the model is asked about candidates, and what its answer changes."""

from surefill.repair.edit import Candidate
from surefill.repair.ranking import ballot, ranked
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range

TEXT = "first = 1\nx = foo(bar(a, 2)\nlast = 3\n"


def inserted(character, prior=0.0, line=1):
    at = Position(line, character)
    return Candidate(Range(at, at), ")", "", prior)


def snapshot():
    return Document("file:///a", language_for("python", None), TEXT).snapshot()


def test_the_model_chooses_between_texts_that_begin_alike():
    choices = ballot(snapshot(), [inserted(13), inserted(17)])
    assert choices.span == Range(Position(1, 12), Position(1, 17))
    assert choices.texts == ("a), 2)", "a, 2))")
    assert choices.chosen == (0, 1)


def test_one_candidate_is_no_choice():
    assert ballot(snapshot(), [inserted(13)]) is None


def test_a_sure_model_turns_the_order_round():
    candidates = [inserted(13, prior=0.0), inserted(17, prior=-1.0)]
    choices = ballot(snapshot(), candidates)
    assert ranked(candidates, choices, [-9.0, -2.0]) == candidates[::-1]
    assert ranked(candidates, choices, [-2.1, -2.0]) == candidates
