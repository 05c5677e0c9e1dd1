"""Calls: which parameters they spell out, and as what text."""

import pytest

from surefill.apis.calls import plain_call, split_arguments, with_namesakes, without, written_call
from surefill.oracle.answers import Parameter, Signature, Signatures
from surefill.syntax.languages import language_for

PYTHON = language_for("python", None)


def signature(*parameters, known=True):
    """From texts such as ``a``, ``b=1``, ``*c``, ``/``; ``*`` begins those by keyword only."""
    found, kind = [], "positional-or-keyword"
    for text in parameters:
        name, _, default = text.partition("=")
        if text == "*":
            kind = "keyword-only"
        elif name.startswith("**"):
            found.append(Parameter(name[2:], "var-keyword"))
        elif name.startswith("*"):
            found.append(Parameter(name[1:], "var-positional"))
            kind = "keyword-only"
        elif name.startswith("/"):
            found.append(Parameter(name[1:], "positional-only", default=default or None))
        else:
            found.append(Parameter(name, kind, default=default or None))
    return Signature(f"({', '.join(parameters)}) -> Thing", tuple(found), known=known)


def signatures(*items):
    return Signatures(items)


def written(text, *parameters):
    return written_call("f", signatures(signature(*parameters)), text, PYTHON)


@pytest.mark.parametrize(
    ("parameters", "marked", "label"),
    [
        ((), "f()", "f()"),
        (("a", "b=1"), "f(${1:a})", "f(a)"),
        (("a", "*", "b", "c=1"), "f(${1:a}, b=${2:b})", "f(a, *, b)"),
        (("/a", "/b"), "f(${1:a}, ${2:b})", "f(a, b)"),
        (("a=1",), "f(${1})", "f()"),
        (("*rest", "**more"), "f(${1})", "f()"),
    ],
)
def test_a_plain_call_has_what_is_required(parameters, marked, label):
    call = plain_call("f", signatures(signature(*parameters)))
    assert call.snippet.marked == marked
    assert call.label == label
    assert all(stop.bare for _, _, stop in call.snippet.stops() if stop.text)


def test_of_overloads_the_one_that_asks_for_least_is_taken():
    several = signatures(signature("a", "*", "b"), signature("c", "d=1"), signature("e"))
    assert plain_call("f", several).snippet.plain == "f(c)"


def test_of_what_is_not_known_only_the_brackets_are_written():
    call = plain_call("f", signatures(signature(known=False)))
    assert call.snippet.marked == "f(${1})"


def test_a_parameter_without_a_name_is_a_value():
    call = plain_call(
        "f", signatures(Signature("(int) -> str", (Parameter("", "positional-only"),)))
    )
    assert call.snippet.marked == "f(${1:value})"


def test_no_name_is_written_twice_or_invented():
    assert written("1, b=2, z=3)", "a", "b=0").snippet.plain == "f(1, b=2)"


@pytest.mark.parametrize(
    ("text", "parameters", "plain"),
    [
        ("x, y)", ("a", "b=1"), "f(x, y)"),
        ("x, y, z)", ("a", "b=1"), "f(x, y)"),
        (")", ("a", "b=1"), "f(a)"),
        ("b=2)", ("a", "b=1"), "f(a, b=2)"),
        ("a=2)", ("a", "b"), "f(a=2, b=b)"),
        ("1, 2, 3)", ("a", "*rest"), "f(1, 2, 3)"),
        ("1, 2)", ("a", "*", "b"), "f(1, b=b)"),
        ("b=2, 1)", ("a", "b"), "f(1, b=2)"),
        ("*more)", ("a",), "f(a)"),
        ("1, k=2)", ("a", "**more"), "f(1)"),
        ("b=1, c=2, d=3, e=4, g=5)", ("b=0", "c=0", "d=0", "e=0", "g=0"), "f(b=1, c=2, d=3, e=4)"),
    ],
)
def test_what_a_model_wrote_goes_to_the_parameters_that_take_it(text, parameters, plain):
    assert written(text, *parameters).snippet.plain == plain


def test_the_overload_that_takes_most_of_it_is_taken():
    several = signatures(
        signature("a"), signature("a", "b=1", "c=2"), signature("a", "b", "c", "d")
    )
    assert written_call("f", several, "1, c=2)", PYTHON).snippet.plain == "f(1, c=2)"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a, b)", ["a", "b"]),
        ("a, g(b, c), [d, e]) + 1, f", ["a", "g(b, c)", "[d, e]"]),
        ('", )", x)', ['", )"', "x"]),
        ("a, b", ["a"]),
        ("a, (b", ["a"]),
        ('a, "b', ["a"]),
        (")", []),
        ("", []),
        ("a,)", ["a"]),
    ],
)
def test_arguments_are_split_where_they_end(text, pieces):
    assert split_arguments(text, PYTHON) == pieces


def test_a_wrong_value_becomes_the_parameter_s_name_and_an_optional_one_goes():
    call = written("1, 2, c=3)", "a", "b=0", "c=0")
    assert [(a.text, a.filled) for a in without(call.arguments, {0})] == [
        ("a", False),
        ("2", True),
        ("3", True),
    ]
    assert [a.text for a in without(call.arguments, {2})] == ["1", "2"]


def test_what_stands_behind_an_optional_value_that_goes_would_mean_another_parameter():
    call = written("1, 2, 3, d=4)", "a", "b=0", "c=0", "d=0")
    assert [a.text for a in without(call.arguments, {1})] == ["1", "4"]


def test_a_name_that_the_text_speaks_of_is_a_value_for_the_parameter_called_so():
    call = plain_call("f", signatures(signature("url", "data", "name", "x=1")))
    named = with_namesakes(call, "url = 1\nself.data = 2\nx = 3\n")
    assert [(a.name, a.filled) for a in named.arguments] == [
        ("url", True),
        ("data", False),
        ("name", False),
    ]
