"""An answer that the checker had no time for is gone on from, and not given again."""

import sys
from pathlib import Path

import pytest

from fakes import FakeEngine
from surefill.completion.pipeline import CompletionPipeline
from surefill.completion.suggestion import CompletionRequest
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.interface import Cancellation
from surefill.oracle.service import OracleService
from surefill.settings import OracleSettings, Settings
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position

FAKE_SERVER = Path(__file__).parents[1] / "oracle" / "fake_server.py"


class Characters:
    """A tokenizer with one token per character."""

    def encode(self, text):
        return [ord(character) for character in text]

    def decode(self, ids):
        return "".join(map(chr, ids))

    def special(self, token):
        return 0x110000 + list(TEMPLATES["qwen2.5-coder"].special_tokens()).index(token)


@pytest.fixture
def served(tmp_path):
    """A pipeline whose checker is there and never answers."""
    service = OracleService()
    command = (sys.executable, str(FAKE_SERVER), "hangs")
    service.configure(OracleSettings(servers={"python": command}), [tmp_path])
    context = ContextBuilder(Characters(), TEMPLATES["qwen2.5-coder"], "spm", 1024)
    yield CompletionPipeline(context, Settings(), oracle=service)
    service.close(10)


def request(text):
    snapshot = Document("file:///a.py", language_for("python", None), text + "\n").snapshot()
    return CompletionRequest(snapshot, Position(0, len(text)), deadline_ms=1000)


def test_an_unchecked_answer_is_typed_through_and_asked_for_again(served):
    engine = FakeEngine(default="total")
    first = served.complete(request("x = "), engine, Cancellation())
    assert [each.text for each in first.suggestions] == ["total"]
    assert first.suggestions[0].verdicts["types"].outcome == "unchecked"
    typed = served.lookup(request("x = to"))
    assert [each.text for each in typed.suggestions] == ["tal"]
    assert served.lookup(request("x = ")) is None
