import asyncio
from collections import namedtuple

import pytest
from lsprotocol import types

from surefill.lsp import configuration as module
from surefill.lsp.configuration import Configuration, merge, section_of
from surefill.lsp.notify import Notifier
from surefill.settings import Settings

SHOW = "window/showMessage"
PULLS = {"workspace": {"configuration": True}}


@pytest.fixture
def configuration(session):
    return Configuration(session.client, Notifier(session.client))


def push(settings):
    return types.DidChangeConfigurationParams(settings)


@pytest.mark.parametrize("wrapped", [True, False])
def test_options_come_bare_or_under_our_name(session, configuration, wrapped):
    options = {"bundle": "mine", "completion": {"maxNewTokens": 7}}
    session.initialize()
    configuration.start({"surefill": options} if wrapped else options)
    assert configuration.current.bundle == "mine"
    assert configuration.current.completion.max_new_tokens == 7


def test_followers_hear_the_settings_now_and_after_every_change(session, configuration):
    heard = []
    configuration.follow(heard.append)
    session.initialize()
    configuration.start({"enabled": False})
    configuration.start({"enabled": False})
    assert [each.enabled for each in heard] == [True, False]


async def test_the_editor_s_configuration_wins_over_options(session, configuration):
    session.initialize(PULLS)
    configuration.start({"bundle": "mine", "completion": {"deadlineMs": 500, "alternatives": 2}})
    pull = asyncio.create_task(configuration.pull())
    await session.reply("workspace/configuration", [{"completion": {"deadlineMs": 900}}])
    await pull
    assert configuration.current.bundle == "mine"
    assert configuration.current.completion.deadline_ms == 900
    assert configuration.current.completion.alternatives == 2


async def test_an_editor_that_cannot_be_asked_is_not_asked(session, configuration):
    session.initialize()
    await configuration.pull()
    assert session.sent.take() == []


@pytest.mark.parametrize(
    "reply",
    [
        {"result": None},
        {"result": []},
        {"result": [None]},
        {"error": {"code": -1, "message": "no"}},
    ],
)
async def test_no_answer_leaves_the_options_in_force(session, configuration, reply):
    session.initialize(PULLS)
    configuration.start({"bundle": "mine"})
    pull = asyncio.create_task(configuration.pull())
    await session.reply("workspace/configuration", **reply)
    await pull
    assert configuration.current.bundle == "mine"


async def test_a_pushed_change_applies_at_once_and_its_end_restores_the_options(
    session, configuration
):
    session.initialize()
    configuration.start({"bundle": "mine"})
    await configuration.changed(push({"surefill": {"enabled": False}}))
    assert not configuration.current.enabled
    await configuration.changed(push({"surefill": {}}))
    assert configuration.current == Settings(bundle="mine")


async def test_a_change_without_settings_is_asked_for(session, configuration):
    session.initialize(PULLS)
    configuration.start(None)
    change = asyncio.create_task(configuration.changed(push({"editor": {"tabSize": 4}})))
    await session.reply("workspace/configuration", [{"enabled": False}])
    await change
    assert not configuration.current.enabled


@pytest.mark.parametrize("refused", [True, False])
async def test_an_editor_that_wants_to_be_asked_for_changes_is_asked(
    session, configuration, refused
):
    session.initialize({"workspace": {"didChangeConfiguration": {"dynamicRegistration": True}}})
    asking = asyncio.create_task(configuration.ask_for_changes())
    error = {"code": -1, "message": "no"} if refused else None
    await session.reply("client/registerCapability", error=error)
    await asking
    (asked,) = session.sent.take()
    (registration,) = asked["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeConfiguration"


def test_a_bad_setting_is_named_once_and_its_default_used(session, configuration):
    session.initialize()
    for _ in range(3):
        configuration.start({"completion": {"deadlineMs": "soon"}, "enabled": False})
    (message,) = session.sent.notified(SHOW)
    assert "surefill.completion.deadlineMs" in message["message"]
    assert configuration.current == Settings(enabled=False)


def test_a_bad_setting_that_comes_back_is_news_again(session, configuration):
    session.initialize()
    for options in ({"enabled": 3}, {}, {"enabled": 3}):
        configuration.start(options)
    assert len(session.sent.notified(SHOW)) == 2


@pytest.mark.parametrize("options", [5, "yes", [1], {"surefill": 5}])
def test_settings_that_are_no_object_are_reported(session, configuration, options):
    session.initialize()
    configuration.start(options)
    assert len(session.sent.notified(SHOW)) == 1
    assert configuration.current == Settings()


def test_untyped_objects_of_the_library_are_read_like_json():
    inner = namedtuple("Object", ["bundle"])("mine")
    assert section_of(namedtuple("Object", ["surefill"])(inner)) == {"bundle": "mine"}


def test_merging_keeps_what_the_overlay_does_not_name():
    base = {"a": 1, "b": {"c": 2, "d": 3}}
    assert merge(base, {"b": {"c": None, "d": 4}}) == {"a": 1, "b": {"c": 2, "d": 4}}
    assert merge(base, None) == base
    assert merge(None, {"a": 1}) == {"a": 1}
    assert base == {"a": 1, "b": {"c": 2, "d": 3}}


async def test_an_answer_that_comes_late_is_applied_all_the_same(
    session, configuration, monkeypatch
):
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.01)
    session.initialize(PULLS)
    configuration.start(None)
    await configuration.pull()
    assert configuration.current.enabled
    await session.reply("workspace/configuration", [{"enabled": False}])
    await asyncio.sleep(0.01)
    assert not configuration.current.enabled


async def test_an_answer_does_not_undo_a_newer_push(session, configuration):
    session.initialize(PULLS)
    configuration.start(None)
    pull = asyncio.create_task(configuration.pull())
    await session.reply("workspace/configuration", [{"enabled": True, "bundle": "old"}])
    await configuration.changed(push({"surefill": {"enabled": False}}))
    await pull
    assert configuration.current == Settings(enabled=False)
