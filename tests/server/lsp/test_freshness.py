"""Whatever was edited and asked before, an answer is the one that a fresh server would give.

The server, the type checker and the files are real; only the model is not: it would write each of a
few names, and the rules and checks decide which of them are shown.
"""

import asyncio
import contextlib
import json
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lsprotocol import types

from fakes import FakeEngine
from surefill.budget import Deadline
from surefill.completion.loading import LoadedModel
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.lsp.server import create_server
from surefill.oracle.answers import Source

NAMES = ("a", "b", "c")
FUNCTIONS = ("old", "new", "other")
PATIENCE_MS = 60_000
SETTINGS = {
    "completion": {"deadlineMs": PATIENCE_MS, "alternatives": 5},
    "snippets": {"deadlineMs": PATIENCE_MS},
    "oracle": {"python": ""},
}


class Characters:
    """A tokenizer with one token per character."""

    def encode(self, text):
        return [ord(character) for character in text]

    def encode_line(self, line):
        return tuple(self.encode(line))

    def decode(self, ids):
        return "".join(map(chr, ids))

    def special(self, token):
        return 0x110000 + list(TEMPLATES["qwen2.5-coder"].special_tokens()).index(token)


class GuidedEngine(FakeEngine):
    """Goes on to those of its answers that the rules let it write."""

    def guided_by(self, rules, *, wanted):
        return rules

    def generate(self, prompt, *, guide=None, **options):
        typed = re.search(r"\w*$", prompt.prefix).group()
        wanted = tuple(text[len(typed) :] for text in self.default if text.startswith(typed))
        if guide is not None:
            wanted = tuple(text for text in wanted if _allows(guide, prompt.lead + text))
        self.answers.append(wanted)
        return super().generate(prompt, **options)


def _allows(rules, text):
    return all(rules.allows(text[:end]) for end in range(1, len(text) + 1))


def load(_settings):
    template = TEMPLATES["qwen2.5-coder"]
    context = ContextBuilder(Characters(), template, "spm", 2048)
    written = (*(f"{name}()" for name in FUNCTIONS), "size", "Thing().size")
    return LoadedModel(GuidedEngine(default=written), context, "names", "1", "test")


@dataclass(frozen=True)
class Module:
    """What a document declares, and whose members are asked for in its last line but one."""

    name: str
    function: str = "old"
    result: str = "int"
    base: str = "object"
    asks: str = "a"
    typed: str = ""

    @property
    def text(self):
        imports = ", ".join(name for name in NAMES if name != self.name)
        return (
            f"import {imports}\n"
            "import nowhere  # type: ignore\n"
            f"class Thing({self.base}): size: int = 1\n"
            f"def {self.function}() -> {self.result}: ...\n"
            f"number: int = {self.asks}.{FUNCTIONS[0]}()\n"
            f"{self.question}\n"
            "end = 1\n"
        )

    @property
    def question(self):
        return f"shown: int = {self.asks}.{self.typed}"

    @property
    def cursor(self):
        return types.Position(5, len(self.question))


class Editor:
    """One life of a server in this process, and the documents that it is shown."""

    def __init__(self, folder):
        self.folder = folder
        self.server = create_server(load)
        self.server.protocol.set_writer(_Silent())
        self.version = 0
        self.open = {}

    async def start(self):
        params = {
            "processId": None,
            "capabilities": {"general": {"positionEncodings": ["utf-32"]}},
            "initializationOptions": SETTINGS,
            "workspaceFolders": [{"uri": self.folder.as_uri(), "name": "work"}],
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        self.server.protocol.receive(json.dumps(message).encode())
        await self.handle("initialized", types.InitializedParams())
        while self.server.model.status()["state"] != "ready":
            await asyncio.sleep(0.005)

    def handle(self, method, params):
        return self.server.protocol.fm.features[method](params)

    async def checker_is_there(self, module):
        """Return when the checker has looked at a document: its start may take long."""
        source, until = (
            Source(self.uri(module.name), module.text),
            Deadline.after(PATIENCE_MS / 1000),
        )
        assert await self.server.checker.ask(
            "python", lambda oracle: oracle.diagnostics(source, deadline=until.at)
        )

    def uri(self, name):
        return (self.folder / f"{name}.py").as_uri()

    def show(self, module):
        """Open a document, or edit the lines that are others now."""
        uri, name = self.uri(module.name), module.name
        self.version += 1
        if name not in self.open:
            item = types.TextDocumentItem(uri, "python", self.version, module.text)
            self.handle("textDocument/didOpen", types.DidOpenTextDocumentParams(item))
        else:
            new, old = module.text.split("\n"), self.open[name].text.split("\n")
            changes = [
                types.TextDocumentContentChangePartial(
                    types.Range(types.Position(row, 0), types.Position(row, len(old[row]))),
                    new[row],
                )
                for row in range(len(new))
                if new[row] != old[row]
            ]
            document = types.VersionedTextDocumentIdentifier(self.version, uri)
            params = types.DidChangeTextDocumentParams(document, changes)
            self.handle("textDocument/didChange", params)
        self.open[name] = module

    def close(self, name):
        del self.open[name]
        document = types.TextDocumentIdentifier(self.uri(name))
        self.handle("textDocument/didClose", types.DidCloseTextDocumentParams(document))

    def save(self, name):
        self.written(self.open[name])
        change = types.FileEvent(self.uri(name), types.FileChangeType.Changed)
        params = types.DidChangeWatchedFilesParams([change])
        self.handle("workspace/didChangeWatchedFiles", params)

    def written(self, module):
        (self.folder / f"{module.name}.py").write_text(module.text)

    async def answers(self, name):
        """What is shown at the cursor, with its verdicts; the menu there; the problems."""
        uri, cursor = self.uri(name), self.open[name].cursor
        answer = await self.server.inline.answer(
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
                text_document=types.TextDocumentIdentifier(uri),
                position=cursor,
            )
        )
        shown = {
            item.insert_text: tuple(sorted(item.command.arguments[0]["verdicts"].items()))
            for item in answer.items
        }
        menu = await self.server.menu.answer(
            types.CompletionParams(types.TextDocumentIdentifier(uri), cursor)
        )
        found = await self.server.problems.of(uri)
        while not found.complete:  # a busy machine's checker had no time
            found = await self.server.problems.of(uri)
        return (
            shown,
            [item.label for item in menu.items],
            [problem.message for problem in found.problems],
        )


class _Silent:
    def write(self, data):
        pass

    def close(self):
        pass


@contextlib.asynccontextmanager
async def editor(folder, modules=()):
    made = Editor(folder)
    await made.start()
    for module in modules:
        made.show(module)
        await made.checker_is_there(module)
    yield made
    await made.server.close(10)


async def fresh_answers(folder, modules):
    async with editor(folder, modules) as other:
        return {name: await other.answers(name) for name in other.open}


def folder_with(modules, path):
    for module in modules:
        (path / f"{module.name}.py").write_text(module.text)
    return path


@pytest.mark.parametrize("between", [(), ("a",), ("b",), ("a", "b", "a"), ("c", "a")])
async def test_a_function_that_is_renamed_in_another_document(tmp_path, between):
    a, b, c = Module("a", asks="b"), Module("b", asks="a"), Module("c", asks="a")
    async with editor(folder_with([a, b, c], tmp_path), [a, b, c]) as session:
        shown, menu, problems = await session.answers("b")
        assert "old()" in shown
        assert "new()" not in shown
        assert "old()" in menu
        assert not any("old" in problem for problem in problems)
        session.show(replace(a, function="new"))
        for name in between:
            await session.answers(name)
        shown, menu, problems = await session.answers("b")
        assert "old()" not in shown
        assert "new()" in shown
        assert "old()" not in menu
        assert "new()" in menu
        assert any("old" in problem for problem in problems)


modules = st.sampled_from(NAMES)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), modules, st.none()),
        st.tuples(st.just("function"), modules, st.sampled_from(FUNCTIONS)),
        st.tuples(st.just("result"), modules, st.sampled_from(["int", "str"])),
        st.tuples(
            st.just("base"), modules, st.sampled_from(["object", "nowhere.Base", "str", "a.Thing"])
        ),
        st.tuples(st.just("asks"), modules, modules),
        st.tuples(st.just("typed"), modules, st.sampled_from(["", "o", "ol", "n", "size"])),
        st.tuples(st.sampled_from(["save", "close", "open"]), modules, st.none()),
    ),
    min_size=3,
    max_size=12,
)


async def lives(folder, steps):
    """Take the steps; then compare every open document's answers with a fresh server's."""
    now = {
        "a": Module("a", asks="b"),
        "b": Module("b", asks="a"),
        "c": Module("c", asks="a"),
    }
    async with editor(folder_with(now.values(), folder), now.values()) as session:
        for step, name, value in steps:
            if step == "open":
                session.show(now[name])
            elif name not in session.open:
                continue
            elif step == "ask":
                await session.answers(name)
            elif step == "save":
                session.save(name)
            elif step == "close":
                session.close(name)
            elif value != name and not (step == "base" and name == "a" and "." in value):
                now[name] = replace(now[name], **{step: value})
                session.show(now[name])
        expected = await fresh_answers(folder, session.open.values())
        for name in session.open:
            assert await session.answers(name) == expected[name], name


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(steps)
def test_any_edits_and_questions_leave_the_answers_of_a_fresh_server(steps):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(lives(Path(folder), steps))
