"""Documents: text and tree under edits equal a fresh start, whatever the edits hold."""

import re
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.syntax import parsing as module
from surefill.syntax.document import Document, Snapshot, split_lines
from surefill.syntax.languages import LANGUAGES, language_for
from surefill.syntax.parsing import encode
from surefill.syntax.position import Position, Range

PYTHON = language_for("python", None)
BASES = {
    "python": 'def f(a):\n    if a:\n        return "é"+(1)\n\nclass A:\n    x = [1,\n 2] # 漢\n',
    "javascript": "function f(a) {\n  if (a) { return `é${a}`; }\n  const b = [1, {c: 2}];\n}\n",
    "rust": 'fn f(a: u8) -> u8 {\n    let s = "é😀";\n    a + 1\n}\n',
    "json": '{"a": [1, 2, {"b": "漢"}]}\n',
}
PIECES = st.text(
    alphabet=[*"()[]{}:\"'`\\#/=,;ab 1\n\r\t", "é", "😀", "\u2028", "\x0c", "\0", "\ud800"],
    max_size=8,
)
EDITS = st.lists(
    st.tuples(
        st.integers(-1, 12), st.integers(-1, 40), st.integers(0, 3), st.integers(0, 40), PIECES
    ),
    min_size=1,
    max_size=8,
)


def nodes(tree):
    found, stack = [], [tree.root_node]
    while stack:
        node = stack.pop()
        found.append(
            (node.type, node.byte_range, node.is_missing, node.start_point, node.end_point)
        )
        stack.extend(node.children)
    return found


def fresh(document):
    return Snapshot(
        document.uri, document.language, 0, tuple(split_lines(document.snapshot().text))
    )


def offset(text, position):
    """The clamped offset of a position, computed from the text alone."""
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    if position.line < 0:
        return 0
    if position.line >= len(starts):
        return len(text)
    start = starts[position.line]
    end = re.compile(r"[^\r\n]*").match(text, start).end()
    return min(start + max(position.character, 0), end)


def apply_all(document, edits):
    text = document.snapshot().text
    for line, character, lines, until, new in edits:
        span = Range(Position(line, character), Position(line + lines, until))
        first, last = sorted((offset(text, span.start), offset(text, span.end)))
        text = text[:first] + new + text[last:]
        document.edit(span, new)
        yield text


@pytest.mark.parametrize("name", BASES)
@settings(max_examples=150, deadline=None)
@given(edits=EDITS, ask=st.booleans())
def test_edits_keep_text_and_tree_equal_to_a_fresh_parse(name, edits, ask):
    document = Document("file:///a", language_for(name, None), BASES[name])
    assert document.snapshot().tree is not None
    for text in apply_all(document, edits):
        snapshot = document.snapshot()
        assert snapshot.text == text
        assert list(snapshot.lines) == split_lines(text)
        assert len(snapshot.source) == len(encode(text))
        if ask:
            assert nodes(snapshot.tree) == nodes(fresh(document).tree)
    assert nodes(document.snapshot().tree) == nodes(fresh(document).tree)


@pytest.mark.parametrize("name", BASES)
@settings(max_examples=150, deadline=None)
@given(edits=EDITS)
def test_purely_incremental_trees_without_errors_equal_a_fresh_parse(name, edits):
    """In a big document nothing is parsed anew; only the places of errors may then differ."""
    language = language_for(name, None)
    document = Document("file:///a", language, BASES[name])
    tree = document.snapshot().tree
    for _ in apply_all(document, edits):
        snapshot = document.snapshot()
        base = snapshot._revision.base()
        tree = module.parse(language, snapshot.source, base)
        expected = module.parse(language, snapshot.source)
        assert tree.root_node.has_error == expected.root_node.has_error
        if not tree.root_node.has_error:
            assert nodes(tree) == nodes(expected)
        snapshot._revision.tree = tree


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(alphabet="ab(\n\ré", max_size=20), min_size=2, max_size=4))
def test_replacing_everything_keeps_text_and_tree(texts):
    document = Document("file:///a", PYTHON, texts[0])
    for text in texts[1:]:
        document.replace(text)
        assert document.snapshot().text == text
        assert list(document.snapshot().lines) == split_lines(text)
        assert nodes(document.snapshot().tree) == nodes(fresh(document).tree)


class Looked(list):
    """Counts what is looked at in slices."""

    count = 0

    def __getitem__(self, key):
        found = super().__getitem__(key)
        self.count += len(found) if isinstance(key, slice) else 1
        return found


def test_many_edits_in_a_long_document_do_not_each_go_through_all_of_it():
    document = Document("u", language_for("python", None), "é = 1\n" * 2_000)
    document._lengths = Looked(document._lengths)
    for line in [*range(1_000, 2_000), *range(1_999, 999, -1)]:
        document.edit(Range(Position(line, 0), Position(line, 1)), "è")
    assert document._lengths.count < 10_000
    assert nodes(document.snapshot().tree) == nodes(fresh(document).tree)


def test_lines_end_where_lsp_says_and_nowhere_else():
    assert split_lines("a\x0cb\u2028c\x85d\ne\rf\r\ng") == [
        "a\x0cb\u2028c\x85d\n",
        "e\r",
        "f\r\n",
        "g",
    ]
    assert split_lines("") == [""]
    assert split_lines("a\n") == ["a\n", ""]


def test_a_snapshot_does_not_see_later_edits():
    document = Document("file:///a", PYTHON, "x = 1\n", version=3)
    before = document.snapshot()
    document.edit(Range(Position(0, 4), Position(0, 5)), "(")
    document.version = 4
    assert (before.text, before.version) == ("x = 1\n", 3)
    assert not before.tree.root_node.has_error
    assert document.snapshot().tree.root_node.has_error
    assert not before.tree.root_node.has_error


def test_positions_are_clamped_and_text_is_cut_there():
    snapshot = Document("file:///a", PYTHON, "ab\r\ncd").snapshot()
    assert snapshot.clamp(Position(0, 99)) == (0, 2)
    assert snapshot.clamp(Position(-1, 5)) == (0, 0)
    assert snapshot.clamp(Position(9, 0)) == (1, 2)
    assert snapshot.prefix(Position(1, 1)) == "ab\r\nc"
    assert snapshot.suffix(Position(0, 1)) == "b\r\ncd"
    assert snapshot.text_in(Range(Position(0, 1), Position(1, 1))) == "b\r\nc"
    assert snapshot.line(5) == ""


@given(text=st.text(max_size=40), line=st.integers(0, 5), character=st.integers(0, 20))
def test_byte_offsets_and_positions_are_inverse(text, line, character):
    snapshot = Document("file:///a", None, text).snapshot()
    position = snapshot.clamp(Position(line, character))
    assert snapshot.position_at(snapshot.byte_at(position)) == position
    assert encode(snapshot.prefix(position)) == encode(text)[: snapshot.byte_at(position)]


def test_without_a_language_there_is_text_and_no_tree():
    snapshot = Document("file:///a.unknown", None, "whatever").snapshot()
    assert snapshot.tree is None


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.id)
@pytest.mark.parametrize(
    "text",
    ["\0\x01\ud800\udfff\x0c\u2028" * 50, "([{'\"`" * 300, "x" * 100_000, ""],
    ids=["junk", "open", "long", "empty"],
)
def test_junk_never_raises(language, text):
    document = Document("file:///a", language, text)
    assert document.snapshot().tree is not None
    document.edit(Range(Position(0, 1), Position(0, 2)), "\ud83d")
    assert document.snapshot().tree is not None


def test_a_parse_that_takes_too_long_is_given_up_and_not_tried_again(monkeypatch):
    monkeypatch.setattr(module, "PARSE_SECONDS", -1.0)
    document = Document("file:///a", PYTHON, "x = [" + "1, " * 100_000 + "]")
    assert document.snapshot().tree is None
    monkeypatch.undo()
    document.edit(Range(Position(0, 0), Position(0, 0)), "y")
    assert document.snapshot().tree is None
    document.replace("x = 1\n")
    assert document.snapshot().tree is not None


def test_a_parse_that_was_given_up_is_tried_again_after_a_while(monkeypatch):
    monkeypatch.setattr(module, "PARSE_SECONDS", -1.0)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    document = Document("file:///a", PYTHON, "x = [" + "1, " * 100_000 + "]")
    assert document.snapshot().tree is None
    monkeypatch.undo()
    document.edit(Range(Position(0, 5), Position(0, 300_005)), "")
    assert nodes(document.snapshot().tree) == nodes(fresh(document).tree)


def test_a_tree_too_big_to_parse_is_none(monkeypatch):
    monkeypatch.setattr(module, "MAX_PARSED_BYTES", 10)
    assert Document("file:///a", PYTHON, "x = 12345678").snapshot().tree is None


def test_thousands_of_edits_without_a_look_at_the_tree_are_not_kept():
    document = Document("file:///a", PYTHON, "x = 1\n")
    assert document.snapshot().tree is not None
    for _ in range(module._PENDING_EDITS + 10):
        document.edit(Range(Position(0, 5), Position(0, 5)), "1")
    depth, revision = 0, document._revision
    while revision is not None:
        depth, revision = depth + 1, revision.parent
    assert depth < 20
    assert nodes(document.snapshot().tree) == nodes(fresh(document).tree)


def test_a_tree_can_be_asked_for_in_several_threads_while_the_document_changes():
    document = Document("file:///a", PYTHON, "def f():\n    return 1\n" * 200)
    wrong = []

    def look(snapshot):
        tree = snapshot.tree
        if tree.root_node.end_byte != len(snapshot.source):
            wrong.append(snapshot.version)

    threads = []
    for version in range(20):
        document.edit(Range(Position(version, 0), Position(version, 0)), "# é\n")
        document.version = version
        threads.append(threading.Thread(target=look, args=(document.snapshot(),)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert wrong == []
