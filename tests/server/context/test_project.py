"""A project's files: the nearest first, without what nobody wrote there, and never for ever."""

from pathlib import Path

import pytest

from surefill.context import project as module
from surefill.context.project import belongs, source_files


@pytest.fixture
def make(tmp_path):
    def files(*names, text="x = 1\n"):
        for name in names:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return files


def found(root, near=(), folders=None):
    files = source_files(
        folders or [root], [root / each for each in near], lambda path: path.suffix == ".py"
    )
    return [path.relative_to(root).as_posix() for path in files]


def test_the_nearest_come_first(make, tmp_path):
    make("a.py", "b/b.py", "b/c/c.py", "b/c/d/d.py", "e/f/g/g.py")
    assert found(tmp_path, ["b/c"]) == ["b/c/c.py", "b/b.py", "b/c/d/d.py", "a.py", "e/f/g/g.py"]


def test_what_is_left_out(make, tmp_path):
    make("kept.py", "no.txt", ".hidden.py", ".git/a.py", "node_modules/a.py", "x/build/a.py")
    make("__pycache__/a.py", "mine/pyvenv.cfg", "mine/lib/a.py", "secrets.py", "a.egg-info/b.py")
    make("site-packages/a.py", ".venv/a.py", "dist/a.py")
    assert found(tmp_path) == ["kept.py"]


def test_what_git_ignores_is_left_out(make, tmp_path):
    make("a.py", "a_pb2.py", "gen/a.py", "gen/keep.py", "logs/x.py", "in/b_pb2.py", "in/c.py")
    make(".gitignore", text="# made\n*_pb2.py\n/logs/\ngen/*\n!gen/keep.py\n\\\n")
    make("in/.gitignore", text="!b_pb2.py\nc.py\n")
    assert found(tmp_path) == ["a.py", "gen/keep.py", "in/b_pb2.py"]


def test_one_file_belongs_exactly_where_it_would_be_found(make, tmp_path):
    make("a.py", "a_pb2.py", "in/b_pb2.py", ".x/a.py", "env/a.py", "mine/pyvenv.cfg")
    make("mine/lib/a.py", "secrets.py", "logs/x.py")
    make(".gitignore", text="*_pb2.py\n/logs/\n")
    make("in/.gitignore", text="!b_pb2.py\n")
    everything = [path for path in sorted(tmp_path.rglob("*.py")) if path.is_file()]
    belonging = [path for path in everything if belongs(path, [tmp_path])]
    assert belonging == [tmp_path / "a.py", tmp_path / "in/b_pb2.py"]
    assert sorted(tmp_path / name for name in found(tmp_path)) == belonging
    assert not belongs(Path("/elsewhere/a.py"), [tmp_path])


def test_hostile_ignore_files(make, tmp_path):
    make("a" * 200 + ".py", "b.py")
    make(".gitignore", text="*a" * 60 + "*b\n" + "[\n!\n\0\n" + "**/" * 50 + "x\nb.py\n")
    assert len(found(tmp_path)) == 2  # with a NUL character it is no text
    make(".gitignore", text="*a" * 60 + "*b\n[\n!\n" + "**/" * 50 + "x\nb.py\n")
    assert len(found(tmp_path)) == 1


def test_links_are_not_followed(make, tmp_path):
    make("a.py", "b/c.py")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "linked.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "self.py").symlink_to("self.py")
    assert found(tmp_path) == ["a.py", "b/c.py"]
    assert not belongs(tmp_path / "linked.py", [tmp_path])
    assert not belongs(tmp_path / "b" / "up" / "a.py", [tmp_path])


def test_folders_that_overlap_or_are_not_there(make, tmp_path):
    make("a.py", "b/c.py")
    folders = [tmp_path / "b", tmp_path, tmp_path / "gone", tmp_path / "a.py", tmp_path]
    assert sorted(found(tmp_path, folders=folders)) == ["a.py", "b/c.py"]


def test_of_a_huge_project_the_part_around_what_is_open_is_known(make, tmp_path, monkeypatch):
    make(*(f"p{n}/m/f{k}.py" for n in range(30) for k in range(10)))
    monkeypatch.setattr(module, "MOST_ENTRIES", 100)
    names = found(tmp_path, ["p29/m"])
    assert len(names) < 100
    assert names[:10] == [f"p29/m/f{k}.py" for k in range(10)]
