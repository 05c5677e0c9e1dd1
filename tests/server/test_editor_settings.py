"""The VS Code extension contributes every setting of the server, as the server reads it."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from surefill.settings import Settings
from surefill.syntax.languages import language_for

MANIFEST = Path(__file__).parents[2] / "vscode-client" / "package.json"
OF_THE_CLIENT = {
    "surefill.languages",
    "surefill.server.path",
    "surefill.environment.package",
    "surefill.trace.server",
}

JSON_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    tuple[str, ...]: "array",
    Mapping[str, tuple[str, ...]]: "object",
}


def contributed() -> dict[str, dict[str, Any]]:
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    groups = manifest["contributes"]["configuration"]
    return {name: each for group in groups for name, each in group["properties"].items()}


def fields(group: Any, path: str = "surefill") -> Iterator[tuple[str, Any, dataclasses.Field]]:
    """Each setting's name, type and field, in the order of the server's own classes."""
    hints = get_type_hints(type(group))
    for item in dataclasses.fields(group):
        first, *others = item.name.split("_")
        name = f"{path}.{first}{''.join(word.capitalize() for word in others)}"
        value = getattr(group, item.name)
        if dataclasses.is_dataclass(value):
            yield from fields(value, name)
        else:
            yield name, (hints[item.name], value), item


SERVER = {name: (hint, default, item) for name, (hint, default), item in fields(Settings())}


def test_both_know_the_same_settings():
    assert set(contributed()) - OF_THE_CLIENT == set(SERVER)


@pytest.mark.parametrize("name", sorted(SERVER))
def test_a_setting_has_the_same_type_choices_bounds_and_default(name):
    hint, default, item = SERVER[name]
    there = contributed()[name]
    if get_origin(hint) is Literal:
        assert there["type"] == "string"
        assert there["enum"] == list(get_args(hint))
    else:
        assert there["type"] == JSON_TYPES[hint]
    assert there["default"] == json.loads(json.dumps(default))
    bounds = there.get("minimum"), there.get("maximum")
    assert bounds == (item.metadata.get("low"), item.metadata.get("high"))


def test_the_editor_offers_no_language_that_the_server_does_not_know():
    offered = contributed()["surefill.languages"]["items"]["anyOf"][0]["enum"]
    assert [each for each in offered if language_for(each, None) is None] == []
