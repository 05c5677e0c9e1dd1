"""Where the programs of type checkers are looked for."""

import pytest

from surefill.oracle.engines import find_program


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two folders and a working directory, each with a program in it."""
    for name in ("first", "second", "workspace"):
        program = tmp_path / name / "checker.exe"
        program.parent.mkdir()
        program.touch(mode=0o755)
    monkeypatch.chdir(tmp_path / "workspace")
    return [str(tmp_path / "first"), str(tmp_path / "second")]


def test_the_first_folder_counts(folders):
    assert find_program("checker.exe", folders, [""]) == f"{folders[0]}/checker.exe"
    assert find_program("checker", folders[1:], ["", ".exe"]) == f"{folders[1]}/checker.exe"


@pytest.mark.parametrize("folder", ["", "."])
def test_what_lies_in_the_working_directory_is_not_taken(folders, folder):
    assert find_program("checker.exe", [folder], [""]) is None
    assert find_program("checker.exe", [folder, folders[1]], [""]) == f"{folders[1]}/checker.exe"


def test_a_file_that_nobody_may_run_is_none(tmp_path):
    (tmp_path / "checker").touch(mode=0o644)
    (tmp_path / "other").mkdir()
    assert find_program("checker", [str(tmp_path)], [""]) is None
    assert find_program("other", [str(tmp_path)], [""]) is None
