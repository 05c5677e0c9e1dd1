"""Settings: everything has a default, and a bad value costs a message, not the server."""

import dataclasses
from typing import get_args

import pytest

from surefill.context.prompt import TEMPLATES
from surefill.settings import RemoteTemplate, Settings


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        {"completion": {}, "engine": {}, "remote": {}, "log": {}, "context": {}, "oracle": {}},
    ],
)
def test_nothing_given_means_defaults(raw):
    assert Settings.parse(raw) == (Settings(), [])


def test_every_setting_can_be_given():
    settings, problems = Settings.parse(
        {
            "enabled": False,
            "bundle": "/models/mine",
            "disabledLanguages": ["html", "json"],
            "completion": {
                "maxNewTokens": 32,
                "deadlineMs": 500,
                "alternatives": 3,
                "multiline": "never",
                "minConfidence": 0.75,
                "blend": False,
            },
            "context": {"related": False},
            "engine": {
                "kind": "remote",
                "provider": "cpu",
                "threads": 4,
                "readAhead": "off",
                "onBattery": True,
            },
            "remote": {
                "url": "http://localhost:1",
                "model": "m",
                "template": "starcoder2",
                "apiKeyVariable": "KEY",
            },
            "oracle": {
                "engine": "pyrefly",
                "python": "/envs/mine",
                "servers": {"go": ["gopls", "-remote=auto"]},
            },
            "checks": {"guide": False, "types": False},
            "diagnostics": {"syntax": False, "apis": False},
            "snippets": {"enabled": False, "results": False, "deadlineMs": 1000},
            "log": {"level": "debug"},
        }
    )
    assert problems == []
    assert dataclasses.asdict(settings) == {
        "enabled": False,
        "bundle": "/models/mine",
        "disabled_languages": ("html", "json"),
        "completion": {
            "max_new_tokens": 32,
            "deadline_ms": 500,
            "alternatives": 3,
            "multiline": "never",
            "min_confidence": 0.75,
            "blend": False,
        },
        "context": {"related": False},
        "engine": {
            "kind": "remote",
            "provider": "cpu",
            "threads": 4,
            "read_ahead": "off",
            "on_battery": True,
        },
        "remote": {
            "url": "http://localhost:1",
            "model": "m",
            "template": "starcoder2",
            "api_key_variable": "KEY",
        },
        "oracle": {
            "engine": "pyrefly",
            "python": "/envs/mine",
            "servers": {"go": ("gopls", "-remote=auto")},
        },
        "checks": {"guide": False, "types": False},
        "diagnostics": {"syntax": False, "apis": False},
        "snippets": {"enabled": False, "results": False, "deadline_ms": 1000},
        "log": {"level": "debug"},
    }


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"enabled": 1}, "surefill.enabled: expected true or false, got 1; using true."),
        ({"bundle": 5}, 'surefill.bundle: expected a text, got 5; using "default".'),
        (
            {"disabledLanguages": "html"},
            'surefill.disabledLanguages: expected a list of texts, got "html"; using ().',
        ),
        (
            {"completion": {"maxNewTokens": True}},
            "surefill.completion.maxNewTokens: expected a whole number, got true; using 64.",
        ),
        (
            {"completion": {"deadlineMs": 1}},
            "surefill.completion.deadlineMs: expected a value from 50 to 60000, got 1; using 2000.",
        ),
        (
            {"completion": {"minConfidence": float("nan")}},
            "surefill.completion.minConfidence: expected a value from 0 to 1, got nan; using 0.4.",
        ),
        (
            {"completion": {"multiline": ["auto"]}},
            'surefill.completion.multiline: expected one of "auto", "always", "never", '
            "got ['auto']; using \"auto\".",
        ),
        (
            {"context": {"related": "yes"}},
            'surefill.context.related: expected true or false, got "yes"; using true.',
        ),
        (
            {"oracle": {"engine": "mypy"}},
            'surefill.oracle.engine: expected one of "ty", "pyrefly", "off", got "mypy"; '
            'using "ty".',
        ),
        *(
            (
                {"oracle": {"servers": servers}},
                "surefill.oracle.servers: expected a command as a list of texts for each language "
                f'id, such as {{"go": ["gopls"]}}, got {shown}; using {{}}.',
            )
            for servers, shown in (
                (["gopls"], "['gopls']"),
                ({"go": "gopls"}, "{'go': 'gopls'}"),
                ({"go": []}, "{'go': []}"),
                ({"go": [""]}, "{'go': ['']}"),
                ({"go": [1]}, "{'go': [1]}"),
            )
        ),
        ({"completion": 3}, "surefill.completion: expected an object, got 3; using the defaults."),
        ({"colour": "red"}, "surefill.colour: unknown setting, ignored."),
        ([], "surefill: expected an object, got []; using the defaults."),
    ],
)
def test_a_bad_value_is_named_and_the_default_stays(raw, message):
    assert Settings.parse(raw) == (Settings(), [message])


def test_the_good_values_beside_a_bad_one_count():
    settings, problems = Settings.parse({"completion": {"alternatives": 3, "deadlineMs": "x"}})
    assert settings.completion.alternatives == 3
    assert settings.completion.deadline_ms == 2000
    assert len(problems) == 1


def test_null_is_the_default():
    assert Settings.parse({"bundle": None, "completion": {"alternatives": None}}) == (
        Settings(),
        [],
    )


def test_the_remote_templates_are_those_that_exist():
    assert set(get_args(RemoteTemplate)) == {"suffix", *TEMPLATES}


def test_what_belongs_to_the_client_library_and_null_groups_are_no_problem():
    raw = {"trace": {"server": "off"}, "completion": None, "engine": {"threads": None}}
    assert Settings.parse(raw) == (Settings(), [])


@pytest.mark.parametrize(
    ("engine", "reads"),
    [
        ({}, True),
        ({"onBattery": True}, False),
        ({"readAhead": "on", "onBattery": True}, True),
        ({"readAhead": "off"}, False),
    ],
)
def test_the_model_reads_ahead_unless_on_battery_or_turned_off(engine, reads):
    settings, _ = Settings.parse({"engine": engine})
    assert settings.engine.reads_ahead is reads
