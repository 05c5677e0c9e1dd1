"""Calls in the form that each editor's menu takes."""

import pytest
from lsprotocol import types
from pytest_lsp import client_capabilities

from surefill.apis.snippets import Snippet, Stop
from surefill.completion.call_items import CallItem
from surefill.lsp.client import MenuAbilities
from surefill.lsp.menu import MenuForm
from surefill.syntax.position import Position, Range

SNIPPET = Snippet(("with p.open(", Stop("mode"), ") as f:\n    ", Stop("pass", last=True)))
ITEM = CallItem(
    label="with open(mode)",
    snippet=SNIPPET,
    span=Range(Position(1, 6), Position(1, 8)),
    removes=Range(Position(1, 4), Position(1, 6)),
    matches="open",
    kind="method",
    way="with",
    signature="open(mode: str)",
    documentation="Opens.\n",
    indent="    ",
)


def in_units(span):
    return types.Range(types.Position(*span.start), types.Position(*span.end))


def item(**abilities):
    return MenuForm(MenuAbilities(**abilities)).item(ITEM, 3, data=[0, 3], in_units=in_units)


def test_what_stands_in_front_goes_by_an_edit_of_its_own():
    made = item(snippets=True)
    assert made.text_edit.range == in_units(ITEM.span)
    assert made.additional_text_edits == [types.TextEdit(in_units(ITEM.removes), "")]
    assert made.sort_text == "~3"


@pytest.mark.parametrize(
    ("abilities", "text", "mode"),
    [
        ({"snippets": True, "adjusts_indentation": True}, SNIPPET.marked, 2),
        ({"snippets": True}, SNIPPET.marked, None),
        ({"adjusts_indentation": True}, SNIPPET.plain, 2),
        ({}, "with p.open(mode) as f:\n        pass", None),
    ],
)
def test_further_lines_are_indented_once(abilities, text, mode):
    made = item(**abilities)
    assert made.text_edit.new_text == text
    assert made.insert_text_mode == mode


def test_ours_are_marked_in_every_menu():
    assert item(label_details=True).label_details.description == "Surefill"
    assert item(label_details=True).detail is None
    assert item().detail == "Surefill"
    told = item(resolves=False)
    assert told.detail == "Surefill: open(mode: str)"
    assert told.documentation.value == "Opens."


@pytest.mark.parametrize(
    ("editor", "abilities"),
    [
        (
            "visual-studio-code",
            MenuAbilities(snippets=True, markdown=True, adjusts_indentation=True),
        ),
        ("neovim@v0.11.0", MenuAbilities(snippets=True, markdown=True, resolves=False)),
        ("emacs", MenuAbilities(resolves=False)),
    ],
)
def test_what_real_editors_can_do(session, editor, abilities):
    capabilities = client_capabilities(editor)
    converter = session.server.protocol._converter
    session.initialize(converter.unstructure(capabilities, types.ClientCapabilities))
    assert session.client.menu == abilities


def test_an_editor_that_says_nothing_can_do_nothing(session):
    session.initialize()
    assert session.client.menu == MenuAbilities()
