"""What the benchmark asks: where holes are cut, and what of a suggestion is compared."""

from __future__ import annotations

import ast

import pytest

from small_corpus import module
from surefill_training.corpus.documents import Document
from surefill_training.errors import CorpusError
from surefill_training.evaluate.holes import TASKS, Hole, Task, draw_holes, find_tasks

DOCUMENTS = [
    Document(source, f"{source}/m{i}.py", module(100 * number + i))
    for number, source in enumerate(("alpha", "beta"))
    for i in range(4 + number)
]
CODE = '''\
class Thing:
    """A thing with ünïcode."""

    def total(self, first, second):
        """Add them."""
        value = self.scale(first, second * 2)
        other = [self.names[0], value]
        return self.check(
            value,
            other,
        )
'''


def cut(code: str, task: Task, path: str = "thing/code.py", count: int = 300) -> list[Hole]:
    return draw_holes([Document("thing", path, code)], task, count, 0)


@pytest.mark.parametrize("task", TASKS)
def test_holes_are_spread_and_reproducible(task: Task) -> None:
    holes = draw_holes(DOCUMENTS, task, 36, seed=3)
    assert len({hole.id for hole in holes}) == 36
    assert holes == draw_holes(DOCUMENTS[::-1], task, 36, seed=3)
    assert holes[:10] == draw_holes(DOCUMENTS, task, 10, seed=3)
    assert holes != draw_holes(DOCUMENTS, task, 36, seed=4)
    for source in ("alpha", "beta"):
        assert 12 <= sum(hole.document.source == source for hole in holes) <= 24
    assert len({hole.document for hole in holes}) == len(DOCUMENTS)
    for hole in holes:
        assert hole.prefix + hole.middle + hole.suffix == hole.document.text
        assert len(hole.middle.strip()) >= 3
        assert hole.explicit == (task == "lines")
        assert not (hole.prefix[-1:].isidentifier() and hole.suffix[:1].isidentifier())


def test_line_ends_and_insides_stay_in_their_line() -> None:
    for hole in cut(CODE, "line_end"):
        assert "\n" not in hole.middle
        assert hole.suffix.startswith("\n")
    for hole in cut(CODE, "inside"):
        assert "\n" not in hole.middle
        assert hole.suffix.split("\n")[0].strip()
    assert "first, second * 2" in {hole.middle for hole in cut(CODE, "inside")}


def test_arguments_are_masked_between_their_brackets() -> None:
    holes = cut(CODE, "call_arguments")
    assert {hole.middle.strip() for hole in holes} == {
        "first, second * 2",
        "value,\n            other,",
    }
    for hole in holes:
        assert (hole.prefix[-1], hole.suffix[0]) == ("(", ")")


def test_members_are_compared_by_name_only() -> None:
    holes = cut(CODE, "member")
    assert {hole.truth for hole in holes} == {"scale", "names", "check"}
    (hole,) = [hole for hole in holes if hole.truth == "scale"]
    assert hole.prefix.endswith("self.")
    assert hole.middle == "scale(first, second * 2)"
    assert hole.compared("scale()  # not") == "scale"
    assert hole.compared("scales") != hole.truth
    assert hole.compared("(scale") == ""


def test_blocks_end_where_the_block_ends() -> None:
    middles = {hole.middle for hole in cut(CODE, "lines")}
    body = CODE[CODE.index("        value") :].rstrip("\n")
    assert "\n" + body in middles  # behind the docstring
    assert body.removeprefix("        ").partition("\n")[2].lstrip() in middles
    assert not any(middle.strip().startswith('"""') for middle in middles)
    for hole in draw_holes(DOCUMENTS, "lines", 40, 0):
        assert 2 <= sum(bool(line.strip()) for line in hole.middle.split("\n")) <= 12
        ast.parse(hole.prefix + hole.middle + hole.suffix)


def test_space_at_the_ends_of_lines_is_nobodys_intention() -> None:
    hole = cut(CODE, "lines")[0]
    assert hole.compared("\n    a = 1  \n    b = 2\n\n") == "\n    a = 1\n    b = 2"
    assert hole.compared("  a = 1") != hole.compared("a = 1")


def test_only_python_has_calls_members_and_blocks() -> None:
    script = "const total = first.scale(second, third);\n" * 20
    assert cut(script, "line_end", "thing/code.js", 5)
    for task in ("lines", "call_arguments", "member"):
        with pytest.raises(CorpusError, match=f"no place for the task {task}"):
            cut(script, task, "thing/code.js", 5)


def test_documents_without_holes() -> None:
    for task in TASKS:
        with pytest.raises(CorpusError, match="no place for the task"):
            draw_holes([], task, 5, 0)
        with pytest.raises(CorpusError, match="no place for the task"):
            cut("\n\n", task)


def test_tasks_by_name() -> None:
    assert find_tasks("member, lines,member") == ("member", "lines")
    with pytest.raises(CorpusError, match=r"no task 'ends'. Choose among line_end, lines"):
        find_tasks("member,ends")
    with pytest.raises(CorpusError, match="Name at least one task"):
        find_tasks(" ,")
