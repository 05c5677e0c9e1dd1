"""A real bundle, seen by editors: with the capabilities that real ones announce."""

import codeop
import sys

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from small_bundle import SMALL_BUNDLE

URI = "file:///project/example.py"
SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "surefill", "lsp"])

# Repetitive code, where any model of Python can tell what comes next.
REPETITIVE = [
    "def first(self):\n    return self.first\n\n\ndef second(self):\n    return self.",
    "class Point:\n    def __init__(self, x, y, z):\n"
    "        self.x = x\n        self.y = y\n        self.",
    "names = []\nfor name in names:\n    print(name)\n\nages = []\nfor age in ages:\n    print(",
    "def is_empty(items):\n    return len(items) == 0\n\n\ndef is_full(items):\n    return len(",
    "import os\nimport sys\nimport json\n\n\ndef load(path):\n"
    "    with open(path) as file:\n        return json.",
    "def half(x):\n    return x / 2\n\n\ndef third(x):\n    return x / 3\n\n\n"
    "def fourth(x):\n    return ",
    "if a == 1:\n    print(1)\nelif a == 2:\n    print(2)\nelif a == 3:\n    ",
    "def run():\n    pass\n\n\nif __name__ == ",
]
EXPECTED = {
    "visual-studio-code": types.PositionEncodingKind.Utf16,
    "neovim@v0.11.0": types.PositionEncodingKind.Utf8,
    "emacs": types.PositionEncodingKind.Utf32,
}
CODECS = {
    types.PositionEncodingKind.Utf8: ("utf-8", 1),
    types.PositionEncodingKind.Utf16: ("utf-16-le", 2),
    types.PositionEncodingKind.Utf32: ("utf-32-le", 4),
}
FIRST, *OTHERS = EXPECTED
EDITORS = [FIRST, *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS)]
"""One of them is enough for the quick suite."""


@pytest_lsp.fixture(config=SERVER, params=EDITORS, scope="module")
async def client(request, lsp_client: LanguageClient):
    params = types.InitializeParams(capabilities=client_capabilities(request.param))
    params.initialization_options = {
        "bundle": str(SMALL_BUNDLE),
        "completion": {"deadlineMs": 30_000},
    }
    # What every editor answers and this client does not.
    lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: None)
    lsp_client.editor = request.param
    lsp_client.result = await lsp_client.initialize_session(params)
    yield
    await lsp_client.shutdown_session()


async def ask(client, text, line, character, kind=types.InlineCompletionTriggerKind.Invoked):
    """The items at a position of a document that is open for this question only."""
    item = types.TextDocumentItem(URI, "python", 1, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    identifier = types.TextDocumentIdentifier(URI)
    answer = await client.text_document_inline_completion_async(
        types.InlineCompletionParams(
            types.InlineCompletionContext(kind), identifier, types.Position(line, character)
        )
    )
    client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))
    return answer.items


def end(text):
    return text.count("\n"), len(text) - text.rfind("\n") - 1


@pytest.mark.asyncio(loop_scope="module")
async def test_a_suggestion_appears_and_what_it_makes_parses(client: LanguageClient):
    shown = 0
    for text in REPETITIVE:
        line, character = end(text)
        for item in await ask(client, text, line, character):
            shown += 1
            assert item.insert_text.strip()
            assert item.range.end == types.Position(line, character)
            start = len(text) - character + item.range.start.character
            # Python's own parser: raises for what is wrong, not for what is unfinished.
            codeop.compile_command(text[:start] + item.insert_text + "\n", symbol="exec")
            (report,) = item.command.arguments
            assert report["verdicts"]["parses"] == "passed"
    assert shown >= 2
    assert client.messages == []


@pytest.mark.asyncio(loop_scope="module")
async def test_columns_are_counted_as_the_editor_counts_them(client: LanguageClient):
    encoding = client.result.capabilities.position_encoding
    assert encoding == EXPECTED[client.editor]
    names = ("first", "second", "third")
    text = "\n\n\n".join(
        f"def {name}(self):\n    label = '🎉🎉漢字é'; return self.{name}" for name in names
    ).removesuffix("third")
    line, _ = end(text)
    codec, width = CODECS[encoding]
    column = len(text.rpartition("\n")[2].encode(codec)) // width
    items = await ask(client, text, line, column)
    assert items
    for item in items:
        assert item.range == types.Range(types.Position(line, column), types.Position(line, column))
    # Behind the line's end means at its end.
    assert await ask(client, text, line, column + 1000) == await ask(client, text, line, column)
