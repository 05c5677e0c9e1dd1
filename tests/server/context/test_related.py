"""Excerpts of other files, chosen for a place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from surefill.context.related import OtherFile, excerpts, most_alike, words
from surefill.syntax.languages import language_for

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
