"""Signatures: what a call takes, and which names may be passed by keyword."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


def parameters(signature):
    return [(p.name, p.kind, p.required) for p in signature.parameters]


async def test_kinds_defaults_and_annotations(python):
    found = await python.signature("import shelf\nshelf.anything(¦)\n")
    (signature,) = found.items
    assert parameters(signature) == [
        ("first", "positional-only", True),
        ("second", "positional-or-keyword", True),
        ("rest", "var-positional", False),
        ("third", "keyword-only", False),
        ("more", "var-keyword", False),
    ]
    first, *_, third, _ = signature.parameters
    assert first.annotation == "int"
    assert third.default.strip("'\"") == "a, b"
    assert found.keywords is None  # anything goes


async def test_only_declared_keywords_may_be_passed(python):
    found = await python.signature(
        "def f(a, /, b: 'dict[str, int]', *, c=(1, 2), d='='): ...\nf(¦)\n"
    )
    assert found.keywords == {"b", "c", "d"}
    assert [p.required for p in found.items[0].parameters] == [True, True, False, False]


async def test_the_active_parameter(python):
    text = "def f(a, b, *, c=1): ...\nf(1, ¦)\n"
    assert (await python.signature(text)).items[0].active == 1
    assert (await python.signature(text.replace("¦", "c=¦"))).items[0].active == 2


async def test_overloads_are_all_there(python):
    found = await python.signature("import shelf\nshelf.read(¦)\n")
    assert len(found.items) == 2
    assert found.keywords == {"path", "binary"}


async def test_an_unpacked_dictionary_s_keys_are_keywords_for_ty_and_unknown_for_pyrefly(
    python, engine
):
    found = await python.signature("import shelf\nshelf.post(¦)\n")
    expected = {"url", "data", "timeout", "verify"} if engine == "ty" else None
    assert found.keywords == expected


async def test_an_unpacked_dictionary_of_the_shadow_text_itself(python, engine):
    found = await python.signature(
        """
        from typing import TypedDict, Unpack
        class Options(TypedDict, total=False):
            depth: int
        def dig(where: str, **options: Unpack[Options]) -> None: ...
        dig("here", ¦)
        """
    )
    assert found.keywords == ({"where", "depth"} if engine == "ty" else None)


async def test_keywords_of_any_object_stay_open(python):
    found = await python.signature("def f(*, a: int, **rest: object): ...\nf(¦)\n")
    assert found.keywords is None


async def test_a_class_is_called_by_its_constructor(python):
    found = await python.signature(
        "class K:\n    def __init__(self, size: int, *, color=')'): ...\nK(¦)\n"
    )
    assert found.keywords == {"size", "color"}
    assert [p.name for p in found.items[0].parameters] == ["size", "color"]


async def test_a_data_class(python):
    found = await python.signature(
        """
        from dataclasses import dataclass
        @dataclass
        class D:
            a: int
            b: str = "x"
        D(¦)
        """
    )
    assert found.keywords == {"a", "b"}


async def test_what_takes_nothing(python):
    found = await python.signature("def f(): ...\nf(¦)\n")
    assert found.items[0].parameters == () and found.keywords == frozenset()


async def test_of_a_callable_only_types_are_known(python):
    found = await python.signature(
        "from typing import Callable\ndef f(call: Callable[[int], str]):\n    call(¦)\n"
    )
    (parameter,) = found.items[0].parameters
    assert (parameter.name, parameter.annotation) == ("", "int")
    assert found.keywords == frozenset()


@pytest.mark.parametrize("text", ["def f(x):\n    x(¦)\n", "unknown(¦)\n", "x = 1¦\n", "# f(¦)\n"])
async def test_where_nothing_is_known_anything_may_be_passed(python, text):
    found = await python.signature(text)
    assert not found or found.keywords is None


async def test_calls_within_calls_and_unfinished_ones(python):
    found = await python.signature("import shelf\nprint(shelf.read(')', ¦\nprint(2)\n")
    assert found.keywords == {"path", "binary"}


async def test_documentation_comes_along(python):
    found = await python.signature("import shelf\nshelf.post(¦)\n")
    assert "Send" in found.items[0].documentation
