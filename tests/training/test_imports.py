"""What may import what: the server no training libraries, the packages no tests."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import surefill
import surefill_training

HEAVY = (
    "torch",
    "transformers",
    "onnx",
    "optimum",
    "datasketch",
    "tensorboard",
    "rich",
    "matplotlib",
)


def run(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr


def imports(package: Path) -> Iterator[tuple[str, str]]:
    """Top-level names that a package's files import anywhere, with the file."""
    for file in sorted(package.rglob("*.py")):
        yield from imported(file, ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def imported(file: Path, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((str(file), alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(file), (node.module or "").split(".")[0]


def test_nothing_that_is_shipped_imports_tests() -> None:
    names = {path.stem for path in Path(__file__).parent.parent.glob("*")}
    assert {"training", "fakes", "small_corpus"} <= names
    for package in (surefill, surefill_training):
        found = [(f, n) for f, n in imports(Path(package.__path__[0])) if n in {*names, "tests"}]
        assert found == []


def test_the_server_names_no_training_library() -> None:
    unwanted = {*HEAVY, "surefill_training"}
    assert [(f, n) for f, n in imports(Path(surefill.__path__[0])) if n in unwanted] == []


def test_the_server_s_tests_are_collected_without_training_libraries() -> None:
    """So that the quick suite runs where they are not installed: they may import them later."""
    tests = Path(__file__).parent.parent
    unwanted = {*HEAVY, "surefill_training"}

    def at_once(*patterns: str) -> list[tuple[str, str]]:
        files = (file for pattern in patterns for file in sorted(tests.glob(pattern)))
        parsed = ((file, ast.parse(file.read_text(encoding="utf-8"))) for file in files)
        found = [each for file, module in parsed for each in imported(file, module.body)]
        return [(file, name) for file, name in found if name in unwanted]

    unwanted |= {Path(file).stem for file, _ in at_once("*.py")}
    assert "small_corpus" in unwanted
    assert at_once("server/**/*.py", "e2e/**/*.py") == []


def test_the_whole_server_imports_without_torch() -> None:
    run(
        "import importlib, pkgutil, sys, surefill\n"
        "names = [m.name for m in pkgutil.walk_packages(surefill.__path__, 'surefill.')]\n"
        "assert 'surefill.lsp.server' in names and 'surefill.cli' in names\n"
        "for name in names:\n"
        "    if not name.endswith('__main__'):\n"
        "        importlib.import_module(name)\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )


@pytest.mark.parametrize("module", ["surefill_training.cli", "surefill.cli"])
def test_help_of_every_command_loads_nothing_heavy(module: str) -> None:
    run(
        "import contextlib, importlib, io, sys\n"
        f"cli = importlib.import_module({module!r})\n"
        "commands = next(\n"
        "    a for a in cli.build_parser()._actions if getattr(a, 'choices', None)\n"
        ").choices\n"
        "assert len(commands) >= 4\n"
        "for arguments in (['--help'], ['--version'], *([name, '--help'] for name in commands)):\n"
        "    output = io.StringIO()\n"
        "    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):\n"
        "        cli.main(arguments)\n"
        "    assert output.getvalue(), arguments\n"
        f"loaded = [name for name in {(*HEAVY, 'numpy', 'onnxruntime')!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
