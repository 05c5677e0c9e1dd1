"""Two texts with one skeleton declare the same."""

import pytest

from surefill.syntax.skeleton import skeleton

TEXT = """import a

class B(a.C):
    size: int = 1

    def f(
        self,
        x: int,
    ) -> int:
        y = x
        class Local: ...
        return y

    async def g(self): return 1
    kept = 2

def h(): ...
class D(B):
    after_one_line = 3
"""


def same(changed, without=-1):
    return skeleton(changed, without) == skeleton(TEXT, without)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("y = x", "y = x + 1\n        z = 2"),
        ("        return y", "        if y:\n            return y"),
        ("    kept", "\n\n    kept"),
    ],
)
def test_what_stands_in_bodies_does_not_count(before, after):
    assert same(TEXT.replace(before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("class B(a.C)", "class B"),
        ("size: int", "size: str"),
        ("        x: int", "        z: int"),
        (") -> int", ") -> str"),
        ("return 1", "return 2"),  # on the header's line: kept rather than told apart
        ("kept = 2", "kept = 3"),
        ("after_one_line = 3", "after_one_line = 4"),
        ("import a\n", ""),
    ],
)
def test_what_may_matter_elsewhere_counts(before, after):
    assert not same(TEXT.replace(before, after))


def test_the_line_that_is_asked_about_does_not_count():
    line = TEXT.split("\n").index("    kept = 2")
    assert same(TEXT.replace("kept = 2", "kept = a."), without=line)


def test_a_bracket_at_the_margin_ends_no_header():
    text = "def f(\n    x,\n):\n    return {}\n"
    assert skeleton(text.format(1), -1) == skeleton(text.format(2), -1)
    assert skeleton(text.format(1), -1) != skeleton(text.format(1).replace("x", "z"), -1)
