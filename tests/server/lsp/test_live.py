import asyncio

import pytest

from surefill.engine.interface import Cancellation
from surefill.lsp.live import LiveRequests
from surefill.syntax.document import end_of
from surefill.syntax.position import Position, Range

URI = "file:///a.py"
CURSOR = Position(3, 5)


def at(line, character):
    return Range(Position(line, character), Position(line, character))


@pytest.fixture
def live():
    return LiveRequests()


async def test_a_newer_request_ends_the_older_of_the_same_document_only(live):
    started = asyncio.Event()
    cancellations = []

    async def ask(uri):
        cancellations.append(Cancellation())
        request = live.begin(uri, CURSOR, cancellations[-1])
        started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            live.end(uri, request)

    older = asyncio.create_task(ask(URI))
    other = asyncio.create_task(ask("file:///other.py"))
    await asyncio.sleep(0)
    newer = asyncio.create_task(ask(URI))
    await asyncio.wait([older])
    assert older.cancelled()
    assert not newer.done()
    assert not other.done()
    assert [each.cancelled for each in cancellations] == [True, False, False]
    assert len(live) == 2
    for task in (newer, other):
        task.cancel()
    await asyncio.wait([newer, other])
    assert len(live) == 0
    assert all(each.cancelled for each in cancellations)


async def test_typing_at_the_cursor_moves_the_request(live):
    request = live.begin(URI, CURSOR, Cancellation())
    live.edited(URI, at(3, 5), "ab")
    live.edited(URI, at(3, 7), "\n  c")
    assert (request.position, request.typed, request.stale) == (Position(4, 3), True, False)
    assert not request.cancellation.cancelled


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (at(3, 4), "x"),
        (at(0, 0), "\n"),
        (Range(Position(3, 4), CURSOR), ""),
        (Range(CURSOR, Position(3, 6)), "x"),
        (at(3, 5), ""),
    ],
)
async def test_any_other_edit_makes_it_stale_and_stops_the_model(live, span, text):
    request = live.begin(URI, CURSOR, Cancellation())
    live.edited("file:///other.py", span, text)
    assert not request.stale
    live.edited(URI, span, text)
    assert request.stale
    assert request.cancellation.cancelled


@pytest.mark.parametrize("event", ["replaced", "closed"])
async def test_replacing_or_closing_the_document_makes_it_stale(live, event):
    request = live.begin(URI, CURSOR, Cancellation())
    getattr(live, event)(URI)
    assert request.stale


async def test_settings_can_make_all_of_them_stale(live):
    requests = [live.begin(uri, CURSOR, Cancellation()) for uri in ("a", "b")]
    live.outdate_all()
    assert all(each.stale for each in requests)


def test_the_end_of_a_text():
    assert end_of(CURSOR, "") == CURSOR
    assert end_of(CURSOR, "🎉x") == Position(3, 7)
    assert end_of(CURSOR, "a\r\nbc\rd") == Position(5, 1)
