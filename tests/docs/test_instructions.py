"""What the documentation tells people to do can be done, by whoever has a checkout alone."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")],
    key=str,
)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_a_front_door():
    assert len(README.splitlines()) <= 130


def test_the_readme_has_two_commands_in_an_environment_that_they_make():
    commands = [each.strip() for each in re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S)]
    first, second = (each for each in commands if "venv" in each)
    assert first.startswith("python3 -m venv .venv && ")
    assert second.startswith("python3 -m venv .venv && ")
    assert second.endswith("nox")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_nothing_of_ours_is_installed_from_an_index(page):
    text = page.read_text(encoding="utf-8")
    for command in re.findall(r"(?:pip|pipx|uv tool|uv pip) install ([^\n`#]*)", text):
        for name in re.split(r"[\s\"']+", command):
            assert not re.match(r"surefill(-training)?([\[=<>~!]|$)", name), command
