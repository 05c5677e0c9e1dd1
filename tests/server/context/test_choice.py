"""Excerpts of other files: in front, within their share, the same while somebody types."""

from pathlib import Path

import pytest

from surefill.context.neighbours import OpenDocument, ProjectNeighbours
from surefill.context.prompt import TEMPLATES
from surefill.context.related import OtherFile
from surefill.context.sources import SourceReader
from surefill.context.window import ContextBuilder
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range
from word_tokenizer import WordTokenizer

GOLDEN = sorted((Path(__file__).parent / "golden_related").iterdir())
PYTHON = language_for("python", None)
QWEN = TEMPLATES["qwen2.5-coder"]
SHOP = OtherFile("lib/shop.py", "def sell(item, price):\n    return item\n", PYTHON, imported=True)
USES = "from lib.shop import sell\n\nsell(|)\nsold = 1\n"


class Given:
    """Neighbours that a test sets, and how often they were asked for."""

    def __init__(self, *files):
        self.given = list(files)
        self.asked = 0

    def files(self, snapshot):
        self.asked += 1
        return self.given


def place(marked, uri="file:///a.py"):
    before, after = marked.split("|", 1)
    lines = before.split("\n")
    snapshot = Document(uri, PYTHON, before + after).snapshot()
    return snapshot, Position(len(lines) - 1, len(lines[-1]))


class Prompts:
    """Builds prompts one after the other, as a session does."""

    def __init__(self, context_length=400, order="spm", template=QWEN, **options):
        self.tokenizer = WordTokenizer()
        self.builder = ContextBuilder(self.tokenizer, template, order, context_length, **options)

    def at(self, marked, neighbours, uri="file:///a.py", new_tokens=8):
        snapshot, position = place(marked, uri)
        cursor = Cursor.at(snapshot, position)
        return self.builder.build(snapshot, position, cursor, new_tokens, neighbours)

    def front(self, *arguments, **options):
        """The excerpts in a prompt, as text."""
        separator = self.tokenizer.special(QWEN.file_sep)
        ids = list(self.at(*arguments, **options).ids)
        if separator not in ids:
            return ""
        return self.tokenizer.decode(ids[: len(ids) - ids[::-1].index(separator)])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_golden(path):
    *parts, last = path.read_text(encoding="utf-8").split("=== ")[1:]
    files, document = [], ""
    for part in parts:
        heading, text = part.split("\n", 1)
        if heading == "document":
            document = text
        else:
            _, name, kind = heading.split()
            files.append(OtherFile(name, text, PYTHON, imported=kind == "imported"))
    heading, expected = last.split("\n", 1)
    _, order, length = heading.split()
    prompts = Prompts(int(length), order)
    prompt = prompts.at(document[:-1], Given(*files))
    assert prompts.tokenizer.decode(prompt.ids) == expected[:-1]
    assert len(prompt.ids) + 8 <= int(length)


@pytest.mark.parametrize("nothing", [None, Given(), Given(OtherFile("b.py", "", PYTHON))])
def test_with_nothing_related_a_prompt_is_as_without(nothing):
    text = "import os\n" + "".join(f"name{n} = {n}\n" for n in range(300)) + "|\nend = 1\n"
    snapshot, position = place(text)
    cursor, prompts = Cursor.at(snapshot, position), Prompts()
    plain = prompts.builder.build(snapshot, position, cursor, 8)
    assert prompts.at(text, nothing) == plain


@pytest.mark.parametrize("template", ["codellama", "deepseek-coder", "plain"])
def test_a_template_that_cannot_mark_files_gets_none(template):
    class Any(WordTokenizer):
        def special(self, token):
            return 0

    neighbours, snapshot = Given(SHOP), place(USES)
    builder = ContextBuilder(Any(), TEMPLATES[template], "psm", 400)
    cursor = Cursor.at(*snapshot)
    assert builder.build(*snapshot, cursor, 8, neighbours) == builder.build(*snapshot, cursor, 8)
    assert neighbours.asked == 0


def test_a_model_that_was_not_trained_so_gets_none():
    neighbours = Given(SHOP)
    assert Prompts(takes_related=False).front(USES, neighbours) == ""
    assert neighbours.asked == 0


def test_excerpts_keep_to_their_share_and_the_prompt_to_the_context():
    many = "".join(f"def function{n}(first, second):\n    pass\n" for n in range(400))
    files = [OtherFile(f"m{n}.py", many, PYTHON, imported=True) for n in range(8)]
    long = "".join(f"name{n} = {n}\n" for n in range(300))
    for length in (64, 200, 1000):
        for text, share in ((USES, 4), (f"{long}|\n{long}", 8)):
            prompts = Prompts(length)
            prompt = prompts.at(text, Given(*files), new_tokens=length // 4)
            start = prompt.ids.index(prompts.tokenizer.special(QWEN.prefix))
            assert start <= length // share
            assert len(prompt.ids) + length // 4 <= length
            assert start > 0 or length == 64


def test_special_tokens_in_other_files_stay_text():
    odd = OtherFile("<|fim_middle|>.py", "def f(a='<|file_sep|>'): pass\n", PYTHON, imported=True)
    prompts = Prompts()
    ids = prompts.at(USES, Given(odd)).ids
    assert ids.count(prompts.tokenizer.special("<|fim_middle|>")) == 1
    assert ids.count(prompts.tokenizer.special("<|file_sep|>")) == 2


def test_excerpts_never_take_the_place_of_the_scope_around_the_cursor():
    lines = "".join(f"    name{n} = {n}\n" for n in range(52))
    neighbours, prompts = Given(SHOP), Prompts(400)
    text = f"from lib.shop import sell\n\ndef outer():\n{lines}    |\n"
    without = prompts.at(text, None)
    assert "def outer():\n    name0" in without.prefix
    assert prompts.at(text, neighbours) == without
    short = "from lib.shop import sell\n\ndef outer():\n    |\n\nx = 1\n"
    assert "sell(item, price)" in prompts.front(short, neighbours)


def test_the_front_is_the_same_over_thirty_keystrokes():
    neighbours, prompts = Given(SHOP), Prompts()
    typed = "total = sell(item, price)\n    retur"
    assert len(typed) > 30
    fronts = set()
    for end in range(len(typed)):
        ids = prompts.at(
            f"from lib.shop import sell\n\ndef f(item):\n    {typed[:end]}|\n\nx = 1\n", neighbours
        ).ids
        fronts.add(ids[: ids.index(prompts.tokenizer.special(QWEN.middle))])
        # Others may type, too: this prompt is warm, and stays so.
        neighbours.given = [
            OtherFile("other.py", f"def other{end}(): pass\n", PYTHON, imported=True)
        ]
    assert len(fronts) == 1
    assert neighbours.asked == 1


def test_another_place_gets_what_has_changed_meanwhile():
    neighbours, prompts = Given(SHOP), Prompts()
    text = "from lib.shop import sell\n\nsell(|)\n\nx = 1\n"
    assert "sell(item, price)" in prompts.front(text, neighbours)
    elsewhere = text.replace("|", "").replace("x = 1", "x = |1")
    before = prompts.front(elsewhere, neighbours)
    neighbours.given = [OtherFile("lib/shop.py", "def sell(what): pass\n", PYTHON, imported=True)]
    assert prompts.front(elsewhere, neighbours) == before
    assert "sell(what)" in prompts.front(text, neighbours)


def test_a_new_import_counts_at_once():
    neighbours, prompts = Given(), Prompts()
    assert prompts.front("import os\n\nsell(|)\n", neighbours) == ""
    neighbours.given = [SHOP]
    assert prompts.front("import os\n\nsell(a|)\n", neighbours) == ""
    assert "sell(item" in prompts.front("import os, shop\n\nsell(a|)\n", neighbours)


def test_another_document_gets_its_own():
    prompts = Prompts()
    other = OtherFile("other.py", "def other(): pass\n", PYTHON, imported=True)
    assert "sell" in prompts.front(USES, Given(SHOP))
    assert "other" in prompts.front(USES, Given(other), uri="file:///b.py")
    assert "sell" in prompts.front(USES, Given(SHOP))


@pytest.fixture
def around(tmp_path):
    """The neighbours of app/main.py in a real folder, with these open documents."""

    def neighbours(text, *others, disabled=()):
        path = tmp_path / "app" / "main.py"
        documents = []
        for uri, language, content in others:
            document = Document(uri, language_for(language, uri), content)
            file = uri.startswith("file://")
            documents.append(
                OpenDocument(
                    document.snapshot(), Path(uri.removeprefix("file://")) if file else None
                )
            )
        found = ProjectNeighbours(SourceReader(), path, [tmp_path], documents, frozenset(disabled))
        snapshot = Document(path.as_uri(), PYTHON, text).snapshot()
        return [(each.path, each.text, each.imported) for each in found.files(snapshot)]

    (tmp_path / "app").mkdir()
    return neighbours


def test_imports_come_from_the_screen_or_from_disk_and_before_other_documents(around, tmp_path):
    for name in ("shop", "tools"):
        (tmp_path / f"{name}.py").write_text(f"def {name}(): ...\r\n")
    found = around(
        "import tools, shop\n",
        ("file:///elsewhere/deep/other.py", "python", "x = 1\n"),
        ("untitled:Untitled-1", "python", "y = 2\n"),
        ((tmp_path / "shop.py").as_uri(), "python", "def unsaved(): ...\n"),
        ((tmp_path / "app" / "main.py").as_uri(), "python", "itself\n"),
    )
    assert found == [
        ("tools.py", "def tools(): ...\n", True),
        ("shop.py", "def unsaved(): ...\n", True),
        ("deep/other.py", "x = 1\n", False),
        ("Untitled-1", "y = 2\n", False),
    ]


def test_what_stays_out(around, tmp_path):
    (tmp_path / "app" / "binary.py").write_bytes(b"\0\xff")
    (tmp_path / "app" / "secrets.py").write_text("key = 1\n")
    found = around(
        "from . import binary, secrets, missing\n",
        ("file:///x/.env", "python", "KEY=1\n"),
        ("file:///x/a.js", "javascript", "let a\n"),
        ("file:///x/notes.txt", "plaintext", "notes\n"),
        ("file:///x/huge.py", "python", "x = 1\n" * 50_000),
        ("file:///x/empty.py", "python", "\n"),
        ("file:///x/last.py", "python", "x\n"),
    )
    assert found == [("x/last.py", "x\n", False)]
    assert around("", ("file:///x/a.py", "python", "x\n"), disabled=["python"]) == []


def test_edits_of_the_own_imports_count_at_the_next_place(around, tmp_path):
    document = Document("file:///m.py", PYTHON, "\nx = 1\n")
    document.edit(Range(Position(0, 0), Position(0, 0)), "import app.shop")
    (tmp_path / "app" / "shop.py").write_text("def sell(): ...\n")
    assert around(document.snapshot().text)[0][0] == "app/shop.py"
