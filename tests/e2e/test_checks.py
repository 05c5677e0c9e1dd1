"""What a model writes is shown only if a real type checker has nothing against it."""

import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest

from environments import make_environment

FAKE_SERVER = Path(__file__).parents[1] / "server" / "oracle" / "fake_server.py"
SHELF = {"Frame", "Options", "post", "anything", "read", "find", "many", "parts"}
SHELF |= {"Any", "TypedDict", "Unpack", "overload"}
PATIENT = {"completion": {"deadlineMs": 60_000}}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The user's environment, with the library ``shelf``."""
    return make_environment(tmp_path_factory.mktemp("environment") / "env")


@pytest.fixture
def ask(scripted, tmp_path, environment):
    """Starts a server with settings; asks it about code with a directive, "¦" being the cursor."""

    def start(settings=None, files=None):
        for name, text in (files or {}).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        editor = scripted()
        oracle = {"python": str(environment)}
        editor.initialize({**PATIENT, "oracle": oracle, **(settings or {})}, folders=[tmp_path])
        editor.wait_until_loaded()
        return Session(editor, tmp_path)

    return start


class Session:
    def __init__(self, editor, folder):
        self.editor, self.folder, self.version = editor, folder, 0

    def uri(self, name):
        return (self.folder / name).as_uri()

    def items(self, answer, code, name="main.py"):
        """What is shown when the model answers ``answer`` at "¦"."""
        before, _, after = code.partition("¦")
        lines = before.split("\n")
        text = "\n".join([*lines[:-1], f"# model: answer {answer}", lines[-1] + after])
        uri = self.editor.open(text, uri=self.uri(name))
        return self.editor.inline(uri, len(lines), len(lines[-1]))

    def shown(self, answer, code, **more):
        return [item["insertText"] for item in self.items(answer, code, **more)]

    def verdicts(self, answer, code):
        (item,) = self.items(answer, code)
        (report,) = item["command"]["arguments"]
        return report["verdicts"]

    def explain(self, name="main.py"):
        return self.editor.call(
            "workspace/executeCommand",
            {"command": "surefill.explain", "arguments": [{"uri": self.uri(name)}]},
        )

    def told(self, word):
        return [each for each in self.editor.told("window/showMessage") if word in each["message"]]


def test_only_what_exists_is_shown(ask):
    session = ask()
    assert session.shown('post("u", timeout=1.0)', "import shelf\nx = shelf.¦\n") != []
    for invented, code in (
        ("pots(1)", "import shelf\nx = shelf.¦\n"),
        ("group_by(1)", "import shelf\nx = shelf.Frame().¦\n"),
        ("jsn={})", 'import shelf\nx = shelf.post("u", ¦\n'),
        ("Fram", "from shelf import ¦\n"),
        ("shelv", "import ¦\n"),
        ("shelf.post(1)", "import shelf\nx = ¦\n"),
        ("shelf2.post()", "import shelf\nx = ¦\n"),
    ):
        assert session.shown(invented, code) == [], invented


def test_a_column_may_have_any_name_where_it_is_only_read(ask):
    assert ask().shown("price", "import shelf\nx = shelf.Frame().¦\n") == ["price"]


def test_the_last_line_that_passes_ends_the_suggestion(ask):
    code = "import shelf\n\ndef load():\n    ¦\n"
    answer = 'x = shelf.post("u")\\n    y = shelf.pots(x)\\n    return y'
    assert ask().shown(answer, code) == ['x = shelf.post("u")']


def test_what_was_wrong_before_does_not_count(ask):
    session = ask()
    code = "import shelf\nshelf.nothing()\nundefined\nx = ¦\ny = shelf.pots\n"
    assert session.shown("shelf.Frame()", code) == ["shelf.Frame()"]


def test_what_makes_other_code_wrong_counts(ask):
    session = ask()
    code = "import shelf\nsize = ¦\nnumber: int = size\n"
    assert session.shown('shelf.post("u")', code) == ['shelf.post("u")']
    assert session.shown("'large'", code) == []
    assert "not assignable" in session.explain()


def test_an_unfinished_block_is_no_error(ask):
    session = ask()
    assert session.shown("def size(self) -> int:", "class A:\n    ¦\n") == [
        "def size(self) -> int:"
    ]


def test_names_of_unsaved_documents_count(ask):
    session = ask(files={"helpers.py": "", "main.py": ""})
    session.editor.open("def helper(): ...\n", uri=session.uri("helpers.py"))
    assert session.shown("helper", "from helpers import ¦\n") == ["helper"]
    assert session.shown("helpful", "from helpers import ¦\n") == []


def test_a_changed_document_counts_as_it_is_now(ask):
    session = ask(files={"helpers.py": "", "main.py": ""})
    helpers = session.editor.open("def helper(): ...\n", uri=session.uri("helpers.py"))
    assert session.shown("helper", "from helpers import ¦\n") == ["helper"]
    session.editor.change(helpers, 2, (0, 4), (0, 10), "renamed")
    assert session.shown("helper", "from helpers import ¦\n") == []
    assert session.shown("renamed", "from helpers import ¦\n") == ["renamed"]


def test_the_verdicts_say_what_was_found_where(ask):
    session = ask()
    (item,) = session.items('post("u")', "import shelf\nx = shelf.¦\n")
    (report,) = item["command"]["arguments"]
    assert report["verdicts"] == {
        "parses": "passed",
        "types": "passed",
        "apis": "passed",
        "executed": "unchecked",
    }
    assert report["checker"].startswith("ty ")
    assert report["apis"] == [
        {"name": "post", "owner": "shelf", "package": "shelf-dist", "version": "1.2.3"}
    ]


def test_explain_shows_verdicts_evidence_and_what_was_withheld(ask):
    session = ask()
    session.items('post("u")', "import shelf\nx = shelf.¦\n")
    page = session.explain()
    assert page.startswith("# Why this suggestion\n")
    assert '```python\npost("u")\n```' in page
    assert "| Brings no type error | ✓ passed |" in page
    assert "| `shelf.post` | member | shelf-dist 1.2.3 |" in page
    session.items("pots(1)", "import shelf\nx = shelf.¦\n")
    page = session.explain()
    assert page.startswith("# Why no suggestion\n")
    assert "- `pots(1)`: " in page
    assert "has no member `pots`" in page


def test_explain_without_an_answer_says_so(ask):
    session = ask()
    assert "Nothing has been suggested here yet" in session.explain("nowhere.py")
    for arguments in ([], [5], [{"uri": 5}], [None]):
        params = {"command": "surefill.explain", "arguments": arguments}
        assert "Nothing" in session.editor.call("workspace/executeCommand", params)


def test_settings_turn_the_checks_off_and_on_while_the_server_runs(ask):
    session = ask({"checks": {"types": False}})
    code = "import shelf\nx = shelf.¦\n"
    assert session.shown("pots(1)", code) == ["pots(1)"]
    settings = {**PATIENT, "checks": {"types": True}}
    session.editor.configuration = settings
    session.editor.configure(settings)
    session.editor.wait_for_status(lambda _: session.shown("pots(1)", code) == [])


@pytest.mark.parametrize("fault", ["hangs", "deaf", "dies", "dies-at-start", "junk", "nonsense"])
def test_a_checker_that_fails_leaves_suggestions_unchecked(ask, fault):
    command = [sys.executable, str(FAKE_SERVER), fault]
    session = ask({"oracle": {"servers": {"python": command}}, "completion": {"deadlineMs": 8_000}})
    assert session.verdicts("f(1)", "x = ¦\n")["types"] != "failed"
    assert session.shown("f(2)", "x = ¦\n") == ["f(2)"]


def test_a_missing_checker_is_told_once(ask, tmp_path):
    session = ask({"oracle": {"servers": {"python": [str(tmp_path / "nowhere")]}}})
    for number in range(3):
        verdicts = session.verdicts(f"f({number})", "x = ¦\n")
        assert verdicts["types"] == verdicts["apis"] == "unchecked"
    assert len(session.told("nowhere")) == 1
    assert session.editor.status()["checker"]["state"] == "missing"


def test_an_environment_that_does_not_exist_is_told_and_another_taken(ask, tmp_path):
    session = ask({"oracle": {"python": str(tmp_path / "nowhere")}})
    assert session.verdicts("sep", "import os\nx = os.¦\n")["types"] == "passed"
    (told,) = session.told("nowhere")
    assert told["message"].startswith("surefill.oracle.python: ")


def test_a_killed_checker_comes_back(ask):
    session = ask()
    code = "import shelf\nx = shelf.¦\n"
    assert session.shown("pots(1)", code) == []
    server = psutil.Process(session.editor.process.pid)
    (checker,) = [each for each in server.children() if "ty" in Path(each.exe()).name]
    os.kill(checker.pid, signal.SIGKILL)
    checker.wait(60)
    assert session.shown("f(1)", "x = ¦\n") == ["f(1)"]  # unchecked while it is away
    session.editor.wait_for_status(lambda _: session.shown("pots(1)", code) == [])
    assert len(session.told("ty ")) <= 1


def test_what_could_not_be_looked_up_is_looked_up_when_the_checker_is_back(ask):
    session = ask()
    assert session.shown("pots(1)", "import shelf\nx = shelf.¦\n") == []
    server = psutil.Process(session.editor.process.pid)
    (checker,) = [each for each in server.children() if "ty" in Path(each.exe()).name]
    os.kill(checker.pid, signal.SIGKILL)
    checker.wait(60)
    text = "# model: answer pots(1)\nimport shelf\nx = shelf."
    uri = session.editor.open(text, uri=session.uri("other.py"))
    (item,) = session.editor.inline(uri, 2, 10)
    assert item["insertText"] == "pots(1)"
    session.editor.wait_for_status(lambda _: session.editor.inline(uri, 2, 10) == [])


def test_a_checker_may_be_killed_in_the_middle_of_a_request(ask):
    session = ask({"completion": {"deadlineMs": 30_000}})
    assert session.shown("pots(1)", "import shelf\nx = shelf.¦\n") == []
    server = psutil.Process(session.editor.process.pid)
    (checker,) = [each for each in server.children() if "ty" in Path(each.exe()).name]
    checker.suspend()
    text = "# model: answer f(1)\nx = "
    message = session.editor.inline_message(
        session.editor.open(text, uri=session.uri("other.py")), 1, 4
    )
    session.editor.send(message)
    session.editor.wait_for_status(lambda status: status["counters"]["model_calls"] > 1)
    checker.kill()
    items = session.editor.answer(message["id"])["result"]["items"]
    assert [item["insertText"] for item in items] == ["f(1)"]
    assert len(session.told("ty ")) <= 1


def test_a_burst_of_requests_is_answered(ask):
    session = ask()
    uri = session.editor.open(
        "# model: answer post('u')\nimport shelf\nx = shelf.", uri=session.uri("main.py")
    )
    messages = [session.editor.inline_message(uri, 2, 10) for _ in range(100)]
    for message in messages:
        session.editor.send(message)
    answers = [session.editor.answer(message["id"]) for message in messages]
    assert all("result" in each or each["error"]["code"] == -32800 for each in answers)
    assert [item["insertText"] for item in answers[-1]["result"]["items"]] == ["post('u')"]
    assert session.shown("pots(1)", "import shelf\nx = shelf.¦\n", name="second.py") == []


def test_a_workspace_may_have_thousands_of_files(ask, tmp_path):
    for number in range(5_000):
        path = tmp_path / f"part_{number // 100}" / f"module_{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"def work_{number}() -> int:\n    return {number}\n")
    session = ask()
    code = "from part_7.module_777 import ¦\n"
    assert session.shown("work_777", code) == ["work_777"]
    assert session.shown("work_778", code) == []


def test_modules_may_import_each_other(ask):
    session = ask(
        files={
            "one.py": "import two\n\ndef first() -> int:\n    return two.second()\n",
            "two.py": "import one\n\ndef second() -> int:\n    return one.first()\n",
        }
    )
    code = "import one\n\nx = one.two.one.¦\n"
    assert session.shown("first()", code) == ["first()"]
    assert session.shown("second()", code) == []


@pytest.mark.parametrize("junk", ["((([[[{{{\n", ")]}\nclass\ndef\n", "\x00\x01\ufffd\n", '"""\n'])
def test_a_document_that_does_not_parse_keeps_its_suggestions(ask, junk):
    session = ask()
    assert session.shown("sep", f"{junk}import os\nx = os.¦\n") in ([], ["sep"])
    assert session.shown("sep", "import os\nx = os.¦\n", name="sound.py") == ["sep"]
    assert session.shown("seq(1)", "import os\nx = os.¦\n", name="sound.py") == []


def test_nothing_is_left_running(ask):
    session = ask()
    assert session.shown("sep", "import os\nx = os.¦\n") == ["sep"]
    children = psutil.Process(session.editor.process.pid).children(recursive=True)
    assert children
    assert session.editor.leave() == 0
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


def test_a_document_outside_the_folders_is_checked_too(ask):
    session = ask()
    code = "import shelf\nx = shelf.¦\n"
    assert session.shown("pots(1)", code, name="../elsewhere.py") == []
    assert session.shown("post('u')", code, name="../elsewhere.py") == ["post('u')"]


def test_of_a_line_that_fails_the_part_before_it_is_shown(ask):
    session = ask()
    code = "import shelf\nx = shelf.¦\n"
    assert session.shown("post('u').pots(1)", code) == ["post('u')"]
    assert session.shown("post(shelf.Frame())", code) == ["post"]
    assert session.shown("pots(shelf.Frame())", code) == []


@pytest.mark.parametrize("begun", ["a", "an", "F"])
def test_a_real_model_writes_names_that_exist(start_editor, environment, tmp_path, begun):
    editor = start_editor()
    oracle = {"python": str(environment)}
    unsure = {**PATIENT["completion"], "minConfidence": 0}
    settings = {"completion": unsure, "oracle": oracle, "checks": {"types": False}}
    editor.initialize(settings, folders=[tmp_path])
    editor.wait_until_loaded()
    line = f"x = shelf.{begun}"
    uri = editor.open(f"import shelf\n\n{line}", uri=(tmp_path / "main.py").as_uri())
    (item,) = editor.inline(uri, 2, len(line))
    name = re.match(r"\w+", begun + item["insertText"])
    assert name is not None
    assert name.group() in SHELF or name.group().startswith("__")
