"""What `docs/architecture.md` says of the server's rooms and threads is so, and paths exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server/surefill"
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")],
    key=str,
)
_PATH = re.compile(r"`((?:server|training|tests|docs|scripts|vscode-client|neovim)/[\w./-]+)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)")
MADE = ("site/", "vscode-client/dist", "tests/server/syntax/test_lua.py")
"""Begins of paths that are not in the repository: they are built, or shown by an example."""


def section(title):
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def rows(text):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[1:]]


def room_of(path):
    inside = path.relative_to(SERVER)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imported_rooms(path):
    """Rooms that a file imports when it runs; imports for annotations alone are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node not in guarded and isinstance(node, ast.ImportFrom) and not node.level:
            package, *rest = (node.module or "").split(".")
            if package == "surefill" and rest:
                yield rest[0]


def test_the_table_of_rooms_says_who_imports_whom():
    found = {}
    for path in SERVER.rglob("*.py"):
        room = room_of(path)
        found.setdefault(room, set()).update(set(imported_rooms(path)) - {room})
    written = {
        row[0].strip("`/"): set(re.findall(r"`(\w+)`", row[2])) for row in rows(section("Rooms"))
    }
    order = list(written)
    upward = {
        (room, other)
        for room, others in written.items()
        for other in others
        if order.index(other) < order.index(room)
    }
    assert upward == {("checks", "completion")}, "the text below the table names the exceptions"
    packages = {each.name for each in SERVER.iterdir() if (each / "__init__.py").exists()}
    assert set(written) == packages
    common = {each.stem for each in SERVER.glob("*.py")}  # modules beside the rooms
    for room, others in written.items():
        assert others == found[room] - common, f"{room} imports {sorted(found[room] - common)}"


def test_every_thread_that_has_a_name_is_in_the_table():
    table = section("Threads and processes")
    for path in SERVER.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r'"(surefill-[a-z-]+)"', text):
            if "Thread" in text:
                assert f"`{name}`" in table, f"{path.name} starts {name}"
        for name in re.findall(r'\bBackground\("(\w+)"\)', text):
            assert f"`surefill-{name}`" in table, f"{path.name} starts surefill-{name}"


@pytest.mark.parametrize("title", ["The way of a keystroke", "Threads and processes"])
def test_the_files_of_a_table_exist(title):
    named = re.findall(r"`(\w+(?:/\w+)*\.py)`", section(title))
    assert named
    assert [path for path in named if not (SERVER / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_and_links_of_a_page_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    missing = [
        path
        for path in _PATH.findall(text)
        if not path.startswith(MADE) and not (ROOT / path).exists()
    ]
    missing += [path for path, _ in _LINK.findall(text) if not (page.parent / path).exists()]
    assert missing == []
