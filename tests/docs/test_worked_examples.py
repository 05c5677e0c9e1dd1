"""The worked examples of the documentation, done in a copy of the server and tested there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from worked_examples import Block, apply, blocks

ROOT = Path(__file__).parents[2]
PAGES = sorted(each for each in (ROOT / "docs/extending").glob("*.md") if each.stem != "index")


@pytest.fixture
def copy(tmp_path):
    """The parts of the repository that an example may change. Its models are not among them."""
    without = shutil.ignore_patterns("bundles", "__pycache__", "node_modules", "dist")
    shutil.copytree(ROOT / "server", tmp_path / "server", ignore=without)
    for name in ("pyproject.toml", "vscode-client/package.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run_tests(copy, tests):
    """The tests that a page shows, with the server of the copy and the helpers of our own tests."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(copy / "server"), str(ROOT / "tests"), *filter(None, given)])
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(copy)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *map(str, tests)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_worked_example_works_and_its_test_fails_without_it(page, copy):
    found = blocks(page)
    tests = [each for each in found if each.path.startswith("tests/")]
    changes = [each for each in found if each not in tests]
    assert tests, "the page shows no test"
    assert changes, "the page changes nothing"
    for block in tests:
        apply(block, copy)
    paths = [copy / each.path for each in tests]
    assert run_tests(copy, paths).returncode != 0, "the test passes without the change"
    for block in changes:
        apply(block, copy)
    done = run_tests(copy, paths)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_change_that_does_not_fit_is_told(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    with pytest.raises(AssertionError, match="does not have this once"):
        apply(Block("diff", "a.py", " x = 1\n+y = 2\n"), tmp_path)
    apply(Block("diff", "a.py", " x = 1\n-x = 1\n+y = 2\n"), tmp_path)
    assert (tmp_path / "a.py").read_text() == "x = 1\ny = 2\n"
