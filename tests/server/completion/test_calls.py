"""Calls for the menu: a real type checker knows them, a model of the test's own fills them."""

import pytest

from environments import make_environment, write
from fakes import FakeEngine
from surefill.budget import Deadline
from surefill.completion import calls
from surefill.completion.call_items import CallRequest
from surefill.completion.calls import MOST, CallCompletion
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.interface import Cancellation
from surefill.errors import EngineError
from surefill.oracle.service import OracleService
from surefill.settings import OracleSettings, Settings
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range

PATIENCE = 60.0
WEB = """
    from collections.abc import AsyncIterator, Iterator

    class Response:
        status: int = 200
        def raise_for_status(self) -> None: ...
        def json(self) -> object: ...
        def __enter__(self) -> "Response": ...
        def __exit__(self, *args: object) -> None: ...

    class Client:
        async def get(self, url: str, *, timeout: float = 1.0) -> Response: ...
        async def close(self) -> None: ...
        async def __aenter__(self) -> "Client": ...
        async def __aexit__(self, *args: object) -> None: ...
        def events(self) -> AsyncIterator[Response]: ...

    def get(url: str, params: dict[str, str] | None = None, *, timeout: float = 1.0) -> Response:
        '''Fetch a page.'''
        ...

    def post(url: str, *, data: bytes, timeout: float = 1.0) -> Response: ...
    def lines(name: str) -> Iterator[str]: ...
    def number() -> int: ...
"""


class Characters:
    def encode(self, text):
        return [ord(character) for character in text]

    def decode(self, ids):
        return "".join(map(chr, ids))

    def special(self, token):
        return 0x110000 + list(TEMPLATES["qwen2.5-coder"].special_tokens()).index(token)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    write(folder, {"web.py": WEB})
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory, workspace):
    environment = make_environment(tmp_path_factory.mktemp("environment") / "env")
    service = OracleService()
    service.configure(OracleSettings(python=str(environment)), [workspace])
    yield service
    service.close(10)


class Menu:
    """Asks at "¦" of a text; ``answers`` are what the model says, one entry a call."""

    def __init__(self, service, folder, name="main.py"):
        self.service, self.uri = service, (folder / name).as_uri()
        self.engine = FakeEngine()

    def find(self, marked, *answers, raw=None, language="python", seconds=PATIENCE, cancel=None):
        settings, problems = Settings.parse(raw)
        assert problems == []
        before, _, after = marked.partition("¦")
        snapshot = Document(self.uri, language_for(language, None), before + after).snapshot()
        position = Position(before.count("\n"), len(before) - before.rfind("\n") - 1)
        self.engine = FakeEngine(answers)
        context = ContextBuilder(Characters(), TEMPLATES["qwen2.5-coder"], "spm", 2048)

        def ask(job):
            try:
                return job(self.engine, context)
            except EngineError:
                return None

        request = CallRequest(
            snapshot, position, (cancel or Cancellation()).child(Deadline.after(seconds))
        )
        found = []
        self.complete = CallCompletion(self.service, settings).find(request, ask, found)
        return found

    def marked(self, marked, *answers, **more):
        return [item.snippet.marked for item in self.find(marked, *answers, **more)]

    def calls(self, marked, *answers, **more):
        return [i.snippet.marked for i in self.find(marked, *answers, **more) if not i.way]

    def handled(self, marked, *answers, **more):
        """What is done with the result, in place of the line."""
        (item,) = [item for item in self.find(marked, *answers, **more) if item.way]
        return item.snippet.plain


@pytest.fixture
def menu(service, workspace):
    return Menu(service, workspace)


def test_required_parameters_are_stops(menu):
    assert menu.calls("import web\nx = web.ge¦") == ["get(${1:url})"]
    assert menu.calls("import web\nx = web.po¦") == ["post(${1:url}, data=${2:data})"]
    assert menu.calls("import web\nx = web.nu¦") == ["number()"]


def test_an_item_says_where_it_goes_and_what_it_is(menu):
    (item, _) = menu.find("import web\n    \nweb.ge¦")
    assert item.label == "get(url)"
    assert item.matches == "get"
    assert item.kind == "function"
    assert item.span == Range(Position(2, 4), Position(2, 6))
    assert item.signature.startswith("get(url: str, params: dict[str, str] | None = None, *,")
    assert "Fetch a page." in item.documentation
    assert menu.complete is False


def test_the_model_ranks_and_at_most_five_are_offered(menu):
    text = "from pathlib import Path\np = Path('a')\np.¦"
    labels = [i.label for i in menu.find(text, ("stat()", "is_file()", "nonsense", "mkdir()"))]
    assert labels[:3] == ["stat()", "is_file()", "mkdir()"]
    several = ("stat", "is_file", "mkdir", "unlink", "rmdir")
    assert len(menu.find(text, several)) == MOST
    assert len(menu.find("p = 'a'\np.¦\np.upper()\np.lower()\n")) == 2


def test_the_model_fills_in_and_the_checker_has_the_last_word(menu):
    text = "import web\ntarget = 'a'\ncount = 1\nx = web.get¦"
    assert menu.calls(text, "target, timeout=2.0)") == ["get(${1:target}, timeout=${2:2.0})"]
    assert menu.calls(text, "count, timeout='a')") == ["get(${1:url})"]
    assert menu.calls(text, "nobody, timeout=2.0)") == ["get(${1:url}, timeout=${2:2.0})"]
    assert menu.calls(text, "target, tiemout=2.0)") == ["get(${1:target})"]
    assert menu.calls(text, "target, {'a': '$b'}, 7)") == ["get(${1:target}, ${2:{'a': '\\$b'\\}})"]


def test_optional_arguments_need_a_model_that_is_sure(menu, monkeypatch):
    text = "import web\ntarget = 'a'\nx = web.get¦"
    sure = ["get(${1:target}, timeout=${2:2.0})"]
    hidden = {"completion": {"minConfidence": 0.95}}
    assert menu.calls(text, "target, timeout=2.0)", raw=hidden) == sure, "that is of suggestions"
    monkeypatch.setattr(calls, "_SURE_OF_ARGUMENTS", 0.95)
    assert menu.calls(text, "target, timeout=2.0)") == ["get(${1:target})"]


def test_a_name_in_scope_that_is_called_like_the_parameter_goes_first(menu):
    text = "import web\nurl = 'a'\nother = 'b'\nx = web.get¦"
    assert menu.calls(text, "other)") == ["get(${1:url})"]
    wrong = "import web\nurl = 1\nother = 'b'\nx = web.get¦"
    assert menu.calls(wrong, "other)") == ["get(${1:other})"]


def test_behind_a_name_and_inside_its_brackets(menu):
    text = "from web import post\nurl = 'a'\nblob = b''\n"
    assert menu.calls(text + "x = post¦", "url, data=blob)") == ["post(${1:url}, data=${2:blob})"]
    assert menu.calls(text + "x = pos¦") == []
    inside = menu.find(text + "x = post(¦)", "url, data=blob")
    assert [item.snippet.marked for item in inside] == ["${1:url}, data=${2:blob}"]
    assert inside[0].span == Range(Position(3, 9), Position(3, 9))
    assert menu.complete is True
    assert menu.marked(text + "x = post(¦") == ["${1:url}, data=${2:data})"]
    assert menu.marked(text + "x = post(¦\n)") == ["${1:url}, data=${2:data}"]
    assert menu.marked("import web\nweb.number(¦)") == []
    assert menu.marked("print(¦)") == []


def test_a_model_that_fails_leaves_what_the_checker_knows(menu):
    failing = (EngineError("no"), EngineError("no"), EngineError("no"))
    assert menu.calls("import web\nx = web.po¦", *failing) == ["post(${1:url}, data=${2:data})"]
    assert len(menu.engine.calls) == 1


def test_a_response_is_checked_and_read(menu):
    text = "import web\nurl = 'a'\n"
    assert menu.handled(text + "web.get¦") == (
        "response = web.get(url)\nresponse.raise_for_status()\ndata = response.json()"
    )
    (item,) = [i for i in menu.find(text + "if url:\n    page = web.get¦\n") if i.way]
    assert item.snippet.plain == "page = web.get(url)\npage.raise_for_status()\ndata = page.json()"
    assert item.removes == Range(Position(3, 4), Position(3, 15))
    assert item.span == Range(Position(3, 15), Position(3, 18))
    assert item.indent == "    "


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "import pathlib\np = pathlib.Path('a')\np.open¦",
            "with p.open() as file:\n    pass",
        ),
        (
            "import sqlite3\ndatabase = 'a'\nsqlite3.connect¦",
            "with sqlite3.connect(database) as connection:\n    pass",
        ),
        (
            "import tempfile\ntempfile.TemporaryDirectory¦",
            "with tempfile.TemporaryDirectory() as directory:\n    pass",
        ),
        ("open¦", "with open(file) as file:\n    pass"),
        (
            "import pathlib\np = pathlib.Path('a')\np.iterdir¦",
            "for path in p.iterdir():\n    pass",
        ),
        ("import web\nweb.lines¦", "for item in web.lines(name):\n    pass"),
        (
            "import asyncio\nasync def f(delay: float):\n    asyncio.sleep¦",
            "await asyncio.sleep(delay)",
        ),
        (
            "import web\nasync def f(client: web.Client, url: str):\n\tclient.get¦",
            "response = await client.get(url)\nresponse.raise_for_status()\ndata = response.json()",
        ),
        (
            "import web\nasync def f(client: web.Client, url: str):\n    r = await client.get¦",
            "r = await client.get(url)\nr.raise_for_status()\ndata = r.json()",
        ),
        (
            "import web\nasync def f():\n  web.Client¦",
            "async with web.Client() as client:\n  pass",
        ),
        (
            "import web\nasync def f(client: web.Client):\n    client.events¦",
            "async for response in client.events():\n    pass",
        ),
    ],
)
def test_results_are_handled_as_is_usual(menu, code, expected):
    assert menu.handled(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        "import web\nx = web.number¦",
        "import web\nprint(web.get¦)",
        "import web\nx = [1, web.get¦]",
        "import web\nwith web.get¦",
        "import web\nasync def f(client: web.Client, url: str):\n    x = client.ge¦, 1",
        "import web\ndef f(client: web.Client):\n    client.close¦",
        "import pathlib\npathlib.Path¦",
        "'a b'.split¦",
    ],
)
def test_where_there_is_no_usual_way_the_call_stands_alone(menu, code):
    ways = [item.way for item in menu.find(code)]
    assert ways != []
    assert not any(ways)


def test_results_can_be_switched_off(menu):
    raw = {"snippets": {"results": False}}
    assert [i.way for i in menu.find("import web\nweb.get¦", raw=raw)] == [None]


def test_what_would_bring_a_type_error_is_not_offered_with_its_result(menu):
    code = "import web\nasync def f(client: web.Client):\n    data: str = ''\n"
    code += "    def g(url: str):\n        nonlocal data\n        web.get¦"
    assert [item.way for item in menu.find(code)] == [None]


def test_a_call_that_is_wrong_whatever_is_passed_is_not_offered(menu):
    code = "import web\ndef f(url: str) -> int:\n    return web.¦\nweb.get(f(''))\nweb.number()\n"
    assert menu.calls(code) == ["number()"]


@pytest.mark.parametrize(
    "code",
    [
        "x = 'web.¦",
        "# web.¦",
        "import web.¦",
        "unknown.¦",
        "import web\nweb.nothing¦",
        "import web\nx = web.status.¦",
        "x = 1\nx¦",
        "if¦",
        "return¦",
    ],
)
def test_nothing_is_offered_here(menu, code):
    assert menu.find(code) == []


def test_nothing_without_a_checker_for_the_language(menu):
    assert menu.find("console.¦", language="javascript") == []
    assert menu.find("import web\nweb.¦", raw={"disabledLanguages": ["python"]}) == []


def test_nothing_once_the_time_is_over_or_the_request_is_cancelled(menu):
    assert menu.find("import web\nweb.ge¦", seconds=0.0) == []
    assert menu.find("import web\nweb.get(¦)", seconds=0.0) == []
    assert not menu.complete
    cancelled = Cancellation()
    cancelled.cancel()
    assert menu.find("import web\nweb.ge¦", cancel=cancelled) == []
    assert menu.engine.calls == []


def test_other_languages_have_calls_without_python_s_ways(typescript, tmp_path):
    service = OracleService()
    service.configure(OracleSettings(servers={"typescript": typescript}), [tmp_path])
    menu = Menu(service, tmp_path, "main.ts")
    try:
        code = "function area(width: number, height: number, unit?: string) { return 1 }\n"
        names = "const words = ['a'];\nconst width = 1;\n"
        ts = {"language": "typescript"}
        assert menu.marked(code + names + "area¦", **ts) == ["area(${1:width}, ${2:height})"]
        assert menu.marked(code + names + "area(¦)", "width, 2", **ts) == ["${1:width}, ${2:2}"]
        assert menu.marked(names + "words.ma¦;", **ts) == ["map(${1:callbackfn})"]
        assert menu.marked(names + "if (¦)", **ts) == []
        assert menu.marked(names + "'words.¦'", **ts) == []
    finally:
        service.close(10)
