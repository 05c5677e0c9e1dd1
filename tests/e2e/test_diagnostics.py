"""Problems and quick fixes as editors get them: pulled or pushed, with a real type checker."""

import time
import venv

import pytest

PULLS = {"diagnostic": {}}
PUBLISH = "textDocument/publishDiagnostics"
REFRESH = "workspace/diagnostic/refresh"
REFRESHES = {"diagnostics": {"refreshSupport": True}}
NO_CHECKER = {"oracle": {"engine": "off"}}
BROKEN = "x = foo(1\ny = 2\n"
MESSAGE = "This `(` is never closed."


def pull(editor, uri, previous=None):
    params = {"textDocument": {"uri": uri}}
    return editor.call(
        "textDocument/diagnostic", {**params, "previousResultId": previous} if previous else params
    )


def messages(report):
    return [each["message"] for each in report["items"]]


def actions(editor, uri, span, *diagnostics, **context):
    return editor.call(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": uri},
            "range": span,
            "context": {"diagnostics": list(diagnostics), **context},
        },
    )


def configure(editor, **settings):
    editor.configure({**NO_CHECKER, **settings})


def applied(text, action):
    (changes,) = action["edit"]["changes"].values()
    (change,) = changes
    lines = text.split("\n")
    start, end = change["range"]["start"], change["range"]["end"]
    before = "\n".join([*lines[: start["line"]], lines[start["line"]][: start["character"]]])
    after = "\n".join([lines[end["line"]][end["character"] :], *lines[end["line"] + 1 :]])
    return before + change["newText"] + after


@pytest.fixture
def pulling(scripted):
    editor = scripted()
    editor.initialize(NO_CHECKER, document=PULLS, workspace=REFRESHES)
    return editor


@pytest.fixture
def pushed(scripted):
    editor = scripted()
    editor.initialize(NO_CHECKER)
    return editor


def test_problems_are_pulled(pulling):
    uri = pulling.open(BROKEN)
    report = pull(pulling, uri)
    (item,) = report["items"]
    assert report["kind"] == "full"
    assert item == {
        "range": {"start": {"line": 0, "character": 7}, "end": {"line": 0, "character": 8}},
        "severity": 1,
        "code": "surefill/syntax",
        "source": "surefill",
        "message": MESSAGE,
    }


def test_what_has_not_changed_is_not_sent_again(pulling):
    uri = pulling.open(BROKEN)
    first = pull(pulling, uri)["resultId"]
    assert pull(pulling, uri, first) == {"kind": "unchanged", "resultId": first}
    pulling.change(uri, 2, (0, 9), (0, 9), ")")
    report = pull(pulling, uri, first)
    assert (report["kind"], report["items"]) == ("full", [])


def test_who_pulls_is_pushed_nothing(pulling):
    uri = pulling.open("z = [\n" + BROKEN)
    pulling.change(uri, 2, (2, 5), (2, 5), " +")
    assert len(messages(pull(pulling, uri))) > 0
    time.sleep(1.0)
    assert pulling.told(PUBLISH) == []


def test_the_line_that_is_typed_in_is_left_out_of_a_pull_until_it_rests(pulling):
    uri = pulling.open("x = foo(1)\ny = bar(2)\n")
    pulling.change(uri, 2, (0, 9), (0, 10), "")  # broken, and left
    pulling.change(uri, 3, (1, 9), (1, 10), "")  # broken, and the cursor is here
    (item,) = pull(pulling, uri)["items"]
    assert item["range"]["start"]["line"] == 0
    pulling.wait_until_asked(REFRESH)
    assert [each["range"]["start"]["line"] for each in pull(pulling, uri)["items"]] == [0, 1]


def test_an_editor_that_cannot_be_asked_to_pull_again_is_told_at_once(scripted):
    editor = scripted()
    editor.initialize(NO_CHECKER, document=PULLS)
    uri = editor.open("x = foo(1)\n")
    editor.change(uri, 2, (0, 9), (0, 10), "")
    assert messages(pull(editor, uri)) == [MESSAGE]


def test_a_category_can_be_switched_off_and_the_editor_is_told(pulling):
    uri = pulling.open(BROKEN)
    assert messages(pull(pulling, uri)) == [MESSAGE]
    configure(pulling, diagnostics={"syntax": False})
    pulling.status()
    assert messages(pull(pulling, uri)) == []
    assert REFRESH in [each["method"] for each in pulling.requests]


def test_who_does_not_pull_is_pushed_with_the_version(pushed):
    uri = pushed.open(BROKEN, version=7)
    told = pushed.wait_until_told(PUBLISH)
    assert (told["uri"], told["version"]) == (uri, 7)
    assert [each["message"] for each in told["diagnostics"]] == [MESSAGE]


def test_a_sound_document_is_pushed_nothing(pushed):
    pushed.open("x = 1\n")
    pushed.open(BROKEN, uri="file:///project/other.py")
    pushed.wait_until_told(PUBLISH)
    assert {each["uri"] for each in pushed.told(PUBLISH)} == {"file:///project/other.py"}


def test_the_line_that_is_typed_in_waits_longer_than_the_others(pushed):
    uri = pushed.open("x = foo(1)\ny = bar(2)\n")
    pushed.change(uri, 2, (0, 9), (0, 10), "")  # broken, and left
    pushed.change(uri, 3, (1, 9), (1, 10), "")  # broken, and the cursor is here
    told = pushed.wait_until_told(PUBLISH, lambda params: len(params["diagnostics"]) == 2)
    assert told["version"] == 3
    counts = [len(each["diagnostics"]) for each in pushed.told(PUBLISH)]
    assert counts[0] == 1
    assert pushed.told(PUBLISH)[0]["diagnostics"][0]["range"]["start"]["line"] == 0


def test_mended_problems_and_closed_documents_are_cleared(pushed):
    uri = pushed.open(BROKEN)
    pushed.wait_until_told(PUBLISH)
    pushed.change(uri, 2, (0, 9), (0, 9), ")")
    pushed.wait_until_told(PUBLISH, lambda params: params.get("version") == 2)
    pushed.change(uri, 3, (0, 9), (0, 10), "")
    pushed.wait_until_told(PUBLISH, lambda params: params.get("version") == 3)
    pushed.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    pushed.wait_until_told(PUBLISH, lambda params: "version" not in params)
    last = pushed.told(PUBLISH)[-1]
    assert (last["uri"], last["diagnostics"]) == (uri, [])


def test_switching_off_clears_what_was_pushed(pushed):
    pushed.open(BROKEN)
    pushed.wait_until_told(PUBLISH)
    configure(pushed, diagnostics={"syntax": False})
    pushed.wait_until_told(PUBLISH, lambda params: not params["diagnostics"])


def test_nothing_is_sent_after_shutdown(pushed):
    uri = pushed.open("x = 1\n")
    pushed.change(uri, 2, (0, 5), (0, 5), " +")
    pushed.call("shutdown")
    time.sleep(2.5)
    assert pushed.told(PUBLISH) == []


def test_unknown_languages_and_documents_have_no_problems(pulling):
    uri = pulling.open("((((", uri="file:///a.xyz", language="klingon")
    assert messages(pull(pulling, uri)) == []
    assert messages(pull(pulling, "file:///not/open.py")) == []
    assert actions(pulling, "file:///not/open.py", {"start": at(0, 0), "end": at(0, 0)}) == []


def at(line, character):
    return {"line": line, "character": character}


def test_a_repair_is_a_quick_fix_of_its_diagnostic(pulling):
    uri = pulling.open(BROKEN)
    (item,) = pull(pulling, uri)["items"]
    first, *others = actions(pulling, uri, item["range"], item)
    assert (first["kind"], first["isPreferred"]) == ("quickfix", True)
    assert first["diagnostics"] == [item]
    assert applied(BROKEN, first) == "x = foo(1)\ny = 2\n"
    assert len(others) <= 2
    assert not any(each.get("isPreferred") for each in others)


@pytest.mark.parametrize(
    ("written", "meant", "preferred"),
    [
        ("x && y\n", "x and y\n", True),
        ("!x\n", "not x\n", True),
        ("x = 'it's'\n", 'x = "it\'s"\n', True),
        ("const x = 1;\n", "x = 1\n", False),
        ("if x = 1:\n    pass\n", "if x == 1:\n    pass\n", False),
    ],
)
def test_only_what_means_the_same_is_preferred(pulling, written, meant, preferred):
    uri = pulling.open(written)
    (item,) = pull(pulling, uri)["items"]
    first, *others = actions(pulling, uri, item["range"], item)
    assert (applied(written, first), first["isPreferred"]) == (meant, preferred)
    assert not any(each.get("isPreferred") for each in others)
    results = [applied(written, each) for each in (first, *others)]
    titles = [each["title"] for each in (first, *others)]
    assert len(set(results)) == len(results) == len(set(titles))


def test_a_fix_of_two_problems_is_offered_once(pulling):
    uri = pulling.open("function f(a) {\n    return a;\n}\n")
    items = pull(pulling, uri)["items"]
    span = {"start": items[0]["range"]["start"], "end": items[-1]["range"]["end"]}
    found = actions(pulling, uri, span, *items)
    assert len(items) == 2
    assert applied("function f(a) {\n    return a;\n}\n", found[0]) == "def f(a):\n    return a\n"
    assert len({each["title"] for each in found}) == len(found)
    assert len({str(each["edit"]) for each in found}) == len(found)


def test_the_cursor_anywhere_in_the_line_is_enough(pulling):
    uri = pulling.open(BROKEN)
    assert actions(pulling, uri, {"start": at(0, 0), "end": at(0, 0)})
    assert actions(pulling, uri, {"start": at(1, 0), "end": at(1, 0)}) == []


def test_an_editor_that_asks_by_itself_is_offered_fixes_only_of_what_it_shows(pulling):
    uri = pulling.open(BROKEN)
    span = {"start": at(0, 0), "end": at(0, 0)}
    (item,) = pull(pulling, uri)["items"]
    by_itself, by_the_user = 2, 1
    assert actions(pulling, uri, span, triggerKind=by_itself) == []
    assert actions(pulling, uri, span, item, triggerKind=by_itself)
    assert actions(pulling, uri, span, triggerKind=by_the_user)


def test_only_quick_fixes_are_offered(pulling):
    uri = pulling.open(BROKEN)
    span = {"start": at(0, 0), "end": at(0, 0)}
    assert actions(pulling, uri, span, only=["refactor", "source"]) == []
    assert actions(pulling, uri, span, only=["quickfix"])


def test_an_edit_is_sent_when_the_action_is_chosen_where_the_editor_asks_for_it(scripted):
    editor = scripted()
    resolves = {"dataSupport": True, "resolveSupport": {"properties": ["edit"]}}
    editor.initialize(
        NO_CHECKER,
        document={**PULLS, "codeAction": resolves},
        workspace={"workspaceEdit": {"documentChanges": True}},
    )
    uri = editor.open(BROKEN, version=3)
    span = {"start": at(0, 0), "end": at(0, 0)}
    action, *_ = actions(editor, uri, span)
    assert "edit" not in action
    (change,) = editor.call("codeAction/resolve", action)["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 3}
    assert change["edits"][0]["newText"] == ")"
    editor.change(uri, 4, (0, 0), (0, 0), "# ")
    assert "edit" not in editor.call("codeAction/resolve", action)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_positions_are_in_the_editor_s_units(scripted, encoding):
    editor = scripted()
    editor.initialize(NO_CHECKER, encodings=[encoding], document=PULLS)
    before = "x = ('🎉漢', "
    uri = editor.open(f"{before}foo(1\ny = 2\n")
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    (item,) = pull(editor, uri)["items"]
    assert item["range"]["start"] == at(0, len(f"{before}foo".encode(codec)) // width)
    action, *_ = actions(editor, uri, item["range"], item)
    (change,) = action["edit"]["changes"][uri]
    assert change["range"]["start"] == at(0, len(f"{before}foo(1".encode(codec)) // width)


APIS = """\
from pathlib import Path
from collections import OrderedDcit as Ordered
from typing import TypedDict, Unpack


class Options(TypedDict, total=False):
    colour: str


def paint(name: str, **options: Unpack[Options]) -> None: ...


paint("a", colur="red")


class Shop:
    def sell(self, name, *, price=1):
        return self.sel(name, price=price)


Path("a").mkdri()
Shop().sell("a", prize=2)
open("a", encodng="utf-8")


def free(anything, perhaps: str | None):
    anything.whatever()
    if perhaps:
        perhaps.upper()
    return perhaps.upper()


try:
    import not_there
except ImportError:
    not_there = None
"""


@pytest.fixture(scope="module")
def checked(editors, tmp_path_factory):
    """A session with a real bundle and a checker, and the problems of ``APIS``."""
    folder = tmp_path_factory.mktemp("shop")
    editor = editors()
    editor.initialize(document=PULLS, folders=[folder])
    editor.wait_until_loaded()
    uri = editor.open(APIS, uri=(folder / "shop.py").as_uri())
    give_up = time.monotonic() + 60
    while not (items := pull(editor, uri)["items"]):
        assert time.monotonic() < give_up, "the checker has found nothing"
    return editor, uri, items


def test_what_does_not_exist_is_found_and_nothing_else(checked):
    _, _, items = checked
    lines = APIS.split("\n")
    found = {
        (
            each["code"].removeprefix("surefill/"),
            lines[each["range"]["start"]["line"]][
                each["range"]["start"]["character"] : each["range"]["end"]["character"]
            ],
        )
        for each in items
    }
    assert found == {
        ("unresolved-import", "OrderedDcit"),
        ("unknown-member", "sel"),
        ("unknown-member", "mkdri"),
        ("unknown-keyword", "prize"),
        ("unknown-keyword", "colur"),
        ("unknown-keyword", "encodng"),
    }


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("OrderedDcit", "OrderedDict"),
        ("self.sel(", "self.sell("),
        ("mkdri", "mkdir"),
        ("prize", "price"),
        ("colur", "colour"),
        ("encodng", "encoding"),
    ],
)
def test_the_first_repair_is_the_name_that_was_meant(checked, wrong, right):
    editor, uri, items = checked
    line = APIS[: APIS.index(wrong)].count("\n")
    (item,) = [each for each in items if each["range"]["start"]["line"] == line]
    offered = actions(editor, uri, item["range"], item)
    assert 1 <= len(offered) <= 3
    assert applied(APIS, offered[0]) == APIS.replace(wrong, right)


BESIDE_ERRORS = "import os\nimport torhc\nimport cv2\n\nx = os.getcwdd()\n\nif a && b\n    pass\n"


@pytest.fixture(scope="module")
def beside_errors(checked, tmp_path_factory):
    """Fixes of each line of a document that does not parse, in an environment without packages."""
    editor, *_ = checked
    python = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(python, with_pip=False)
    editor.configure({"oracle": {"python": str(python)}})
    uri = editor.open(BESIDE_ERRORS, uri=(python.parent / "job.py").as_uri())
    give_up = time.monotonic() + 60
    while not any("getcwdd" in each["message"] for each in pull(editor, uri)["items"]):
        assert time.monotonic() < give_up, "the checker has found nothing"
    items = pull(editor, uri)["items"]
    found = {
        item["range"]["start"]["line"]: actions(editor, uri, item["range"], item) for item in items
    }
    editor.configure({})
    return editor, found


def test_an_api_fix_is_offered_beside_errors_of_syntax(beside_errors):
    _, found = beside_errors
    first, *others = found[4]
    assert applied(BESIDE_ERRORS, first) == BESIDE_ERRORS.replace("getcwdd", "getcwd")
    assert first["isPreferred"]
    assert not any(each.get("isPreferred") for each in others)


def test_no_package_takes_the_place_of_another_and_it_is_said_how_to_install_one(beside_errors):
    editor, found = beside_errors
    assert found[1] == []
    (advice,) = found[2]
    assert "edit" not in advice
    assert not advice.get("isPreferred")
    assert advice["title"] == "Not installed: python -m pip install opencv-python"
    editor.call("workspace/executeCommand", advice["command"])
    shown = "window/showMessage"
    assert editor.wait_until_told(shown, lambda each: "opencv-python" in each["message"])


def test_apis_can_be_switched_off(checked):
    editor, uri, _ = checked
    editor.configure({"diagnostics": {"apis": False}})
    assert pull(editor, uri)["items"] == []
    editor.configure({})
    assert pull(editor, uri)["items"] != []


def test_the_loop_answers_while_a_long_document_is_looked_at(pulling):
    block = "def number_{0}(a):\n    value = foo({0}, [1, 2], 'x')\n    return value\n\n\n"
    text = "".join(block.format(n) for n in range(10_000))
    uri = pulling.open(text.replace("foo(5000, [1, 2], 'x')", "foo(5000, [1, 2], 'x'"))
    asked = pulling.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
    pulling.status()
    assert not pulling.has_answer(asked), "the status had to wait for the diagnostics"
    (item,) = pulling.answer(asked)["result"]["items"]
    assert (item["message"], item["range"]["start"]["line"]) == (MESSAGE, 25_001)
