"""Which Python environment the checker looks at, and what the user is told of it."""

import sys
from pathlib import Path

import pytest

from environments import make_environment
from surefill.oracle.environment import resolve_environment
from surefill.settings import OracleSettings

PROGRAMS = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """An environment with another library than the first."""
    return make_environment(tmp_path_factory.mktemp("other") / ".venv", "attic", "4.5")


def test_the_setting_may_name_the_environment_or_its_interpreter(environment, tmp_path):
    for named in (environment, environment / PROGRAMS):
        found = resolve_environment(str(named), [tmp_path], {"VIRTUAL_ENV": "/elsewhere"})
        assert found.python == environment / PROGRAMS
        assert found.asked_for and found.virtual and not found.note


def test_the_setting_is_relative_to_the_first_folder(environment):
    found = resolve_environment("env", [environment.parent, Path("/elsewhere")], {})
    assert found.folder == environment


@pytest.mark.parametrize("named", ["/no/such/place", "main.py", "."])
def test_a_setting_that_is_no_environment_is_told_and_the_next_one_is_used(
    named, environment, tmp_path
):
    (tmp_path / "main.py").touch()
    found = resolve_environment(named, [tmp_path], {"VIRTUAL_ENV": str(environment)})
    assert found.folder == environment and not found.asked_for
    assert found.note.startswith("surefill.oracle.python: ") and str(environment) in found.note
    assert found.advice


def test_the_activated_environment_comes_before_the_workspace_s(environment, other):
    variables = {"VIRTUAL_ENV": str(environment)}
    found = resolve_environment("", [other.parent], variables)
    assert found.folder == environment and not found.note


def test_the_workspace_s_environment_of_any_folder(other, tmp_path):
    found = resolve_environment("", [tmp_path, other.parent], {"VIRTUAL_ENV": "/gone"})
    assert found.folder == other and not found.note


def test_without_any_our_own_interpreter_is_used_with_a_note(tmp_path):
    found = resolve_environment("", [tmp_path], {})
    assert found.python == Path(sys.executable)
    assert "which runs Surefill" in found.note and ".venv" in found.advice


def test_the_version_is_read_without_running_anything(environment, tmp_path):
    found = resolve_environment(str(environment), [], {})
    assert found.version == ".".join(map(str, sys.version_info[:3]))


async def test_the_checker_sees_the_libraries_of_the_setting_s_environment(asker, engine, other):
    asker = asker(OracleSettings(engine=engine, python=str(other)))
    assert await asker.codes("import attic\nattic.post('x')\n") == []
    assert len(await asker.codes("import shelf\n")) == 1
    assert [status.state for status in asker.statuses] == ["ready"]


async def test_the_checker_sees_the_libraries_of_the_activated_environment(
    asker, engine, environment, monkeypatch
):
    monkeypatch.setenv("VIRTUAL_ENV", str(environment))
    asker = asker(OracleSettings(engine=engine))
    assert await asker.codes("import shelf\nshelf.post('x')\n") == []


async def test_the_checker_sees_the_libraries_of_the_workspace_s_environment(
    asker, engine, monkeypatch
):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    make_environment(asker.folder / ".venv", "attic", "4.5")
    asker = asker(OracleSettings(engine=engine))
    assert await asker.codes("import attic\nattic.post('x')\n") == []
    assert [status.state for status in asker.statuses] == ["ready"]


async def test_an_environment_that_does_not_exist_is_told_with_a_remedy(asker, engine, monkeypatch):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    asker = asker(OracleSettings(engine=engine, python="/no/such/place"))
    assert await asker.codes("import json\nprint(nowhere)\n")
    told, ready = asker.statuses
    assert (told.state, ready.state) == ("environment", "ready")
    assert "/no/such/place does not exist" in told.note and told.advice
    # our own interpreter's libraries are there
    assert await asker.codes("import pygls\n") == []
