"""What a release must not be is refused, with a sentence that names it."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import release  # noqa: E402
from release import SERVER, TRAINING, Failure  # noqa: E402

METADATA = f"""Metadata-Version: 2.4
Name: surefill-training
Version: {release.__version__}
Summary: Something
License-Expression: Apache-2.0
Requires-Python: >=3.11
Requires-Dist: surefill[cpu]=={release.__version__}

A description.
"""


def test_what_git_tracks_is_what_is_wanted():
    sources = SERVER.sources()
    assert sources["LICENSE"] == release.LICENCE
    assert "surefill/cli.py" in sources
    assert not any(name.endswith(".pyc") for name in sources)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"a": b"1"}, "lacks b"),
        ({"a": b"1", "b": b"2", "c": b"3"}, "has c, which git does not track"),
        ({"a": b"1", "b": b"other"}, "has another b than the repository"),
    ],
)
def test_contents_have_to_be_the_same(found, message):
    wanted = {"a": b"1", "b": b"2"}
    release.check_same("x.whl", wanted, wanted)
    with pytest.raises(Failure, match=message):
        release.check_same("x.whl", wanted, found)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (f"Version: {release.__version__}", "Version: 9", "Version is 9"),
        ("Apache-2.0", "MIT", "License-Expression is MIT"),
        ("Summary: Something\n", "", "no summary"),
        ("A description.", "", "no description"),
        (f"=={release.__version__}", ">=0", "does not require"),
        ("\n\nA", "\nProject-URL: Home, https://example.org\n\nA", "which is no address"),
    ],
)
def test_metadata_have_to_be_whole(before, after, message):
    release.check_metadata(TRAINING, METADATA.encode())
    assert before in METADATA
    broken = METADATA.replace(before, after, 1)
    if message == "no description":
        broken = broken.rstrip("\n") + "\n\n"
    with pytest.raises(Failure, match=message):
        release.check_metadata(TRAINING, broken.encode())


def test_a_bundle_with_another_file_than_its_manifest_says_is_refused():
    folder = SERVER.sources()
    bundle = {name: data for name, data in folder.items() if "bundles/default" in name}
    release.check_bundle(bundle)
    with pytest.raises(Failure, match=r"tokenizer\.json of the default bundle"):
        release.check_bundle(bundle | {"surefill/bundles/default/tokenizer.json": b"{}"})


def test_a_link_in_a_source_distribution_is_refused(tmp_path):
    path = tmp_path / "x-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("x-1/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(Failure, match="no plain file"):
        release.read_sdist(path)


def test_a_source_distribution_is_read_without_its_folder(tmp_path):
    path = tmp_path / "x-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("x-1/a/b.py")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"ok"))
    assert release.read_sdist(path) == {"a/b.py": b"ok"}


def test_an_extension_with_its_sources_in_it_is_refused(tmp_path):
    path = tmp_path / "x.vsix"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*release.IN_EXTENSION, "src/extension.ts"):
            archive.writestr(f"extension/{name}", "")
    with pytest.raises(Failure, match=r"src/extension\.ts"):
        release.check_extension(path)


def test_a_file_that_was_not_built_and_one_too_many_are_named(tmp_path):
    with pytest.raises(Failure, match="was not built"):
        release.read_wheel(tmp_path / "x.whl")
    (tmp_path / "old.whl").write_text("")
    with pytest.raises(Failure, match=r"old\.whl as well"):
        release.check_nothing_else(tmp_path)


def test_a_program_that_fails_is_shown_with_what_it_said(tmp_path):
    code = "import sys; sys.exit('no luck')"
    with pytest.raises(Failure, match="no luck"):
        release.run([sys.executable, "-c", code], tmp_path)


def test_a_program_does_not_see_this_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "server"))
    code = "import os; print(os.environ.get('PYTHONPATH'))"
    assert release.run([sys.executable, "-c", code], tmp_path).strip() == "None"
