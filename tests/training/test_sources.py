"""Where documents come from, and under which licence."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from small_corpus import install, module
from surefill_training.corpus.filters import is_permissive
from surefill_training.corpus.sources import (
    canonical,
    from_directory,
    from_package,
    from_standard_library,
)
from surefill_training.errors import CorpusError


def test_a_package_is_its_recorded_source_files(tmp_path: Path) -> None:
    files = {
        "thing/b.py": module(1),
        "thing/a.py": module(2),
        "thing/data.txt": "no code",
        "../../bin/thing.py": module(3),
    }
    install(tmp_path / "lib" / "site", "Some-Thing", files, version="2.1")
    (tmp_path / "lib" / "site" / "thing" / "unlisted.py").write_text(module(4))
    source = from_package("some_thing", [tmp_path / "lib" / "site"])
    assert [str(file) for file in source.files] == ["thing/a.py", "thing/b.py"]
    assert (source.version, source.license) == ("2.1", "MIT")
    assert source.key == "some_thing-2.1"


def test_a_record_does_not_lead_outside_of_the_packages(tmp_path: Path) -> None:
    site, secret = tmp_path / "site", tmp_path / "secret.py"
    secret.write_text(module(9))
    install(site, "thing", {"thing/a.py": module(1), str(secret): module(9)})
    (site / "thing/link.py").symlink_to(secret)
    (site / "linked").symlink_to(tmp_path)
    (site / "thing/loop.py").symlink_to("loop.py")
    record = next(site.glob("*.dist-info")) / "RECORD"
    names = ("thing/link.py", "linked/secret.py", "thing/loop.py")
    record.write_text(record.read_text() + "".join(f"{name},,\n" for name in names))
    assert [str(file) for file in from_package("thing", [site]).files] == ["thing/a.py"]


@pytest.mark.parametrize(
    ("metadata", "license_name"),
    [
        ("License-Expression: Apache-2.0 OR MIT", "Apache-2.0 OR MIT"),
        ("License: ignored\nLicense-Expression: ISC", "ISC"),
        (
            "License: whatever\n"
            "Classifier: License :: OSI Approved\n"
            "Classifier: License :: OSI Approved :: BSD License\n"
            "Classifier: Topic :: Software Development",
            "BSD License",
        ),
        ("License: MIT License\n        Copyright by somebody", "MIT License"),
        ("License:", "unknown"),
        ("Summary: says nothing of a licence", "unknown"),
    ],
)
def test_the_licence_comes_from_the_metadata(
    tmp_path: Path, metadata: str, license_name: str
) -> None:
    install(tmp_path, "thing", {"thing.py": module(1)}, metadata=metadata)
    assert from_package("thing", [tmp_path]).license == license_name


@pytest.mark.parametrize(
    "name",
    [
        "MIT",
        "MIT License",
        "BSD-3-Clause",
        "Apache Software License",
        "Apache-2.0 AND MIT",
        "PSF-2.0",
        "Python Software Foundation License",
        "ISC License (ISCL)",
        "ZPL-2.1",
        "MIT-CMU",
        "The Unlicense",
        "Apache-2.0 AND BSD-2-Clause AND BSL-1.0 AND MIT",
        "BSD License; Apache Software License",
        "PostgreSQL",
        "BlueOak-1.0.0",
    ],
)
def test_permissive_licences(name: str) -> None:
    assert is_permissive(name)


@pytest.mark.parametrize(
    "name",
    [
        "unknown",
        "",
        "own",
        "GPLv3+",
        "MIT AND GPLv3",
        "MIT; GNU Lesser General Public License v3 (LGPLv3)",
        "LGPL-2.1-only OR BSD-3-Clause",
        "AGPL-3.0 OR MIT",
        "MPL-2.0 AND MIT",
        "MPLv2, MIT",
        "Apache-2.0 WITH Commons Clause",
        "MIT for non-commercial use",
        "Proprietary, not MIT",
        "Permit nothing",
        "BSD-3-Clause AND CC-BY-NC-4.0",
        "MIT AND CC-BY-SA-4.0",
        "Apache-2.0 AND BUSL-1.1",
        "Apache-2.0 AND Elastic-2.0",
        "BSD-3-Clause AND CECILL-2.1",
        "MIT; Free for non commercial use",
        "MIT AND Something-New-1.0",
        "Not MIT",
    ],
)
def test_other_licences(name: str) -> None:
    assert not is_permissive(name)


@pytest.mark.parametrize("name", ["no-such-package", ""])
def test_a_package_that_is_not_installed(tmp_path: Path, name: str) -> None:
    install(tmp_path, "another", {"another.py": module(1)})
    with pytest.raises(CorpusError, match="not installed") as caught:
        from_package(name, [tmp_path])
    assert "pip install" in caught.value.remedy


@pytest.mark.parametrize("record", [True, False])
def test_an_installation_without_source_files_is_refused(tmp_path: Path, record: bool) -> None:
    install(tmp_path, "editable", {"editable.pth": "/somewhere"}, record=record)
    with pytest.raises(CorpusError, match="does not list a single source file") as caught:
        from_package("editable", [tmp_path])
    assert "--directory" in caught.value.remedy


def test_packages_of_this_interpreter_are_found() -> None:
    source = from_package("pytest")
    assert source.license == "MIT"
    assert (source.root / source.files[0]).is_file()


def test_a_directory_without_what_is_not_its_own(tmp_path: Path) -> None:
    wanted = ["a.py", "inner/b.py"]
    unwanted = [
        ".hidden/c.py",
        "node_modules/d.py",
        "__pycache__/e.py",
        "env/lib/f.py",
        "notes.txt",
    ]
    for name in (*wanted, *unwanted):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(module(1))
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "folder.py").mkdir()
    source = from_directory(tmp_path, "own")
    assert [str(file) for file in source.files] == wanted
    assert (source.name, source.license) == (tmp_path.name, "own")


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(CorpusError, match="is not a directory"):
            from_directory(path)


def test_the_standard_library_without_its_tests_and_what_is_installed_in_it() -> None:
    source = from_standard_library()
    names = {str(file) for file in source.files}
    assert {"argparse.py", "json/decoder.py"} <= names
    assert not any({"test", "tests", "site-packages"} & set(file.parts) for file in source.files)
    assert source.root == Path(sysconfig.get_path("stdlib"))
    assert is_permissive(source.license)


def test_names_are_compared_as_package_indexes_do() -> None:
    assert (
        canonical("Zope.Interface") == canonical("zope-interface") == canonical("zope__interface")
    )
