"""The completion menu over stdio: a real model, a real checker, editors of all kinds."""

import pytest

from environments import make_environment, write

CANCELLED = -32800
PATIENT = {"snippets": {"deadlineMs": 60_000}}
COMPLETION = "textDocument/completion"
FULL = {
    "snippetSupport": True,
    "labelDetailsSupport": True,
    "documentationFormat": ["markdown", "plaintext"],
    "insertTextModeSupport": {"valueSet": [1, 2]},
    "resolveSupport": {"properties": ["documentation", "detail"]},
}
WEB = """
    class Response:
        def raise_for_status(self) -> None: ...
        def json(self) -> object: ...

    def get(url: str, *, timeout: float = 1.0) -> Response:
        '''Fetch a page.'''
        ...

    def braces(text: str = "}") -> str: ...
"""
CODE = "import web\n\nurl = 'a'\nif url:\n    web.ge"
AT = (4, 10)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return make_environment(tmp_path_factory.mktemp("environment") / "env")


def starter(start, environment, folder):
    """Starts a server that the editor tells what its menu can do."""

    def run(item=None, settings=None, encodings=None):
        write(folder, {"web.py": WEB})
        editor = start()
        document = {"completion": {"completionItem": item or {}}}
        options = {"oracle": {"python": str(environment)}, **PATIENT, **(settings or {})}
        editor.initialize(options, folders=[folder], encodings=encodings, document=document)
        assert editor.wait_until_loaded()["state"] == "ready"
        editor.folder = folder
        return editor

    return run


@pytest.fixture
def start(start_editor, environment, tmp_path):
    return starter(start_editor, environment, tmp_path)


@pytest.fixture
def hanging(request, scripted, environment, tmp_path):
    """A server whose model generates until it is stopped, and a document that asks it to."""
    settings = {"snippets": {"deadlineMs": getattr(request, "param", 60_000)}}
    editor = starter(scripted, environment, tmp_path)(FULL, settings)
    text = "import web\n# model: hang\nweb."
    return editor, editor.open(text, uri=(tmp_path / "main.py").as_uri())


@pytest.fixture(scope="module")
def shared(editors, environment, tmp_path_factory):
    return starter(editors, environment, tmp_path_factory.mktemp("shared"))(FULL)


def message(editor, uri, line, character):
    position = {"line": line, "character": character}
    return editor.request_message(COMPLETION, {"textDocument": {"uri": uri}, "position": position})


def ask(editor, text, at, name="main.py", language="python"):
    uri = editor.open(text, uri=(editor.folder / name).as_uri(), language=language)
    asked = message(editor, uri, *at)
    editor.send(asked)
    answer = editor.answer(asked["id"])["result"]
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    return answer


def items(editor, text, at, **more):
    return ask(editor, text, at, **more)["items"]


def applied(text, item, codec="utf-16-le", width=2):
    """The document after an editor has taken an item, its stops as they are shown."""
    lines = text.split("\n")

    def offset(place):
        line = lines[place["line"]]
        units = line.encode(codec)[: place["character"] * width].decode(codec)
        return sum(len(each) + 1 for each in lines[: place["line"]]) + len(units)

    edits = [item["textEdit"], *item.get("additionalTextEdits", [])]
    spans = sorted(
        ((offset(e["range"]["start"]), offset(e["range"]["end"]), e["newText"]) for e in edits),
        reverse=True,
    )
    for start, end, new in spans:
        text = text[:start] + new + text[end:]
    return text


def test_the_feature_is_announced(shared):
    capabilities = shared.initialized["capabilities"]
    assert capabilities["completionProvider"] == {
        "triggerCharacters": [".", "("],
        "resolveProvider": True,
    }


def test_a_call_and_its_result_for_an_editor_that_can_do_everything(shared):
    answer = ask(shared, CODE, AT)
    call, handled = answer["items"]
    assert answer["isIncomplete"] is True
    assert call["label"].startswith("get(url")
    assert call["labelDetails"] == {"description": "Surefill"}
    assert "detail" not in call and "documentation" not in call
    assert call["insertTextFormat"] == 2
    assert call["textEdit"]["newText"].startswith("get(${1:url}")
    assert call["filterText"] == handled["filterText"] == "get"
    assert handled["insertTextMode"] == 2
    assert handled["kind"] == 15
    new = handled["textEdit"]["newText"].split("\n")
    assert new[0].startswith("response = web.get(${1:url}")
    assert new[1] == "response.raise_for_status()"
    assert new[2].endswith(":data} = response.json()")
    assert handled["additionalTextEdits"][0]["newText"] == ""


def test_ours_come_behind_what_others_offer_and_in_our_order(shared):
    sort = [item["sortText"] for item in items(shared, CODE, AT)]
    assert sort == sorted(sort)
    assert all(text > "zzzz" for text in sort)


def test_signature_and_documentation_come_when_asked_for(shared):
    for item in items(shared, CODE, AT):
        told = shared.call("completionItem/resolve", item)
        assert told["detail"].startswith("get(url: str, *, timeout: float")
        assert told["documentation"] == {"kind": "markdown", "value": "Fetch a page."}
        assert told["textEdit"] == item["textEdit"]


@pytest.mark.parametrize(
    "data", [None, [0], [10**9, 0], ["a", 0], {"x": 1}, [0, -1], [0, 99], [True, None]]
)
def test_an_item_that_is_not_ours_comes_back_as_it_was(shared, data):
    item = {"label": "get"} if data is None else {"label": "get", "data": data}
    assert shared.call("completionItem/resolve", item) == item


def test_an_editor_that_can_do_nothing_gets_plain_text_that_parses(start):
    editor = start()
    call, handled = items(editor, CODE, AT)
    for item in (call, handled):
        assert item["insertTextFormat"] == 1
        assert "$" not in item["textEdit"]["newText"]
        assert item["detail"] == "Surefill"
        assert "labelDetails" not in item and "insertTextMode" not in item
        compile(applied(CODE, item), "main.py", "exec")
    assert applied(CODE, handled).split("\n")[4:] == [
        applied(CODE, handled).split("\n")[4],
        "    response.raise_for_status()",
        "    data = response.json()",
    ]
    told = editor.call("completionItem/resolve", call)
    assert told["detail"].startswith("Surefill: get(url: str")
    assert told["documentation"] == {"kind": "plaintext", "value": "Fetch a page."}


def test_an_editor_that_never_asks_again_is_told_everything_at_once(start):
    editor = start({**FULL, "resolveSupport": {"properties": ["additionalTextEdits"]}})
    for item in items(editor, CODE, AT):
        assert item["detail"].startswith("get(url: str")
        assert item["documentation"]["value"] == "Fetch a page."


@pytest.mark.parametrize(
    ("encoding", "codec", "width"),
    [("utf-8", "utf-8", 1), ("utf-16", "utf-16-le", 2), ("utf-32", "utf-32-le", 4)],
)
def test_the_place_is_right_in_every_encoding(start, encoding, codec, width):
    editor = start(encodings=[encoding])
    line = "x = ['🎉', '漢', web.braces"
    text = f"import web\n{line}"
    (item,) = items(editor, text, (1, len(line.encode(codec)) // width))
    assert applied(text, item, codec, width) == "import web\nx = ['🎉', '漢', web.braces()"


@pytest.mark.parametrize(
    ("text", "at", "language"),
    [
        ("x = 'web.", (0, 9), "python"),
        ("# web.", (0, 6), "python"),
        ("import web.", (0, 11), "python"),
        ("", (0, 0), "python"),
        ("import web\nweb.ge(", (99, 99), "python"),
        ("console.", (0, 8), "javascript"),
        ("web.", (0, 4), "plaintext"),
    ],
)
def test_nothing_is_offered_here(shared, text, at, language):
    assert items(shared, text, at, language=language) == []


def test_a_document_that_is_not_open_gets_nothing(shared):
    asked = message(shared, "file:///nowhere.py", 0, 0)
    shared.send(asked)
    assert shared.answer(asked["id"])["result"]["items"] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"snippets": {"enabled": False}},
        {"enabled": False},
        {"disabledLanguages": ["python"]},
        {"oracle": {"engine": "off"}},
        {"snippets": {"deadlineMs": 50}, "oracle": {"python": "/nowhere"}, "enabled": False},
    ],
)
def test_switched_off(start, settings):
    editor = start(FULL, {**PATIENT, **settings})
    assert ask(editor, CODE, AT) == {"isIncomplete": False, "items": []}


def test_results_alone_can_be_switched_off_while_it_runs(start):
    editor = start(FULL)
    assert len(items(editor, CODE, AT)) == 2
    snippets = {"deadlineMs": 60_000, "results": False}
    editor.configure({"snippets": snippets})
    assert [item["kind"] for item in items(editor, CODE, AT)] == [3]


def wait_until_generating(editor):
    editor.wait_for_status(lambda status: status["counters"]["model_calls"] > 0)


def test_a_newer_request_ends_the_older_and_the_editor_can_end_both(hanging):
    editor, uri = hanging
    older = message(editor, uri, 2, 4)
    editor.send(older)
    wait_until_generating(editor)  # and the loop answers meanwhile
    newer = message(editor, uri, 2, 4)
    editor.send(newer)
    assert editor.answer(older["id"])["error"]["code"] == CANCELLED
    editor.notify("$/cancelRequest", {"id": newer["id"]})
    assert editor.answer(newer["id"])["error"]["code"] == CANCELLED
    assert editor.told("window/showMessage") == []
    assert editor.leave() == 0


def test_an_edit_meanwhile_leaves_nothing_to_offer_and_more_to_ask(hanging):
    editor, uri = hanging
    asked = message(editor, uri, 2, 4)
    editor.send(asked)
    wait_until_generating(editor)
    editor.change(uri, 2, (0, 0), (0, 0), "import os\n")
    assert editor.answer(asked["id"])["result"] == {"isIncomplete": True, "items": []}


@pytest.mark.parametrize("hanging", [6000], indirect=True)
@pytest.mark.parametrize(("typed", "wanted"), [("g", True), ("(", False)])
def test_a_name_that_is_typed_on_meanwhile_still_wants_the_answer(hanging, typed, wanted):
    editor, uri = hanging
    asked = message(editor, uri, 2, 4)
    editor.send(asked)
    wait_until_generating(editor)
    editor.change(uri, 2, (2, 4), (2, 4), typed)
    answer = editor.answer(asked["id"])["result"]
    assert answer["isIncomplete"] is True
    corner = {"line": 2, "character": 4}
    places = [item["textEdit"]["range"] for item in answer["items"]]
    assert bool(places) is wanted
    assert all(place == {"start": corner, "end": corner} for place in places)


def test_an_inline_suggestion_and_a_menu_are_asked_for_side_by_side(hanging):
    editor, uri = hanging
    menu, inline = message(editor, uri, 2, 4), editor.inline_message(uri, 2, 4)
    editor.send(menu, inline)
    wait_until_generating(editor)
    editor.notify("$/cancelRequest", {"id": menu["id"]})
    editor.notify("$/cancelRequest", {"id": inline["id"]})
    assert {editor.answer(each["id"])["error"]["code"] for each in (menu, inline)} == {CANCELLED}


def test_past_the_deadline_there_is_an_answer_all_the_same(scripted, environment, tmp_path):
    start = starter(scripted, environment, tmp_path)
    editor = start(FULL, {"snippets": {"deadlineMs": 50}})
    answer = ask(editor, "import web\n# model: hang\nweb.", (2, 4))
    assert answer["isIncomplete"] is True
    assert len(answer["items"]) <= 5
    status = editor.wait_for_status(lambda status: status["live"] == 0)
    assert status["counters"]["failed"] == 0
