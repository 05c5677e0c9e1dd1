"""What the model is asked about a repair, and what it says: the real one, and one that is told."""

import asyncio

import pytest

from fakes import FakeEngine
from small_bundle import SMALL
from surefill.budget import Deadline
from surefill.completion.loading import load_model
from surefill.context.window import ContextBuilder
from surefill.diagnostics.syntax import syntax_problems
from surefill.engine.interface import Cancellation
from surefill.oracle.answers import Diagnostic
from surefill.repair.edit import edited
from surefill.repair.model import Author
from surefill.repair.service import RepairRequest, find_repairs
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range
from word_tokenizer import QWEN, WordTokenizer

CLASS = (
    "class Stack:\n    def __init__(self):\n        self.items = []\n\n"
    "    def push(self, item):\n        self.items.append(item)\n\n"
    "    def push_all(self, items):\n        for item in items:\n"
    "            self.items.apend(item)\n"
)


def snapshot_of(text):
    return Document("file:///a", language_for("python", None), text).snapshot()


def span_of(text, part):
    start = text.index(part)
    line = text.count("\n", 0, start)
    character = start - (text.rfind("\n", 0, start) + 1)
    return Range(Position(line, character), Position(line, character + len(part)))


@pytest.fixture(scope="module")
def real():
    model = load_model(SMALL)
    yield model
    model.engine.close()


def test_the_model_prefers_what_the_document_does_elsewhere(real):
    author = Author(real.engine, real.context, Cancellation())
    texts = ["append(item)", "extend(item)", "count(item)"]
    text = CLASS + "\n    def size(self):\n        return len(self.items)\n"
    scores = author.score(snapshot_of(text), span_of(text, "apend(item)"), texts)
    assert len(scores) == len(texts)
    assert all(score < 0 for score in scores)
    assert max(zip(scores, texts, strict=True))[1] == "append(item)"


def test_a_cancelled_model_has_no_opinion(real):
    cancel = Cancellation()
    cancel.cancel()
    author = Author(real.engine, real.context, cancel)
    assert author.score(snapshot_of(CLASS), span_of(CLASS, "apend"), ["append"]) is None


def author_of(engine, cancel=None):
    context = ContextBuilder(WordTokenizer(), QWEN, "spm", 1024)
    return Author(engine, context, cancel or Cancellation())


def test_an_engine_that_cannot_be_guided_has_no_opinion():
    author = author_of(FakeEngine(default=""))
    assert author.score(snapshot_of(CLASS), span_of(CLASS, "apend"), ["append", "pop"]) is None


def test_as_many_lines_are_written_as_there_were():
    text = "x = [\n    1\ny = 2\n"
    span = Range(Position(0, 0), Position(1, 5))
    author = author_of(FakeEngine(["x = [\n    1]\ny = 2\nz"]))
    assert author.rewrite(snapshot_of(text), span, 1) == ["x = [\n    1]"]


class Helpers:
    def __init__(self, *answers):
        self.engine = FakeEngine(answers)

    async def in_thread(self, work):
        return work()

    async def with_model(self, work, cancel):
        return work(author_of(self.engine, cancel))


def repaired(text, *answers, checker=None):
    snapshot = snapshot_of(text)
    cancel = Cancellation(Deadline.after(60))
    request = RepairRequest(snapshot, syntax_problems(snapshot)[0], cancel)
    repairs = asyncio.run(find_repairs(request, Helpers(*answers), checker))
    return [edited(snapshot, repair.range, repair.text).text for repair in repairs]


def test_what_no_rule_knows_the_model_may_mend():
    broken = "for x y z in range(30):\n    pass\n"
    mended = "for x in range(30):"
    assert mended + "\n    pass\n" in repaired(broken, (mended, mended))


@pytest.mark.parametrize("answer", ["for x y in range(30):", "import os", "<|fim_middle|>", ""])
def test_what_does_not_mend_is_not_offered(answer):
    broken = "for x y z in range(30):\n    pass\n"
    assert not any(answer and answer in text for text in repaired(broken, (answer, answer)))


class Checker:
    """Finds a function missing that is called, where the text parses."""

    async def errors(self, snapshot):
        if "def show(self)" in snapshot.text:
            return ()
        try:
            compile(snapshot.text, "a.py", "exec")
        except SyntaxError:
            return ()
        return (Diagnostic(Range(Position(5, 8), Position(5, 12)), "error", "missing", "no show"),)


CALLED = (
    "class A:\n    def show(self):\n        return 1\n\n    def use(self):\n        self.show()\n"
)


def test_a_rewriting_that_leaves_more_wrong_than_the_first_repair_is_not_offered():
    broken = CALLED.replace("show(self):", "show(self)")
    other = "    def shown(self):"
    assert repaired(broken, (other, other), checker=Checker()) == [CALLED]
    assert len(repaired(broken, (other, other))) == 2
