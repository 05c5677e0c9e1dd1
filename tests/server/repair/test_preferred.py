"""What an editor may apply unasked, and how what is offered can be told apart."""

import pytest

from repairing import offered

ONE_WAY = [
    ("if a\n    b\n", "if a:\n    b\n"),
    ("class A\n    pass\n", "class A:\n    pass\n"),
    ("x = foo(1\ny = 2\n", "x = foo(1)\ny = 2\n"),
    ("f(**{'a': 1)\n", "f(**{'a': 1})\n"),
    ("x = 'abc\ny = 1\n", "x = 'abc'\ny = 1\n"),
    ("x = 'a' + 'b\n", "x = 'a' + 'b'\n"),
]

SEVERAL_WAYS = [
    "x = foo(bar(1), [2, 3)\n",
    "x = foo((1, 2)\n",
    "SELECT (a FROM x;\n",
    "foo(a b)\n",
    "x = y z\n",
    "d = {'a' 1, 'b': 2}\n",
    "x = foo(a]\n",
    "x = (1, 2))\n",
    "x = 1}\n",
    "if x = 3:\n    y\n",
    "x = [1,2,,3]\n",
    "const {a, b} = c;\n",
    "def f():\n",
    "def f():\nx = 1\n",
    "x = 1\n    y = 2\n",
    "import\n",
    "from x import\n",
    "x = = 3\n",
    "x = 'it's or 'its'\n",
    'def f():\n    """Doc.\n    return 1\n\n\ndef g():\n    """Other."""\n',
]


@pytest.mark.parametrize(("broken", "right"), ONE_WAY)
def test_what_adds_the_only_thing_that_can_be_missing_is_preferred(broken, right):
    assert offered(broken)[0][:2] == (right, True)


@pytest.mark.parametrize("broken", SEVERAL_WAYS)
def test_what_may_have_been_meant_otherwise_is_not_preferred(broken):
    language = "sql" if broken.startswith("SELECT") else "python"
    assert not any(preferred for _, preferred, _ in offered(broken, language))


@pytest.mark.parametrize("broken", [*SEVERAL_WAYS, *(broken for broken, _ in ONE_WAY)])
def test_each_result_is_offered_once_and_under_a_title_of_its_own(broken):
    language = "sql" if broken.startswith("SELECT") else "python"
    found = offered(broken, language)
    assert len({text for text, _, _ in found}) == len(found)
    assert len({title for _, _, title in found}) == len(found)


@pytest.mark.parametrize(
    "broken", ["import\n", "x = a and\n", "a = 1 +* 2\n", "del\n", "x = 10px\n"]
)
def test_nothing_is_mended_by_leaving_out_what_was_written(broken):
    for text, _, _ in offered(broken):
        assert len("".join(text.split())) >= len("".join(broken.split()))


@pytest.mark.parametrize(
    "broken",
    ["print('don't')\n", "x = 'it's'\n", "print('it's a dog', 3)\n", "x = foo('a, t'b')\n"],
)
def test_what_python_s_compiler_refuses_is_not_offered(broken):
    for text, _, _ in offered(broken):
        compile(text, "a.py", "exec")


def test_nothing_in_a_query_is_removed():
    for text, _, _ in offered("SELECT a, (b FROM x;\n", "sql"):
        assert len(text) == len("SELECT a, (b FROM x;\n") + 1
