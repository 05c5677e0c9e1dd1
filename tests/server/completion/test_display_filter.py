"""The chance that a suggestion is right, and where it may be cut."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.completion.display_filter import DisplayFilter, beginning, reached
from surefill.completion.postprocess import Surroundings
from surefill.engine.display import FEATURES, DisplayWeights, weights_of_any_model
from surefill.engine.interface import Candidate
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position

EVEN = DisplayWeights(0.0, {})
ANY_MODEL = weights_of_any_model()


def around(marked, name="python"):
    before, after = marked.split("|", 1)
    lines = before.split("\n")
    snapshot = Document("file:///a", language_for(name, None), before + after).snapshot()
    cursor = Cursor.at(snapshot, Position(len(lines) - 1, len(lines[-1])))
    return Surroundings.of(snapshot, cursor)


def candidate(*tokens, logprobs=None, runners_up=(), reason="stop", end=0.0):
    """A candidate of these tokens, each a quarter as likely as not unless it is said."""
    text = "".join(tokens)
    reach = tuple(len("".join(tokens[:count])) for count in range(1, len(tokens) + 1))
    logprobs = logprobs or (math.log(0.8),) * len(tokens)
    ids = tuple(range(len(tokens)))
    return Candidate(text, ids, tuple(logprobs), reason, 1, end, tuple(runners_up), reach)


def features(marked, found, text=None, **options):
    made = DisplayFilter(EVEN, around(marked))
    return made.features(found, found.text if text is None else text, types_passed=False, **options)


def test_probabilities_count_up_to_the_cut():
    found = candidate("to", "tal", " +", " x", logprobs=(-0.5, -0.1, -2.0, -1.0))
    whole = features("y = |\n", found)
    assert whole["total"] == pytest.approx(-3.6)
    assert whole["mean"] == pytest.approx(-0.9)
    assert (whole["least"], whole["first"]) == (-2.0, -0.5)
    cut = features("y = |\n", found, "total")
    assert cut["total"] == pytest.approx(-0.6)
    assert cut["least"] == -0.5
    assert cut["surety"] == pytest.approx(-math.log(1 - math.exp(-0.6)))
    assert (whole["whole"], whole["line_end"], cut["whole"], cut["line_end"]) == (1, 1, 0, 0)
    assert cut["characters"] < whole["characters"]


def test_margins_are_those_over_the_second_best():
    found = candidate("a", "b", logprobs=(-0.5, -0.2), runners_up=(-1.5, -3.2))
    assert features("y = |\n", found)["first_margin"] == pytest.approx(1.0)
    assert features("y = |\n", found)["least_margin"] == pytest.approx(1.0)
    # Where it is not known, the second best may have all that is left.
    unknown = candidate("a", "b", logprobs=(math.log(0.75), math.log(0.9)))
    assert features("y = |\n", unknown)["least_margin"] == pytest.approx(math.log(3))
    alone = candidate("a", logprobs=(-0.5,), runners_up=(-math.inf,))
    assert math.isfinite(features("y = |\n", alone)["first_margin"])


def test_a_text_that_was_fitted_to_its_place_has_the_same_tokens():
    found = candidate("if x:", "\n", "  return", " 1", "\n\n", "y", logprobs=(-0.1,) * 6)
    fitted = features("def f():\n    |\n", found, "if x:\n        return 1")
    assert fitted["total"] == pytest.approx(-0.4)
    assert fitted["line_end"] == 1.0
    assert reached(found) == [4, 4, 10, 11, 11, 12]


def test_what_stands_before_the_cursor_already_is_not_the_first_token():
    healed = Candidate("tal", (1, 2), (-3.0, -0.5), "stop", reach=(0, 3))
    assert features("x = to|\n", healed)["first"] == -0.5


@pytest.mark.parametrize(
    ("marked", "names"),
    [
        ("x = |\n\ny = 1\n", {"after_assign"}),
        ("x == |\n\ny = 1\n", set()),
        ("x.ap|\n\ny = 1\n", {"after_dot"}),
        ("f(a, |)\n\ny = 1\n", {"in_brackets"}),
        ("def f():\n    |\n\ny = 1\n", {"blank_line", "begins_block"}),
        ("# Add.\n|\n\ny = 1\n", {"blank_line", "described"}),
        ("x = '|'\n\ny = 1\n", {"in_text"}),
        ("f(a)|\n\ny = 1\n", {"complete"}),
        ("x = | + 1\n\ny = 1\n", {"after_assign", "code_after"}),
        ("x = |", {"after_assign", "nothing_below"}),
    ],
)
def test_kinds_of_places(marked, names):
    kinds = {
        "after_assign", "after_dot", "in_brackets", "blank_line", "begins_block", "described",
        "in_text", "complete", "code_after", "nothing_below",
    }  # fmt: skip
    found = features(marked, candidate("a"))
    assert {name for name in kinds if found[name]} == names
    assert set(found) == set(FEATURES)


def test_lines_and_definitions_that_stand_near_already():
    document = "def load(path):\n    return open(path).read()\n\n\n|\n"
    again = features(document, candidate("def load(name):", "\n    return open(path).read()"))
    assert (again["echo_first"], again["echo_share"], again["echo_definition"]) == (0.0, 0.5, 1.0)
    fresh = features(document, candidate("def save(path):", "\n    pass"))
    assert (fresh["echo_share"], fresh["echo_definition"]) == (0.0, 0.0)
    line = features("total = 0\ntot|\n", candidate("al = 0"))
    assert line["echo_first"] == 1.0
    assert features("f(\n)\n|\n", candidate(")"))["echo_share"] == 0.0  # brackets say nothing


def test_cuts_are_whole_words_with_their_brackets_closed():
    made = DisplayFilter(EVEN, around("x = |\n"))
    found = candidate("to", "tal", "(", "a", ")", " +", " f", "oo", "[", "1", "]")
    assert made.cuts(found, found.text) == ["total(a) + foo", "total(a) +", "total(a)", "total"]
    lines = candidate("\n", "y", " =", " total", "\n", "z")
    assert made.cuts(lines, lines.text) == []
    assert made.cuts(candidate("a", ".b"), "a.b") == []  # next to nothing


def test_how_a_text_begins():
    found = candidate("t", "ot", "al", " + 1")
    assert beginning(found, found.text) == "tot"
    assert beginning(candidate("a"), "a") == "a"
    assert beginning(candidate("  a b", "c"), "a bc") == "a bc"


LOGPROBS = st.lists(st.floats(-12, 0), min_size=4, max_size=4)


@settings(max_examples=100, deadline=None)
@given(LOGPROBS, st.integers(0, 3), st.floats(0, 12), st.sampled_from(["python", "go", "html"]))
def test_a_likelier_token_never_makes_a_text_less_likely_to_be_right(values, which, more, name):
    tokens = ("to", "tal", " +", " x")
    made = DisplayFilter(ANY_MODEL, around("x = |\n", name))
    better = list(values)
    better[which] = min(0.0, better[which] + more)

    def chance(logprobs):
        found = candidate(*tokens, logprobs=logprobs, runners_up=(-4.0,) * 4)
        return made.chance(found, found.text, types_passed=False)

    assert 0.0 <= chance(values) <= chance(better) + 1e-12 <= 1.0 + 1e-12


def test_the_check_can_only_help():
    made = DisplayFilter(ANY_MODEL, around("x = |\n"))
    found = candidate("total")
    best = made.at_best(found, found.text)
    for passed in (True, False):
        assert made.chance(found, found.text, types_passed=passed) <= best
