"""One request from start to end, with an engine that says what the test wants."""

import threading
import time
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import FakeEngine
from surefill.budget import NEVER, Deadline
from surefill.checks.syntax import check_syntax
from surefill.completion import judging as module
from surefill.completion.display_filter import DisplayFilter
from surefill.completion.pipeline import CompletionPipeline
from surefill.completion.suggestion import CompletionRequest
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.display import DisplayWeights
from surefill.engine.interface import Cancellation, Reading
from surefill.errors import EngineError
from surefill.settings import Settings
from surefill.syntax.document import Document
from surefill.syntax.languages import LANGUAGES, language_for
from surefill.syntax.position import Position, Range


class CharacterTokenizer:
    def encode(self, text):
        return [ord(character) for character in text]

    def decode(self, ids):
        return "".join(map(chr, ids))

    def special(self, token):
        return 0x110000 + list(TEMPLATES["qwen2.5-coder"].special_tokens()).index(token)


SURE = DisplayWeights(10.0, {})
"""A filter that lets everything pass."""


def pipeline(raw=None, languages=(), weights=SURE):
    settings, problems = Settings.parse(raw)
    assert problems == []
    template = TEMPLATES["qwen2.5-coder"]
    context = ContextBuilder(CharacterTokenizer(), template, "spm", 1024)
    display = partial(DisplayFilter, weights)
    return CompletionPipeline(context, settings, languages=languages, display=display)


def request(marked, name="python", uri="file:///a", **options):
    before, after = marked.split("|", 1)
    lines = before.split("\n")
    snapshot = Document(uri, language_for(name, None), before + after).snapshot()
    return CompletionRequest(snapshot, Position(len(lines) - 1, len(lines[-1])), **options)


def complete(
    marked,
    *answers,
    raw=None,
    name="python",
    logprob=-0.1,
    cancel=None,
    weights=SURE,
    **options,
):
    engine = FakeEngine(answers, logprob=logprob)
    result = pipeline(raw, weights=weights).complete(
        request(marked, name, **options), engine, cancel or Cancellation()
    )
    return result, engine


def texts(result):
    return [suggestion.text for suggestion in result.suggestions]


def test_a_suggestion_with_its_verdicts_and_timings():
    result, engine = complete("def f(a):\n    return |\n\nf(1)\n", "a + 1\n")
    (suggestion,) = result.suggestions
    assert suggestion.text == "a + 1"
    assert suggestion.range == Range(Position(1, 11), Position(1, 11))
    assert {name: v.outcome for name, v in suggestion.verdicts.items()} == {
        "parses": "passed",
        "types": "unchecked",
        "apis": "unchecked",
        "executed": "unchecked",
    }
    assert all(verdict.reason for verdict in suggestion.verdicts.values())
    assert suggestion.mean_logprob == pytest.approx(-0.1)
    assert (result.timings.prefill, result.timings.decode) == (1.0, 2.0)
    assert result.timings.total >= result.timings.context + result.timings.checks > 0
    assert engine.calls[0].prompt.prefix == "def f(a):\n    return "
    assert engine.calls[0].prompt.suffix == "\n\nf(1)\n"
    assert not result.cached
    assert result.reason == ""


def test_alternatives_are_distinct_and_the_bad_ones_left_out():
    answers = ("a + 1", "a + )", "a + 1", "a * 2")
    result, engine = complete("def f(a):\n    return |\n", answers, n=4)
    assert texts(result) == ["a + 1", "a * 2"]
    assert engine.calls[0].n == 4


def test_a_block_is_cut_at_the_last_line_that_parses():
    result, _ = complete("def f():\n    |\n", "x = 1\n    y = 2\n    z = = 3\n    return\n")
    assert texts(result) == ["x = 1\n    y = 2"]
    assert result.suggestions[0].verdicts["parses"].outcome == "passed"


def test_what_never_parses_is_not_shown_and_the_reason_is_told():
    result, _ = complete("x = |\n", "= = )")
    assert result.suggestions == ()
    assert result.reason == "it would not parse: syntax error near line 1"


@pytest.mark.parametrize(
    ("marked", "answer", "shown"),
    [
        ("def f(a):\n    if |\n        return 1\n", "a.name\n", "a.name:"),
        ("def f(a):\n    |\n", "for x in a", "for x in a:"),
        ("def f(a):\n    |\n", "if a: return {1: 2}\n", "if a: return {1: 2}"),
        ("def f(a):\n    |\n", "match = a[1:2]\n", "match = a[1:2]"),
        ("x = [\n    a\n    |\n]\n", "for a in range(3)\n", "for a in range(3)"),
        ("def f(a):\n    return |\n", "a\n", "a"),
        ("match a:\n    case |\n        b = 1\n", "a.B\n", "a.B:"),
    ],
)
def test_a_header_whose_line_is_over_gets_its_colon(marked, answer, shown):
    result, _ = complete(marked, answer)
    assert texts(result) == [shown]


@pytest.mark.parametrize(
    ("marked", "answer", "shown"),
    [
        ("def f(\n    a: |\n    b: int,\n):\n    ...\n", "int = 1,\n", []),
        ("def f(\n    a: |\n    *,\n    b: int,\n):\n    ...\n", "int = 1,\n", ["int = 1,"]),
        ("def f(\n    a: |\n    *b: int,\n):\n    ...\n", "int = 1,\n", ["int = 1,"]),
        ("def f(\n    a: |\n    b: int = 2,\n):\n    ...\n", "int = 1,\n", ["int = 1,"]),
        ("def f():\n    |\n        x = 1\n", "y = g()\n", []),
        ("def f():\n    |\n        x = 1\n", "# later\n", []),
        ("def f():\n    '''About\n    |\n        more\n    '''\n", "it\n", ["it"]),
        ("x = g(\n    |\n        1,\n)\n", "y,\n", ["y,"]),
    ],
)
def test_what_stands_below_has_to_be_right_behind_it(marked, answer, shown):
    result, _ = complete(marked, answer)
    assert texts(result) == shown


def test_a_member_s_name_by_itself_needs_a_checker_that_can_say_it_exists():
    result, _ = complete("f(a.|)(\n", "b ]")
    assert texts(result) == []


def test_a_block_that_was_cut_by_its_length_ends_with_a_whole_line():
    raw = {"completion": {"maxNewTokens": 20}}
    result, _ = complete("def f():\n    |\n", "x = 1\n    yy = 22 + 33 + 44", raw=raw)
    assert texts(result) == ["x = 1"]


def test_the_last_line_before_a_loop_is_whole_even_if_the_loop_was_cut_by_its_length():
    once = "y = r * r\n    z = pi * y\n    return z"
    raw = {"completion": {"maxNewTokens": 2 * len(once)}}
    result, _ = complete("def area(r):\n    |\n", "\n    ".join([once] * 3), raw=raw)
    assert texts(result) == [once]


@pytest.mark.parametrize(
    "answer",
    [
        "y = 2\n    total = x * y\n    return tot",  # cut by its length
        "y = 2\n    total = x * y\n    return total\n    z = = 1\n",  # cut where it is wrong
    ],
)
def test_what_a_shortened_text_repeats_of_the_lines_below_goes_too(answer):
    marked = "def f(x):\n    |\n    total = x * y\n    return total\n"
    result, _ = complete(marked, answer, raw={"completion": {"maxNewTokens": len(answer)}})
    assert texts(result) == ["y = 2"]


def test_python_that_is_indented_wrongly_does_not_pass():
    result, _ = complete("def f(x):\n    |\n", "if x:\n    return 1\n    return 2")
    assert result.suggestions == ()
    assert result.reason == "it would not parse: an indented block is missing"


@pytest.mark.parametrize(
    ("marked", "options", "raw", "reason"),
    [
        ("fo|o", {}, None, "the cursor is inside a word"),
        ("x = |", {}, {"enabled": False}, "suggestions are turned off"),
        (
            "x = |",
            {},
            {"disabledLanguages": ["python"]},
            "suggestions are turned off for this language",
        ),
    ],
)
def test_where_nothing_is_suggested_the_model_is_not_asked(marked, options, raw, reason):
    result, engine = complete(marked, "1", raw=raw, **options)
    assert result.suggestions == ()
    assert result.reason == reason
    assert engine.calls == []


ITS_OWN = DisplayWeights(0.0, {"total": 1.0, "surety": 1.0})
"""The chance is the probability that the model gives all tokens together."""
HALF = {"completion": {"minConfidence": 0.5}}


def test_a_model_that_is_not_sure_is_silent_unless_it_is_asked():
    result, _ = complete("x = |\n", "1", raw=HALF, weights=ITS_OWN, logprob=-0.7)
    assert (texts(result), result.reason) == ([], "the model is not sure enough")
    assert [each.text for each in result.withheld] == ["1"]
    result, _ = complete("x = |\n", "1", raw=HALF, weights=ITS_OWN, logprob=-0.6)
    assert texts(result) == ["1"]
    assert result.suggestions[0].chance == pytest.approx(0.549, abs=1e-3)
    result, _ = complete("x = |\n", "1", raw=HALF, weights=ITS_OWN, logprob=-0.7, explicit=True)
    assert texts(result) == ["1"]


@pytest.mark.parametrize(
    ("logprob", "shown"),
    [
        (-0.01, "y = total\n    z = y - 1\n    return z"),  # 0.78
        (-0.02, "y = total\n    z = y - 1"),  # 0.55, all of it 0.57
        (-0.05, "y = total"),
        (-0.15, ""),
    ],
)
def test_a_text_is_cut_where_the_chance_falls(logprob, shown):
    answer = "y = total\n    z = y - 1\n    return z"
    result, _ = complete("def f():\n    |\n", answer, raw=HALF, weights=ITS_OWN, logprob=logprob)
    assert texts(result) == ([shown] if shown else [])


def test_what_is_cut_within_a_line_is_whole_words_and_parses():
    marked, answer = "def f(a):\n    return |\n", "total + price * (rate - 1)"
    result, _ = complete(marked, answer, raw=HALF, weights=ITS_OWN, logprob=-0.04)
    assert texts(result) == ["total + price"]  # the bracket must be closed, and so must the sum
    result, _ = complete(marked, answer, raw=HALF, weights=ITS_OWN, logprob=-0.13)
    assert texts(result) == ["total"]
    result, _ = complete(marked, answer, raw=HALF, weights=ITS_OWN, logprob=-0.2)
    assert texts(result) == ["total"]  # it begins right with 0.55, and this is the shortest
    assert result.suggestions[0].begins > 0.5 > result.suggestions[0].chance
    result, engine = complete(marked, answer, raw=HALF, weights=ITS_OWN, logprob=-0.3)
    assert (texts(result), len(engine.calls)) == ([], 1)  # not sure is not wrong: no other try
    result, _ = complete(marked, answer, raw=HALF, weights=ITS_OWN, logprob=-0.3, explicit=True)
    assert texts(result) == [answer]


def test_what_begins_right_is_shown_whole_where_no_part_of_it_can_stand_alone():
    result, _ = complete("x = |\n", "[total]", raw=HALF, weights=ITS_OWN, logprob=-0.2)
    assert texts(result) == ["[total]"]
    assert result.suggestions[0].chance == pytest.approx(0.247, abs=1e-3)


def test_alternatives_come_in_the_order_of_their_chances():
    answers = ("first + second", "third", "sixth + x")
    result, _ = complete("x = |\n", answers, n=3, explicit=True, weights=ITS_OWN)
    assert texts(result) == ["third", "sixth + x", "first + second"]


def test_a_filter_that_is_turned_off_hides_and_cuts_nothing():
    answer = "total + price * (rate - 1)"
    off = {"completion": {"minConfidence": 0}}
    result, _ = complete("x = |\n", answer, raw=off, weights=ITS_OWN, logprob=-9.0)
    assert texts(result) == [answer]


def test_an_engine_without_probabilities_is_believed():
    class Silent(FakeEngine):
        def _candidate(self, *arguments):
            return replace(super()._candidate(*arguments), token_ids=(), logprobs=())

    made = pipeline(HALF, weights=ITS_OWN)
    result = made.complete(request("x = |\n"), Silent(["total"]), Cancellation())
    assert texts(result) == ["total"]


def test_without_a_grammar_the_suggestion_is_marked_unchecked():
    document = Document("file:///a.unknown", None, "some text").snapshot()
    asked = CompletionRequest(document, Position(0, 9))
    result = pipeline().complete(asked, FakeEngine([" and more"]), Cancellation())
    assert texts(result) == [" and more"]
    assert result.suggestions[0].verdicts["parses"].outcome == "unchecked"


def test_type_through_needs_no_model():
    used, engine = pipeline(), FakeEngine(["foo(a, b)"])
    used.complete(request("x = |\n"), engine, Cancellation())
    for marked, expected in [
        ("x = |\n", "foo(a, b)"),
        ("x = fo|\n", "o(a, b)"),
        ("x = foo(|)\n", "a, b"),
    ]:
        result = used.lookup(request(marked))
        assert result.cached
        assert texts(result) == [expected]
        assert result.suggestions[0].verdicts["parses"].outcome == "passed"
    assert used.lookup(request("x = fa|\n")) is None
    assert used.lookup(request("x = fo|\ny\n")) is None
    assert used.complete(request("x = f|\n"), engine, Cancellation()).cached
    assert len(engine.calls) == 1
    used.forget("file:///a")
    assert used.lookup(request("x = fo|\n")) is None


def test_that_there_is_nothing_is_remembered_too():
    used, engine = pipeline(), FakeEngine(["= = )"])
    first = used.complete(request("x = |\n"), engine, Cancellation())
    again = used.lookup(request("x = |\n"))
    assert again.suggestions == ()
    assert again.reason == first.reason


def test_a_cancelled_request_ends_empty_and_leaves_nothing_behind():
    used, cancel = pipeline(), Cancellation()
    engine = FakeEngine(["foo()"], gate=threading.Event())
    results = []
    thread = threading.Thread(
        target=lambda: results.append(used.complete(request("x = |\n"), engine, cancel))
    )
    thread.start()
    assert engine.started.wait(5)
    cancel.cancel()
    thread.join(5)
    assert results[0].suggestions == ()
    assert results[0].reason == "cancelled"
    assert used.lookup(request("x = |\n")) is None


def test_a_request_that_was_cancelled_before_it_began_asks_nothing():
    cancel = Cancellation()
    cancel.cancel()
    result, engine = complete("x = |\n", "1", cancel=cancel)
    assert (result.suggestions, engine.calls) == ((), [])


class SlowEngine(FakeEngine):
    """Writes until the deadline, as a real model does."""

    def _candidate(self, text, limit, stop, cancel):
        candidate = super()._candidate(text, limit, stop, None)
        while not cancel.expired:
            time.sleep(0.001)
        return type(candidate)(candidate.text, candidate.token_ids, candidate.logprobs, "deadline")


def test_at_the_deadline_the_best_checked_part_is_shown_and_not_remembered():
    used = pipeline()
    asked = request("def f():\n    |\n", deadline_ms=300)
    result = used.complete(asked, SlowEngine(["x = 1\n    y = fo"]), Cancellation())
    assert texts(result) == ["x = 1"]
    assert used.lookup(asked) is None


def test_the_time_spent_waiting_counts():
    cancel = Cancellation(Deadline.after(-1))
    result, engine = complete("x = |\n", "1", cancel=cancel)
    assert (result.suggestions, result.reason, engine.calls) == ((), "too late", [])


class KeepsSignal(FakeEngine):
    """Keeps the stop signal that it was asked with."""

    def generate(self, prompt, *, cancel=None, **options):
        self.cancel = cancel
        return super().generate(prompt, cancel=cancel, **options)


@pytest.mark.parametrize("callers", [NEVER, Deadline.after(3600)])
def test_the_engine_is_left_some_time_less_than_the_deadline(callers):
    engine, cancel, asked = KeepsSignal(["1"]), Cancellation(callers), request("x = |\n")
    before = Deadline.after(9.8)
    pipeline().complete(replace(asked, deadline_ms=10_000), engine, cancel)
    assert before < engine.cancel.deadline < Deadline.after(9.95)
    assert cancel.deadline is callers
    cancel.cancel()
    assert engine.cancel.cancelled


def test_an_engine_that_fails_is_reported():
    with pytest.raises(EngineError):
        complete("x = |\n", EngineError("out of memory"))


def menu(marked, selected, start, **options):
    asked = request(marked)
    span = Range(Position(asked.position.line, start), asked.position)
    return CompletionRequest(
        asked.snapshot, asked.position, selected_text=selected, selected_range=span, **options
    )


def test_a_suggestion_extends_the_text_selected_in_the_menu():
    engine = FakeEngine(["(a)"])
    asked = menu("x = foo.ba|\n", "bar", 8)
    result = pipeline().complete(asked, engine, Cancellation())
    assert engine.calls[0].prompt.prefix == "x = foo.bar"
    assert texts(result) == ["bar(a)"]
    assert result.suggestions[0].range == Range(Position(0, 8), Position(0, 10))
    assert result.suggestions[0].verdicts["parses"].outcome == "passed"


def test_the_menus_text_may_replace_what_was_typed():
    engine = FakeEngine(["(a)"])
    result = pipeline().complete(menu("x = foo.BA|\n", "bar", 8), engine, Cancellation())
    assert engine.calls[0].prompt.prefix == "x = foo.bar"
    assert texts(result) == ["bar(a)"]


def test_the_menu_and_plain_typing_share_answers():
    used, engine = pipeline(), FakeEngine(["bar(a)"])
    used.complete(request("x = foo.|\n"), engine, Cancellation())
    result = used.lookup(menu("x = foo.b|\n", "bar", 8))
    assert texts(result) == ["bar(a)"]
    assert result.suggestions[0].range == Range(Position(0, 8), Position(0, 9))
    assert used.lookup(menu("x = foo.b|\n", "baz", 8)) is None
    engine.answers.append("(q)")
    used.complete(menu("x = foo.b|\n", "baz", 8), engine, Cancellation())
    assert texts(used.lookup(request("x = foo.ba|\n"))) == ["z(q)"]


def test_that_there_is_nothing_says_nothing_of_the_menus_text():
    engine = FakeEngine(["= = )", "= = )", "foobar"])
    made = pipeline()
    assert made.complete(request("x = |"), engine, Cancellation()).suggestions == ()
    asked = len(engine.calls)
    chosen = request("x = |", selected_text="foo")
    assert made.lookup(chosen) is None
    assert made.complete(chosen, engine, Cancellation()).suggestions
    assert len(engine.calls) == asked + 1


def test_a_request_that_is_cancelled_while_it_is_checked_ends_empty(monkeypatch):
    cancel, made = Cancellation(), pipeline()

    def check(*arguments):
        cancel.cancel()
        return check_syntax(*arguments)

    monkeypatch.setattr(module, "check_syntax", check)
    engine = FakeEngine(["1"])
    result = made.complete(request("x = |"), engine, cancel)
    assert (result.suggestions, result.reason) == ((), "cancelled")
    assert made.lookup(request("x = |")) is None


def test_an_explicit_request_gets_a_block():
    answer = "x = 1\ny = 2\n"
    assert texts(complete("|\n", answer)[0]) == ["x = 1"]
    assert texts(complete("|\n", answer, explicit=True)[0]) == ["x = 1\ny = 2"]


def test_special_tokens_never_appear():
    assert texts(complete("x = |\n", "1<|fim_middle|>2")[0]) == ["1"]


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet="()[]{}\"'`#/\\ \n\r\t:;ab=é😀\0\ud800\u2028", max_size=60),
    answer=st.text(alphabet="()[]{}\"'`#/\\ \n\r\t:;ab=é😀\0\ufffd<|>", max_size=40),
    line=st.integers(-1, 8),
    character=st.integers(-1, 30),
    language=st.sampled_from([None, *LANGUAGES]),
    explicit=st.booleans(),
)
def test_no_content_makes_it_fail(text, answer, line, character, language, explicit):
    snapshot = Document("file:///a", language, text).snapshot()
    asked = CompletionRequest(snapshot, Position(line, character), explicit)
    result = pipeline().complete(asked, FakeEngine([answer]), Cancellation())
    for suggestion in result.suggestions:
        assert suggestion.text.strip()
        assert suggestion.verdicts["parses"].outcome != "failed"
    assert result.suggestions or result.reason


def test_a_refusal_for_lack_of_time_is_not_remembered(monkeypatch):
    def slow(snapshot, span, text):
        time.sleep(0.3)
        return check(snapshot, span, text)

    check = module.check_syntax
    monkeypatch.setattr(module, "check_syntax", slow)
    line = pipeline()
    hurried = request("def f():\n    |\n", deadline_ms=100)
    answer = "x = 1\n    y = = 2\n"
    assert not line.complete(hurried, FakeEngine([answer]), Cancellation()).suggestions
    calm = request("def f():\n    |\n", deadline_ms=60_000)
    assert line.lookup(calm) is None
    assert texts(line.complete(calm, FakeEngine([answer]), Cancellation())) == ["x = 1"]


@pytest.mark.parametrize(
    ("marked", "answer", "shown"),
    [
        ("def f():\n  |\n", "return 1\n", "return 1"),
        ("def f():\n\t|\n", "if x:\n\t\treturn 1\n", "if x:\n\t\treturn 1"),
        ("def f():\n    a()\n    b()\ndef g():\n  |\n", "return 1\n", "return 1"),
    ],
)
def test_the_indentation_that_the_editor_has_put_there_counts(marked, answer, shown):
    result, _ = complete(marked, answer)
    assert texts(result) == [shown]


@pytest.mark.parametrize(
    ("disabled", "editor_says", "name", "speaks"),
    [
        ("markdown", "markdown", None, False),
        ("markdown", "python", "python", True),
        ("bash", "shellscript", "bash", False),
        ("shellscript", "shellscript", "bash", False),
        ("javascriptreact", "javascript", "javascript", True),
        ("javascriptreact", "javascriptreact", "javascript", False),
        ("javascript", "javascriptreact", "javascript", False),
    ],
)
def test_languages_are_turned_off_by_the_editor_s_name_or_ours(disabled, editor_says, name, speaks):
    asked = request("x = |\n", name, language_id=editor_says)
    result = pipeline({"disabledLanguages": [disabled]}).lookup(asked)
    assert (result is None) is speaks


UNTRAINED = "the model was not trained for this language"


@pytest.mark.parametrize(
    ("languages", "editor_says", "name", "speaks"),
    [
        (("python", "go"), "go", "go", True),
        (("python", "go"), "", "python", True),
        (("python",), "sql", "sql", False),
        (("python",), "typescript", "typescript", False),
        (("javascript",), "typescript", "typescript", False),
        (("python",), "markdown", None, False),
        (("python",), "", None, False),
        (("Markdown",), "markdown", None, True),
        (("bash",), "shellscript", "bash", True),
        (("shellscript",), "zsh", "bash", True),
        (("javascript",), "javascriptreact", "javascript", True),
        ((), "javascript", "javascript", True),
        ((), "markdown", None, True),
    ],
)
def test_by_itself_a_suggestion_comes_in_the_bundle_s_languages(
    languages, editor_says, name, speaks
):
    engine = FakeEngine(["1"])
    asked = request("x = |", name, language_id=editor_says)
    result = pipeline(languages=languages).complete(asked, engine, Cancellation())
    assert texts(result) == (["1"] if speaks else [])
    assert result.reason == ("" if speaks else UNTRAINED)
    assert len(engine.calls) == speaks


def test_in_another_language_what_was_asked_for_is_answered_and_typed_through():
    used, engine = pipeline(languages=("python",)), FakeEngine(["1 + a"])
    asked = used.complete(request("x = |", "javascript", explicit=True), engine, Cancellation())
    assert texts(asked) == ["1 + a"]
    assert texts(used.lookup(request("x = 1 |", "javascript"))) == ["+ a"]
    assert used.lookup(request("x = 2|", "javascript")).reason == UNTRAINED
    assert used.lookup(request("x = 2|", "javascript", explicit=True)) is None


def test_where_suggestions_are_turned_off_the_bundle_s_languages_do_not_matter():
    used = pipeline({"disabledLanguages": ["sql"]}, languages=("python",))
    for explicit in (False, True):
        result = used.lookup(request("SELECT |", "sql", explicit=explicit))
        assert result.reason == "suggestions are turned off for this language"


def test_of_very_many_lines_that_do_not_parse_the_first_is_still_tried():
    broken = "\n".join(["f(1)", *["    )"] * 40])
    result, _ = complete("x = |", broken, explicit=True)
    assert texts(result) == ["f(1)"]


class ReadingEngine(FakeEngine):
    """Keeps the prompts that it is given to read ahead."""

    def __init__(self, answers=()):
        super().__init__(answers)
        self.read_prompts = []

    def read(self, prompt, cancel):
        self.read_prompts.append(prompt)
        return Reading(len(prompt.ids), len(prompt.ids), complete=True)


def test_the_prompt_that_is_read_ahead_is_the_one_of_the_request():
    engine, served = ReadingEngine(["a + 1\n"]), pipeline()
    asked = request("def f(a):\n    return |\n\ndef g(): ...\n")
    reading = served.read_ahead(asked, engine, Cancellation())
    served.complete(asked, engine, Cancellation())
    assert engine.read_prompts == [engine.calls[0].prompt]
    assert reading.prompt_tokens == len(engine.calls[0].prompt.ids)


@pytest.mark.parametrize("marked", ["x = nam|es\n", "x = |\n"])
def test_nothing_is_read_where_the_model_would_not_be_asked(marked):
    engine, served = ReadingEngine(["a"]), pipeline()
    asked = request(marked)
    served.complete(asked, engine, Cancellation())  # inside a word, or in the cache by now
    assert served.read_ahead(asked, engine, Cancellation()) is None
    off = pipeline({"disabledLanguages": ["python"]})
    assert off.read_ahead(asked, engine, Cancellation()) is None
    assert engine.read_prompts == []


def test_what_follows_a_suggestion_is_known_once_it_is_accepted_or_typed():
    engine, served = FakeEngine(["g(a)\n", "\n    return c\n"]), pipeline()
    asked = request("def f(a):\n    c = |\n")
    (shown,) = served.complete(asked, engine, Cancellation()).suggestions
    assert shown.text == "g(a)"
    served.follow_up(asked, shown, engine, Cancellation())
    assert engine.calls[1].prompt.prefix == "def f(a):\n    c = g(a)"
    found = served.lookup(request("def f(a):\n    c = g(a)|\n"))
    assert texts(found) == ["\n    return c"]
    typed_on = served.lookup(request("def f(a):\n    c = g(a)\n    |\n"))
    assert texts(typed_on) == ["return c"]
    assert texts(served.lookup(asked)) == ["g(a)"], "the first answer is known as before"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_where_a_line_ends_the_next_one_is_known(ending):
    engine, served = FakeEngine(["a.b\n", "\n", "return c\n"]), pipeline()
    asked = request(f"def f(a):{ending}    c = |{ending}")
    (shown,) = served.complete(asked, engine, Cancellation()).suggestions
    served.follow_up(asked, shown, engine, Cancellation())
    assert len(engine.calls) == 3
    ended = served.lookup(request(f"def f(a):{ending}    c = a.b|{ending}"))
    assert texts(ended) == []
    below = served.lookup(request(f"def f(a):{ending}    c = a.b{ending}    |{ending}"))
    assert texts(below) == ["return c"]


def test_nothing_is_made_for_a_next_line_where_the_line_goes_on():
    engine, served = FakeEngine(["a", "", "x"]), pipeline()
    asked = request("c = f(|)\n")
    (shown,) = served.complete(asked, engine, Cancellation()).suggestions
    served.follow_up(asked, shown, engine, Cancellation())
    assert len(engine.calls) == 2


def test_what_follows_the_menu_s_item_is_known_once_that_is_accepted():
    engine, served = FakeEngine(["d(1)\n", "\n    return c\n"]), pipeline()
    asked = request(
        "def f(a):\n    c = a.b|\n",
        selected_text="bd",
        selected_range=Range(Position(1, 10), Position(1, 11)),
    )
    (shown,) = served.complete(asked, engine, Cancellation()).suggestions
    assert shown.text == "bdd(1)"
    served.follow_up(asked, shown, engine, Cancellation())
    assert engine.calls[1].prompt.prefix == "def f(a):\n    c = a.bdd(1)"


def test_a_cancelled_follow_up_leaves_nothing():
    engine, served = FakeEngine(["a.b\n", "\n    return c\n"]), pipeline()
    asked = request("def f(a):\n    c = |\n")
    (shown,) = served.complete(asked, engine, Cancellation()).suggestions
    cancel = Cancellation()
    cancel.cancel()
    served.follow_up(asked, shown, engine, cancel)
    assert served.lookup(request("def f(a):\n    c = a.b|\n")) is None
