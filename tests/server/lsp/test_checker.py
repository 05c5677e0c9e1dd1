"""The revision that requests carry: what an answer about a document rests on besides its text."""

import pytest
from lsprotocol import types

from surefill.lsp.checker import Checker
from surefill.lsp.configuration import Configuration
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.notify import Notifier
from surefill.lsp.watched import WatchedFiles
from surefill.settings import OracleSettings
from surefill.syntax.position import Position, Range

A, B = "file:///a.py", "file:///b.py"


@pytest.fixture
def editor(session, open_item):
    session.initialize()
    notifier = Notifier(session.client)
    documents = OpenDocuments(lambda: "utf-32")
    checker = Checker(
        session.client,
        configuration=Configuration(session.client, notifier),
        documents=documents,
        notifier=notifier,
        watched=WatchedFiles(session.client),
    )
    for uri in (A, B):
        documents.open(open_item("x = 1\n", uri))
        checker.opened(uri)
    yield checker, documents
    checker.close(10)


def edit(documents, uri, text):
    document = documents.get(uri)
    change = types.TextDocumentContentChangePartial(
        types.Range(types.Position(0, 0), types.Position(0, 0)), text
    )
    documents.change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(document.version + 1, uri), [change]
        )
    )


def written(*uris):
    changed = types.FileChangeType.Changed
    return types.DidChangeWatchedFilesParams([types.FileEvent(uri, changed) for uri in uris])


def test_an_edit_is_news_for_other_documents_whoever_asks_first(editor):
    checker, documents = editor
    before = {uri: checker.revision(uri) for uri in (A, B)}
    edit(documents, A, "y")
    for _ in range(2):  # a question changes nothing
        assert checker.revision(A) == before[A]
        assert checker.revision(B) != before[B]


def test_a_change_that_changes_nothing_is_none(editor):
    checker, documents = editor
    before = checker.revision(B)
    documents.get(A).replace("x = 1\n")
    assert checker.revision(B) == before


def test_no_revision_comes_back(editor, open_item):
    checker, documents = editor
    seen = [checker.revision(B)]
    for _ in range(2):
        edit(documents, A, "y")
        seen.append(checker.revision(B))
        documents.get(A).edit(Range(Position(0, 0), Position(0, 1)), "")
        seen.append(checker.revision(B))
        documents.close(A)
        seen.append(checker.revision(B))
        documents.open(open_item("x = 1\n", A))
        seen.append(checker.revision(B))
    assert len(set(seen)) == len(seen)


def test_a_file_counts_unless_the_document_itself_is_open(editor):
    checker, documents = editor
    before = checker.revision(B)
    checker.files_changed(written(B))
    assert checker.revision(B) == before
    for uris in ((A,), ("file:///c.py",), (B, "file:///c.py")):
        checker.files_changed(written(*uris))
        assert checker.revision(B) != before
        before = checker.revision(B)
    documents.close(B)
    assert checker.revision(B) != before


def test_another_checker_gives_other_answers(editor, tmp_path):
    checker, _ = editor
    seen = {checker.revision(B)}
    checker.service.configure(OracleSettings(), [tmp_path])
    question = checker.service.submit("python", lambda oracle: _known())
    assert question.result(60) == "known"
    seen.add(checker.revision(B))
    assert len(seen) == 2


async def _known():
    return "known"
