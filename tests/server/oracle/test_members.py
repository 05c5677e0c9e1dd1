"""Members: what may stand behind a receiver and in an import, and whether that is all."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEHIND = """
    import os
    from typing import Any
    import shelf

    class Plain:
        size: int = 0
        def grow(self, by: int) -> None: ...

    def work(plain: Plain, maybe: "Plain | None", anything: Any, untyped, either: "Plain | str"):
        {}
"""


def behind(expression):
    return BEHIND.format(expression)


@pytest.mark.parametrize(
    "expression", ["plain.¦", "plain.gro¦", "plain.¦grow(1)", "print(plain.¦, 1)", "x = [plain.¦]"]
)
async def test_of_a_known_type_all_members_are_listed_whatever_stands_there(python, expression):
    members = await python.members(behind(expression))
    assert {"size", "grow"} <= members.names
    assert members.closed and not members.dynamic and not members.optional
    assert members.lacks("shrink") and not members.lacks("grow")


async def test_a_module_s_members_are_known(python):
    members = await python.members(behind("os.¦"))
    assert "getcwd" in members.names
    assert members.lacks("get_cwd")


@pytest.mark.parametrize(
    "expression", ["anything.¦", "untyped.¦", "undefined.¦", "shelf.Frame().column.¦"]
)
async def test_where_no_type_is_known_absence_proves_nothing(python, expression):
    members = await python.members(behind(expression))
    assert members.dynamic and not members.closed
    assert not members.lacks("whatever")


async def test_a_class_with_getattr_lists_what_it_declares_and_proves_nothing(python):
    members = await python.members(behind("shelf.Frame().¦"))
    assert {"groupby", "merge", "columns"} <= members.names
    assert "group_by" not in members.names
    assert members.dynamic and not members.closed


@pytest.mark.parametrize("expression", ["maybe.¦", "return [maybe.¦]", "maybe.gr¦ow(2)"])
async def test_of_what_may_be_none_the_other_type_s_members_are_listed(python, expression):
    members = await python.members(behind(expression))
    assert members.optional and members.closed
    assert {"size", "grow"} <= members.names
    assert members.receiver == "Plain | None"


async def test_a_call_s_optional_result_is_seen_through(python):
    members = await python.members(behind("shelf.find('a').¦"))
    assert members.optional and members.dynamic
    assert "groupby" in members.names


@pytest.mark.parametrize("type_", ["Generator[int, None, None]", "dict[str, list[int | None]]"])
async def test_none_inside_of_a_type_does_not_make_it_optional(python, type_):
    text = f"from collections.abc import Generator\ndef f(x: {type_}):\n    x.¦\n"
    members = await python.members(text)
    assert members.closed and not members.optional


async def test_what_may_be_none_or_anything_proves_nothing(python):
    text = "from typing import Any\ndef f(x: Any | None):\n    x.¦\n"
    members = await python.members(text)
    assert members.optional and members.dynamic and not members.closed


async def test_of_a_union_the_list_is_closed(python, engine):
    members = await python.members(behind("either.¦"))
    assert members.closed
    # ty lists what all types have in common, pyrefly what any of them has
    assert ("size" in members.names) == (engine == "pyrefly")


async def test_members_of_self_and_what_the_shadow_text_itself_defines(python):
    members = await python.members(
        """
        class Later:
            def __init__(self): self.field = 1
            def method(self):
                self.¦
        """
    )
    assert {"field", "method"} <= members.names and members.closed


async def test_kinds_and_details_are_told(python):
    members = await python.members(behind("plain.¦"))
    (grow,) = [member for member in members.items if member.name == "grow"]
    assert grow.kind == "method"
    assert "int" in grow.detail


async def test_a_file_that_does_not_parse_elsewhere_is_no_obstacle(python):
    members = await python.members("def f(:\n  x = 1 1\n\n'a'.¦\nclass ]]\n")
    assert "upper" in members.names and members.closed


@pytest.mark.parametrize("text", ["# os.¦\n", "'''\nos.¦\n'''\n"])
async def test_where_nothing_can_be_asked_nothing_is_proven(python, text):
    members = await python.members(text)
    assert not members or not members.lacks("whatever")


async def test_unreachable_code_proves_nothing_wrong(python):
    members = await python.members("def f():\n    return 1\n    import os\n    os.¦\n")
    assert not members.lacks("getcwd")


async def test_names_in_scope(python):
    members = await python.members("first = 1\ndef second(third): ...\n¦\n")
    assert {"first", "second", "print"} <= members.names
    assert "while" not in members.names
    assert members.lacks("fourth")


async def test_names_that_need_an_import_are_not_listed(python):
    members = await python.members("¦\n")
    assert not {"DataFrame", "getcwd", "shelf"} & members.names


# Imports


@pytest.mark.parametrize("text", ["import she¦\n", "from she¦\n", "import os, she¦\n"])
async def test_modules_are_listed_from_what_was_typed(python, text):
    members = await python.members(text)
    assert "shelf" in members.names
    assert not members.dynamic


async def test_all_modules_are_listed_by_ty_only(python, engine):
    members = await python.members("import ¦\n")
    if engine == "ty":
        assert {"os", "shelf", "json"} <= members.names
        assert members.closed and members.lacks("numpyy")
    else:  # pyrefly wants the beginning of a name, and what it lists is never all
        assert not members.closed


async def test_names_of_a_module_are_listed(python):
    members = await python.members("from shelf import ¦\n")
    assert {"Frame", "post", "read"} <= members.names
    assert members.lacks("Fram")


@pytest.mark.parametrize("text", ["import shelf.¦\n", "from shelf.¦\n"])
async def test_modules_of_a_package_are_listed(python, text):
    members = await python.members(text)
    assert {"many", "parts"} <= members.names and "Frame" not in members.names
    assert members.lacks("few")


async def test_of_a_module_that_does_not_exist_nothing_is_known(python):
    members = await python.members("from nowhere import ¦\n")
    assert not members.lacks("whatever")


async def test_relative_imports(python):
    members = await python.members("from .there import ¦\n", name="pack/here.py")
    assert "helper" in members.names and members.lacks("helpers")


# More than a thousand


async def test_a_list_that_the_checker_cuts_is_not_closed(python, engine):
    members = await python.members("import shelf.many\nshelf.many.¦\n")
    assert "name_0000" in members.names
    assert members.closed == (engine == "pyrefly")  # ty sends 1000 items at most
    assert not members.lacks("name_1499")


async def test_of_a_cut_list_what_was_typed_is_listed(python):
    members = await python.members("import shelf.many\nshelf.many.name_149¦\n")
    assert {f"name_149{digit}" for digit in range(10)} <= members.names
    assert not members.lacks("name_0000")


BASED = "import nowhere\n\nclass Thing({}):\n    size = 1\n\n"


async def test_a_class_takes_any_name_as_soon_as_its_base_is_not_known(python):
    for _ in range(2):
        assert (await python.members(BASED.format("object") + "Thing().¦\n")).closed
        assert not (await python.members(BASED.format("nowhere.Base") + "Thing().¦\n")).closed


async def test_a_class_of_another_document_is_what_that_document_says_now(python, engine):
    if engine != "ty":
        pytest.skip("it looks at what is on the disk")
    uri, user = python.uri("pack/there.py"), "from pack.there import Thing\n\nThing().¦\n"
    python.oracle.open(uri, BASED.format("object"))
    assert (await python.members(user)).closed
    python.oracle.update(uri, BASED.format("nowhere.Base"))
    assert not (await python.members(user)).closed
    python.oracle.close_document(uri)
