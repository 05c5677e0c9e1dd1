"""Excerpts of other files, chosen for a place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.context import related as module
from surefill.context.related import OtherFile, excerpts, most_alike, words
from surefill.context.remembered import Remembered
from surefill.syntax.languages import Language, language_for

PYTHON = language_for("python", "a.py")
MODULE = """\
def connect(host, port):
    return Session(host, port)


class Session:
    def close(self):
        pass
"""
AROUND = "session = connect(host, port)\nresponse = session.fetch(address)\n"


def test_of_an_imported_file_the_signatures_are_shown() -> None:
    files = [OtherFile("net/session.py", MODULE, PYTHON, imported=True)]
    assert excerpts(files, AROUND, 400) == [
        "net/session.py\ndef connect(host, port):\nclass Session:\n    def close(self):\n"
    ]


def test_of_others_what_is_most_alike() -> None:
    filler = "".join(f"value_{n} = compute_{n}()\n" for n in range(60))
    alike = "".join(f"response_{n} = session.fetch(address, host, port)\n" for n in range(10))
    files = [
        OtherFile("a.py", filler + alike + filler, PYTHON),
        OtherFile("b.py", filler, PYTHON),
    ]
    (found,) = excerpts(files, AROUND, 400)
    path, _, text = found.partition("\n")
    assert path == "a.py"
    assert "session.fetch(address, host, port)" in text
    assert text.count("\n") <= 24
    assert text in files[0].text


def test_the_most_important_stands_last() -> None:
    alike = "".join(f"response_{n} = session.fetch(address, host, port)\n" for n in range(10))
    files = [OtherFile("a.py", alike, PYTHON), OtherFile("b.py", MODULE, PYTHON, imported=True)]
    assert [e.partition("\n")[0] for e in excerpts(files, AROUND, 2000)] == ["a.py", "b.py"]


def test_a_copy_of_what_stands_here_is_not_shown() -> None:
    assert most_alike(AROUND, words(AROUND), 24) == ("", 0.0)
    assert most_alike("", words(AROUND), 24) == ("", 0.0)


@given(st.integers(0, 600), st.text(alphabet="ab_ \n", max_size=400), st.booleans())
def test_the_budget_is_kept_and_lines_are_whole(budget: int, text: str, imported: bool) -> None:
    files = [
        OtherFile("first.py", MODULE + text, PYTHON, imported),
        OtherFile("second.py", AROUND + text + "extra = session\n", PYTHON),
    ]
    found = excerpts(files, AROUND, budget)
    assert sum(map(len, found)) <= budget
    for excerpt in found:
        assert excerpt.endswith("\n") or text


@given(st.text(alphabet="ab_x \n\x0c\u2028\ud800", max_size=300), st.integers(6, 24))
def test_words_found_line_by_line_are_those_of_the_window(text: str, lines: int) -> None:
    for window, own in module._windows(text, lines):
        assert own == words(window)
        assert window in text


def test_of_many_words_those_used_most_count() -> None:
    line = " ".join(f"word{n}" for n in range(40)) + "\n"
    text = "".join(line.replace("word", f"w{n}") for n in range(8)) + "w7x1 w7x2 w7x3\n" * 2
    ((window, own),) = module._windows(text, 24)
    assert len(own) == module._MOST_WORDS
    assert own == words(window) >= {"w7x1", "w7x2", "w7x3"}


def test_a_file_is_parsed_once_and_texts_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    original = module.outline

    def outline(text: str, language: Language) -> str:
        parsed.append(text[:20])
        return original(text, language)

    monkeypatch.setattr(module, "outline", outline)
    monkeypatch.setattr(module, "_outlines", Remembered(300_000))
    monkeypatch.setattr(module, "_words", Remembered(300_000))

    def ask(number: int) -> None:
        text = f"# {number}\n" + MODULE * 1_200
        files = [OtherFile("a.py", text, PYTHON, imported=each) for each in (True, False)]
        excerpts(files, AROUND, 400)

    for number in (1, 2, 1, 2, 3, 3, 1):
        ask(number)
    assert [text[2] for text in parsed] == ["1", "2", "3", "1"]
    assert len(module._words) == 2
    assert all(len(key) == 16 for key in module._words._entries)
    assert all(len(key) == 16 for key, _ in module._outlines._entries)
