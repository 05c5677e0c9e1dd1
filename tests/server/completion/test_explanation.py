"""The page that explains an answer."""

from surefill.completion.explanation import Made, explain
from surefill.completion.suggestion import (
    ApiUse,
    CompletionResult,
    ContextSummary,
    Evidence,
    Suggestion,
    Timings,
    Verdict,
    Withheld,
)
from surefill.syntax.position import Position, Range

MADE = Made("nano 2", "cpu", "python")
AT = Range(Position(0, 0), Position(0, 0))


def suggestion(text="f(1)", uses=(), **verdicts):
    given = {"parses": Verdict("passed", "no syntax error"), **verdicts}
    return Suggestion(text, AT, given, -0.1, Evidence("ty 1", tuple(uses)))


def use(kind, name, owner="", *, offset=0, known=True, package="", version=""):
    return ApiUse(kind, name, owner, offset, known, package, version)


def test_each_verdict_has_a_row_with_its_reason():
    page = explain(
        CompletionResult((suggestion(types=Verdict("unchecked", "it took too long")),)), MADE
    )
    assert "| Parses | ✓ passed | no syntax error |" in page
    assert "| Brings no type error | – not checked | it took too long |" in page
    assert "probability of 90%" in page


def test_a_method_has_one_row_with_where_it_was_found():
    uses = [
        use("member", "get", "requests", offset=4),
        use("call", "get", "requests", offset=4, package="requests", version="2"),
        use("keyword", "timeout", "requests.get", offset=20),
        use("member", "who", "x", offset=30, known=False),
        use("call", "len", offset=40, package="python", version="3.11"),
    ]
    page = explain(CompletionResult((suggestion(uses=uses),)), MADE)
    assert page.count("requests.get") == 1
    assert "| `requests.get` | member | requests 2 |" in page
    assert "| `timeout` | argument | it exists |" in page
    assert "| `x.who` | member | could not be looked up |" in page
    assert "| `len` | function | python 3.11 |" in page


def test_what_was_withheld_is_told_with_the_reason():
    result = CompletionResult(reason="no", withheld=(Withheld("a\nb", "it has no b"),))
    page = explain(result, MADE)
    assert page.startswith("# Why no suggestion\n\nNo.")
    assert "- `a ⏎ b`: it has no b" in page


def test_text_cannot_break_out_of_its_place():
    text = "x = '''```\n# Heading | <b>'''"
    result = CompletionResult(
        (suggestion(text, parses=Verdict("failed", "a | b\n# c <i>")),),
        withheld=(Withheld("`a` | b", "why | not"),),
    )
    page = explain(result, MADE)
    assert f"````python\n{text}\n````" in page
    assert "| Parses | ✗ failed | a \\| b # c \\<i> |" in page
    assert "- `` `a` \\| b ``: why \\| not" in page


def test_what_it_was_made_from():
    context = ContextSummary(120, 100, 300, 50, counted=True)
    page = explain(
        CompletionResult((suggestion(),), Timings(30, 1, 2, 20, 7, 9), context=context), MADE
    )
    assert "nano 2 on cpu." in page
    assert "300 characters before the cursor and 50 behind it: 120 tokens" in page
    assert "n-grams" in page
    assert "the type checker took 9." in page
    remembered = explain(CompletionResult((suggestion(),), cached=True), MADE)
    assert "The answer was remembered" in remembered
