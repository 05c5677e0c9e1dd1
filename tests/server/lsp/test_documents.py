import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from surefill.lsp.convert import count_units
from surefill.lsp.documents import OpenDocuments
from surefill.syntax.position import Position, Range

URI = "file:///a.py"


class Followed:
    def __init__(self):
        self.events = []

    def edited(self, uri, span, new_text):
        self.events.append((uri, span, new_text))

    def replaced(self, uri):
        self.events.append((uri, "replaced"))

    def closed(self, uri):
        self.events.append((uri, "closed"))


def changes(version, *content, uri=URI):
    identifier = types.VersionedTextDocumentIdentifier(version, uri)
    return types.DidChangeTextDocumentParams(identifier, list(content))


def partial(start, end, text):
    span = types.Range(types.Position(*start), types.Position(*end))
    return types.TextDocumentContentChangePartial(span, text)


def whole(text):
    return types.TextDocumentContentChangeWholeDocument(text)


@pytest.fixture
def documents():
    return OpenDocuments(lambda: "utf-16")


def text(documents, uri=URI):
    return documents.get(uri).snapshot().text


def test_changes_apply_in_order_and_listeners_see_code_points(documents, open_item):
    followed = Followed()
    documents.listen(followed)
    documents.open(open_item("🎉 = 1\n"))
    documents.change(changes(2, partial((0, 2), (0, 2), "x"), partial((0, 3), (0, 4), "")))
    assert text(documents) == "🎉x= 1\n"
    assert documents.get(URI).version == 2
    assert followed.events == [
        (URI, Range(Position(0, 1), Position(0, 1)), "x"),
        (URI, Range(Position(0, 2), Position(0, 3)), ""),
    ]


def test_a_change_without_range_replaces_everything(documents, open_item):
    followed = Followed()
    documents.listen(followed)
    documents.open(open_item("a\nb\n"))
    documents.change(changes(2, whole("c")))
    assert text(documents) == "c"
    assert followed.events == [(URI, "replaced")]


def test_ranges_outside_the_document_are_clamped(documents, open_item):
    documents.open(open_item("ab\ncd"))
    documents.change(changes(2, partial((0, 99), (0, 99), "!"), partial((50, 0), (90, 4), "?")))
    assert text(documents) == "ab!\ncd?"


def test_only_the_protocol_s_line_ends_end_a_line(documents, open_item):
    documents.open(open_item("a\x0cb\u2028c\rd\r\ne\n"))
    assert documents.get(URI).snapshot().lines == ("a\x0cb\u2028c\r", "d\r\n", "e\n", "")
    documents.change(changes(2, partial((1, 0), (1, 1), "D")))
    assert text(documents) == "a\x0cb\u2028c\rD\r\ne\n"


def test_an_older_version_is_ignored_and_the_same_one_applied(documents, open_item, caplog):
    documents.open(open_item("a", version=5))
    with caplog.at_level(logging.WARNING, "surefill"):
        documents.change(changes(4, whole("old")))
    assert "ignored version 4" in caplog.text
    assert text(documents) == "a"
    documents.change(changes(5, whole("same")))
    assert text(documents) == "same"


def test_what_is_not_open_is_neither_changed_nor_closed(documents, caplog):
    with caplog.at_level(logging.WARNING, "surefill"):
        documents.change(changes(1, whole("x")))
        documents.close(URI)
    assert len(documents) == 0
    assert caplog.text.count("is not open") == 2


def test_opening_twice_starts_anew(documents, open_item):
    followed = Followed()
    documents.listen(followed)
    documents.open(open_item("first", version=9))
    documents.open(open_item("second", version=1))
    assert text(documents) == "second"
    assert documents.get(URI).version == 1
    assert followed.events == [(URI, "closed")]


def test_closing_forgets(documents, open_item):
    documents.open(open_item("x"))
    documents.close(URI)
    assert documents.get(URI) is None
    assert len(documents) == 0


@pytest.mark.parametrize(
    ("language", "uri", "expected"),
    [
        ("python", "file:///x", "python"),
        ("typescriptreact", "file:///x.tsx", "typescriptreact"),
        ("plaintext", "file:///main.rs", "rust"),
        ("", "file:///a%20b/query.sql", "sql"),
        ("nonsense", "untitled:Untitled-1", None),
        ("nonsense", "file://[", None),
        ("nonsense", "", None),
    ],
)
def test_the_language_comes_from_the_id_or_the_name(documents, open_item, language, uri, expected):
    documents.open(open_item("", uri=uri, language=language))
    found = documents.get(uri).language
    assert (found.id if found else None) == expected or expected in (found.aliases if found else ())


@given(
    st.sampled_from(["utf-8", "utf-16", "utf-32"]),
    st.text("ab漢🎉\r\n\x0c", max_size=20),
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 20), st.text("x漢🎉\r\n", max_size=4)),
        max_size=6,
    ),
)
def test_edits_in_any_encoding_equal_edits_of_a_string(encoding, start, edits):
    documents = OpenDocuments(lambda: encoding)
    documents.open(types.TextDocumentItem(URI, "python", 0, start))
    expected = start
    for version, (first, second, new) in enumerate(edits, 1):
        low, high = sorted((min(first, len(expected)), min(second, len(expected))))
        low, high = (off_line_ends(expected, each) for each in (low, high))
        corners = [lsp_position(expected, each, encoding) for each in (low, high)]
        documents.change(changes(version, partial(*corners, new)))
        expected = expected[:low] + new + expected[high:]
    assert text(documents) == expected


def off_line_ends(text, offset):
    """No position lies between \\r and \\n."""
    return offset - (text[offset - 1 : offset + 1] == "\r\n")


def lsp_position(text, offset, encoding):
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(before) - 1, count_units(before[-1], encoding)
