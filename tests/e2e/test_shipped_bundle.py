"""What users get: the default bundle, whichever it is, and the README's example of it."""

import ast
import json
from pathlib import Path

import pytest
import tree_sitter

from command_line import surefill
from places import PLACES
from surefill.engine.bundle import Bundle, find_bundle
from surefill.syntax.languages import language_for

ROOT = Path(__file__).parents[2]
DEFAULT = find_bundle("default")
MANIFEST = Bundle.load(DEFAULT, verify=False).manifest
PATIENT = {"completion": {"deadlineMs": 60_000}}
INVOKED, AUTOMATIC = {"triggerKind": 1}, {"triggerKind": 2}


@pytest.fixture(scope="module")
def server(editors):
    """One server for all of it, to which nobody has named a bundle."""
    started = editors(bundle=None)
    started.initialize(PATIENT)
    status = started.wait_until_loaded()
    assert status["state"] == "ready", status
    return started


def suggestions(server, language, context=INVOKED):
    """For each place the document with the first suggestion in it; None where there is none."""
    for place in PLACES[language]:
        before, after = place.split("¦")
        uri = server.open(before + after, language=language)
        line, character = before.count("\n"), len(before) - before.rfind("\n") - 1
        items = server.inline(uri, line, character, **context)
        server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        yield before + items[0]["insertText"] + after if items else None


def parses(language, text):
    if language == "python":
        ast.parse(text)
        return True
    tree = tree_sitter.Parser(language_for(language, None).grammar()).parse(text.encode())
    return not tree.root_node.has_error


def test_the_status_names_the_bundle_and_its_provider(server):
    status = server.status()
    assert status["bundle"] == {"name": MANIFEST.name, "version": MANIFEST.version}
    assert status["provider"] in ("cpu", "cuda")
    assert status["problem"] == ""


def test_the_doctor_finds_a_model_that_works():
    findings = json.loads(surefill("doctor", "--json").stdout)
    (model,) = (finding for finding in findings if finding["subject"] == "model")
    assert model["ok"], model
    assert MANIFEST.name in model["detail"]


def test_every_file_can_be_kept_in_the_repository():
    """Hosts of git refuse files of 100 MB."""
    for name in MANIFEST.files:
        assert (DEFAULT / name).stat().st_size < 95e6, name


@pytest.mark.parametrize(
    "language",
    [
        pytest.param(each, marks=[] if each == "python" else [pytest.mark.slow])
        for each in MANIFEST.languages
    ],
)
def test_simple_places_get_answers_that_parse(server, language):
    found = list(suggestions(server, language))
    answered = [text for text in found if text is not None]
    assert len(answered) > len(found) / 2
    for text in answered:
        assert parses(language, text), text


def test_some_of_it_is_shown_without_being_asked_for(server):
    assert any(suggestions(server, MANIFEST.languages[0], AUTOMATIC))


def test_the_readme_example_works():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    line = next(line for line in readme.splitlines() if "&& surefill complete " in line)
    arguments = line.partition("&& surefill ")[2].split()
    file = ROOT / arguments[1]
    done = surefill(arguments[0], file, *arguments[2:], "--json")
    assert done.returncode == 0, done.stderr
    items = json.loads(done.stdout)["items"]
    assert items, "the README promises a suggestion"
    assert items[0]["text"].split("\n")[0] in readme
