"""The project's memory: what it is told arrives, in order, without anyone waiting."""

import threading

import pytest

from surefill.completion.memory import ProjectMemory
from surefill.engine.ngrams.cache import TokenCache


class Letters:
    """A tokenizer of one token for each character; lines can be held up."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.lines = []

    def encode(self, text):
        return [ord(character) for character in text]

    def encode_line(self, line):
        self.gate.wait(10)
        self.lines.append(line)
        if "boom" in line:
            raise ValueError(line)
        return tuple(self.encode(line))


@pytest.fixture
def tokenizer():
    return Letters()


@pytest.fixture
def cache():
    return TokenCache(256)


@pytest.fixture
def memory(cache, tokenizer):
    made = ProjectMemory(cache, tokenizer)
    yield made
    tokenizer.gate.set()
    made.close()


def known(cache, text):
    context = [ord(character) for character in text]
    found = cache.view.evidence(context, (len(context),))
    return "".join(sorted(chr(t) for e in found.values() for t in e.tokens.tolist()))


def test_updates_arrive_and_replace_what_was_there(memory, cache, tokenizer):
    memory.update("a", "def f\r\nx")
    memory.update("b", "def g\n")
    memory.flush()
    assert known(cache, "def ") == "fg"
    assert tokenizer.lines == ["def f\n", "x", "def g\n", ""]
    memory.update("a", "def h")
    memory.remove("b")
    memory.flush()
    assert known(cache, "def ") == "h"


def test_a_caller_never_waits_and_only_the_last_version_is_read(memory, cache, tokenizer):
    tokenizer.gate.clear()
    memory.update("first", "one")
    for number in range(100):
        memory.update("typed", f"version {number}")
    tokenizer.gate.set()
    memory.flush()
    assert sum(line.startswith("version") for line in tokenizer.lines) <= 2
    assert known(cache, "rsion 9") == "9"


def test_a_document_that_fails_does_not_end_it(memory, cache, caplog):
    memory.update("a", "boom")
    memory.flush()
    assert "could not be remembered" in caplog.text
    memory.update("a", "fine")
    memory.flush()
    assert known(cache, "fin") == "e"


def test_a_closed_memory_ignores_everything(memory, cache):
    memory.close()
    memory.update("a", "text")
    memory.flush()
    memory.close()
    assert cache.tokens == 0


def test_tokens_that_cross_lines_are_made_of_the_whole_text(cache, tokenizer):
    memory = ProjectMemory(cache, tokenizer, per_line=False)
    memory.update("a", "x\ny")
    memory.flush()
    assert known(cache, "x\n") == "y"
    assert tokenizer.lines == []
    memory.close()
