"""Diagnostics, descriptions and origins; and that a suggestion leaves no trace."""

import asyncio
import re
import sys
import time

import pytest

from surefill.oracle.answers import Source

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = {
    "ty": {
        "name": "unresolved-reference",
        "syntax": "invalid-syntax",
        "type": "invalid-assignment",
    },
    "pyrefly": {"name": "unknown-name", "syntax": "parse-error", "type": "bad-assignment"},
}


async def test_errors_with_their_codes(python, engine):
    codes = NAMES[engine]
    assert await python.codes("x: int = 'a'\nprint(y)\n") == [
        (0, codes["type"]),
        (1, codes["name"]),
    ]
    assert (0, codes["syntax"]) in await python.codes("def (:\n")
    assert await python.codes("x = 1\n") == []


async def test_no_errors_is_an_answer(python):
    found = await python.ask("diagnostics", "x = 1\n")
    assert found and found.items == ()


async def test_ranges_are_in_code_points(python):
    found = await python.ask("diagnostics", "'𝕏𝕏ä'; nowhere\n")
    (error,) = found.errors
    assert (error.range.start, error.range.end) == ((0, 7), (0, 14))


async def test_positions_are_in_code_points(python):
    members = await python.members("'𝕏𝕏ä'; 'x'.¦; '𝕏'\n")
    assert "upper" in members.names and members.closed


async def test_an_api_that_does_not_exist_in_the_environment(python):
    codes = await python.codes("import shelf\nshelf.pots('x')\nimport shelve_\n")
    assert [line for line, _ in codes] == [1, 2]


async def test_a_document_that_was_never_opened_can_be_asked_about(python):
    assert await python.codes("nowhere\n", name="new.py")
    assert await python.codes("x = 1\n") == []


async def test_a_suggestion_is_gone_before_another_document_is_looked_at(python, engine):
    python.oracle.open(python.uri("pack/there.py"), "def helper(): ...\n")
    with_suggestion = "def helper(): ...\ndef suggested(): ...\n"
    assert await python.codes(with_suggestion, name="pack/there.py") == []
    user = "from pack.there import helper, suggested\n"
    assert len(await python.codes(user)) == 1
    python.oracle.update(python.uri("pack/there.py"), with_suggestion)
    # ty looks at what the user sees, pyrefly at what is on the disk
    assert len(await python.codes(user)) == (0 if engine == "ty" else 1)
    python.oracle.close_document(python.uri("pack/there.py"))
    assert len(await python.codes(user)) == 1


async def test_questions_asked_at_once_get_the_answers_to_their_own_texts(python):
    texts = [f"name_{n} = {n}\nprint(name_{n}, nowhere_{n})\n" for n in range(10)]
    found = await asyncio.gather(*(python.ask("diagnostics", text) for text in texts))
    for number, answer in enumerate(found):
        (error,) = answer.errors
        assert f"nowhere_{number}" in error.message


async def test_a_changed_file_is_read_again(python):
    path = python.folder / "pack" / "there.py"
    text = "from pack.there import fresh\n"
    before = path.read_text()
    assert len(await python.codes(text)) == 1
    try:
        path.write_text("fresh = 1\n")
        python.oracle.files_changed([(path.as_uri(), 2)])
        limit = time.monotonic() + 60
        while await python.codes(text):
            assert time.monotonic() < limit
            await asyncio.sleep(0.05)
    finally:
        path.write_text(before)
        python.oracle.files_changed([(path.as_uri(), 2)])


async def test_circular_imports(python):
    for one, other in (("left", "right"), ("right", "left")):
        path = python.folder / f"{one}.py"
        path.write_text(f"import {other}\nclass {one.title()}: ...\n")
        python.oracle.files_changed([(path.as_uri(), 1)])
    limit = time.monotonic() + 60
    while not (members := await python.members("import left\nleft.right.left.¦\n")).closed:
        assert time.monotonic() < limit  # pyrefly takes new files in on the side
        await asyncio.sleep(0.05)
    assert "Left" in members.names


async def test_half_a_surrogate_pair_is_survived(python):
    source = Source(python.uri(), "x = '\ud800'\nprint(nowhere)\n")
    found = await python.oracle.diagnostics(source, deadline=time.monotonic() + 60)
    (error,) = found.errors
    assert error.range.start == (1, 6)


# What is known of a symbol


async def test_hover(python):
    found = await python.ask("hover", "import shelf\nshelf.po¦st\n")
    assert "url" in found.markdown
    assert "Send" in found.markdown
    assert not await python.ask("hover", "\n¦\n")


async def test_describe_a_member(python):
    found = await python.ask("describe", "import shelf\nshelf.¦\n", "post")
    assert found.name == "post"
    assert re.search(r"url *: str", found.signature)
    assert "Send" in found.documentation
    assert not await python.ask("describe", "import shelf\nshelf.¦\n", "nothing")


async def test_the_origin_of_a_library_s_symbol(python):
    found = await python.ask("origin", "import shelf\nshelf.po¦st\n")
    assert (found.kind, found.name, found.version) == ("distribution", "shelf-dist", "1.2.3")
    assert found.path.name == "__init__.py" and found.path.parent.name == "shelf"


@pytest.mark.parametrize("text", ["import json\njson.lo¦ads\n", "prin¦t\n"])
async def test_the_origin_of_the_standard_library_is_python(python, text):
    found = await python.ask("origin", text)
    version = ".".join(map(str, sys.version_info[:3]))
    assert (found.kind, found.name, found.version) == ("stdlib", "python", version)


async def test_the_origin_of_the_user_s_own_symbol(python):
    found = await python.ask("origin", "from pack.there import helper\nhelp¦er\n")
    assert found.kind == "workspace" and found.path.name == "there.py"
    assert not await python.ask("origin", "nowhe¦re\n")
