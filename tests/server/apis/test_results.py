"""What is usually done with a result."""

import pytest

from surefill.apis.results import Result, handled, way_of
from surefill.apis.snippets import Snippet

FILE = Result("TextIOWrapper[_WrappedBuffer]", {"__enter__", "__exit__", "__next__"})
RESPONSE = Result("Response", {"raise_for_status", "json", "__enter__", "__exit__", "__iter__"})
PATHS = Result("Generator[Path, None, None]", {"__iter__", "__next__"})
COROUTINE = Result("CoroutineType[Any, Any, bytes]", {"__await__"})
NOTHING = Result("CoroutineType[Any, Any, None]", {"__await__"})
SESSION = Result("ClientSession", {"__aenter__", "__aexit__", "__await__"})
EVENTS = Result("AsyncGenerator[Event, None]", {"__anext__", "__aiter__"})
CALL = Snippet(("call()",))


@pytest.mark.parametrize(
    ("result", "way", "way_in_async"),
    [
        (FILE, "with", "with"),
        (RESPONSE, "response", "response"),
        (PATHS, "for", "for"),
        (COROUTINE, None, "await"),
        (SESSION, None, "async with"),
        (EVENTS, None, "async for"),
        (Result("list[int]", {"__iter__", "__len__"}), None, None),
        (Result("str", {"__iter__"}), None, None),
        (Result("Path", {"__enter__", "__exit__"}), None, None),
    ],
)
def test_the_way_is_told_by_the_members(result, way, way_in_async):
    assert way_of(result, in_async=False) == way
    assert way_of(result, in_async=True) == way_in_async


def test_what_was_awaited_is_not_awaited_again():
    assert way_of(COROUTINE, in_async=True, awaited=True) is None
    assert way_of(RESPONSE, in_async=True, awaited=True) == "response"


def test_a_response_that_one_makes_oneself_is_not_checked():
    assert way_of(RESPONSE, in_async=False, made=True) is None


def plain(way, result, **more):
    return handled(way, CALL, result, target="", indent="    ", **more).plain


@pytest.mark.parametrize(
    ("way", "result", "without_name", "with_name"),
    [
        ("with", FILE, "with call() as file:\n    pass", "with call() as x:\n    pass"),
        ("async with", SESSION, "async with call() as session:\n    pass", None),
        (
            "for",
            PATHS,
            "for path in call():\n    pass",
            "x = call()\nfor path in x:\n    pass",
        ),
        ("async for", EVENTS, "async for event in call():\n    pass", None),
        ("await", COROUTINE, "result = await call()", "x = await call()"),
        ("await", NOTHING, "await call()", "x = await call()"),
        (
            "response",
            RESPONSE,
            "response = call()\nresponse.raise_for_status()\ndata = response.json()",
            "x = call()\nx.raise_for_status()\ndata = x.json()",
        ),
    ],
)
def test_the_statements_for_each_way(way, result, without_name, with_name):
    assert plain(way, result) == without_name
    if with_name:
        assert handled(way, CALL, result, target="x", indent="    ").plain == with_name


def test_an_awaited_response():
    assert plain("response", RESPONSE, awaited=True).startswith("response = await call()\n")


def test_the_body_is_the_last_stop():
    snippet = handled("with", CALL, FILE, target="", indent="\t")
    assert snippet.marked == "with call() as ${1:file}:\n\t${0:pass}"


@pytest.mark.parametrize(
    ("type_", "name", "item"),
    [
        ("Connection", "connection", "item"),
        ("TemporaryDirectory[str]", "directory", "item"),
        ("BufferedReader[X]", "file", "item"),
        ("Popen[bytes]", "popen", "item"),
        ("Iterator[str]", "iterator", "item"),
        ("Generator[tuple[int, int], None, None]", "generator", "item"),
        ("map[DirEntry]", "result", "entry"),
        ("", "result", "item"),
    ],
)
def test_names_are_taken_from_types(type_, name, item):
    result = Result(type_, set())
    assert (result.name, result.item) == (name, item)
